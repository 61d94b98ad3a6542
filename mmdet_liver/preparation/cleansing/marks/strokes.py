"""Pen strokes: what is thin, bright, and as sharp as the pixels on every side.

An echo is as wide as the scanner's pulse and beam, so its brightness falls off over some
pixels; a graphic is drawn after that and ends from one pixel to the next. Nothing here
needs to know the colour of the ink, or that it is the same in all of the image.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.pixels import (
    Outline,
    mean_by,
    outline_of,
    padded,
    square,
    unpadded,
)
from mmdet_liver.preparation.cleansing.marks.relief import BLACK, Relief

_LOW = 30  # what a pixel of a stroke stands above its ground at least
_FALL = 0.42  # share of a stroke's height that is lost from one pixel to the next
_NOISE_SHARE = 0.2  # more of a window than this is never ink


@dataclass(frozen=True, eq=False)
class Strokes:
    """Connected bright pixels, N of them; per-stroke arrays are (N,).

    `pixels` (P,) are flat indices into an image of `shape`, `index` (P,) the stroke of each,
    ascending; `boxes` (N, 4) are xyxy, far edge exclusive; `level` and `height` are grey
    levels of the brightest pixel; `sharp` is the share of the outline where the brightness
    falls by almost half the height from one pixel to the next, `sharp_ends` the lower of that
    at its sides and that above and below, `sharp_lit` that where the ground is not black;
    `lit` is the share of such ground.
    """

    shape: tuple[int, int]
    pixels: np.ndarray
    index: np.ndarray
    boxes: np.ndarray
    area: np.ndarray
    level: np.ndarray
    height: np.ndarray
    sharp: np.ndarray
    sharp_ends: np.ndarray
    sharp_lit: np.ndarray
    lit: np.ndarray

    def __len__(self) -> int:
        return len(self.area)

    @property
    def wide(self) -> np.ndarray:
        return self.boxes[:, 2] - self.boxes[:, 0]

    @property
    def tall(self) -> np.ndarray:
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def longer(self) -> np.ndarray:
        return np.maximum(self.wide, self.tall)

    def mask(self, chosen: np.ndarray) -> np.ndarray:
        """(N,) bool -> (H, W) bool, the pixels of the chosen strokes."""
        mask = np.zeros(self.shape, bool)
        mask.ravel()[self.pixels[chosen[self.index]]] = True
        return mask

    def share_in(self, mask: np.ndarray) -> np.ndarray:
        """(H, W) bool -> (N,), the share of each stroke's pixels in a mask."""
        return mean_by(self.index, mask.ravel()[self.pixels], len(self))


def find_strokes(relief: Relief) -> Strokes | None:
    """All that might be strokes; None where nothing is sharp enough."""
    parts = [_strokes_in(relief, window) for window in relief.windows()]
    parts = [part for part in parts if part]
    return _joined(parts) if parts else None


def _strokes_in(relief: Relief, window: tuple[slice, slice]) -> Strokes | None:
    part = relief.cut(window)
    # Half the highest relief around: so tissue that touches a letter does not join it.
    half = cv2.dilate(part.height, square(part.pen + 2)) >> 1
    bright = (part.height >= np.maximum(half, _LOW)).view(np.uint8)
    bright &= cv2.dilate(part.seeds, square(2 * part.pen + 1))
    if not 0 < cv2.countNonZero(bright) <= _NOISE_SHARE * bright.size:
        return None
    return _placed(_measure(part, bright), window, relief.value.shape)


def _measure(relief: Relief, bright: np.ndarray) -> Strokes:
    bright = padded(bright)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    pixels = np.flatnonzero(bright.view(bool))
    pixels = pixels[np.argsort(labels.ravel()[pixels], kind='stable')]
    index = labels.ravel()[pixels] - 1  # (P,) ascending
    starts = np.searchsorted(index, np.arange(count - 1))
    value, height = (padded(image).ravel() for image in (relief.value, relief.height))
    levels = value[pixels].astype(int)
    tall = np.maximum.reduceat(height[pixels], starts).astype(int)
    steps = outline_of(bright, pixels)
    beside = value[steps.outer].astype(int)
    falls = levels[steps.inner] - beside >= _FALL * tall[index[steps.inner]]
    lit = beside - height[steps.outer] > BLACK  # the ground, not the pixel
    corner = stats[1:, :2] - 1  # without the border of one pixel
    return Strokes(
        shape=relief.value.shape,
        pixels=unpadded(pixels, bright.shape[1]),
        index=index,
        boxes=np.hstack([corner, corner + stats[1:, 2:4]]),
        area=stats[1:, 4],
        level=np.maximum.reduceat(levels, starts),
        height=tall,
        lit=mean_by(index[steps.inner], lit, count - 1),
        **_sharpness(steps, index[steps.inner], falls, lit, count - 1),
    )


def _sharpness(
    steps: Outline, index: np.ndarray, falls: np.ndarray, lit: np.ndarray, count: int
) -> dict[str, np.ndarray]:
    def share(of: np.ndarray) -> np.ndarray:
        return mean_by(index[of], falls[of], count)

    return {
        'sharp': mean_by(index, falls, count),
        'sharp_ends': np.minimum(share(steps.sideways), share(steps.upright)),
        'sharp_lit': share(lit),
    }


def _placed(part: Strokes, window: tuple[slice, slice], shape: tuple[int, int]) -> Strokes:
    # From the window's coordinates to the image's.
    y, x = window[0].start, window[1].start
    rows, columns = np.divmod(part.pixels, part.shape[1])
    moved = {
        'shape': shape,
        'pixels': (rows + y) * shape[1] + columns + x,
        'boxes': part.boxes + [x, y, x, y],
    }
    return Strokes(**{**vars(part), **moved})


def _joined(parts: list[Strokes]) -> Strokes:
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0] + [len(part) for part in parts])
    arrays = {
        name: np.concatenate([vars(part)[name] for part in parts])
        for name in vars(parts[0])
        if name not in ('shape', 'index')
    }
    index = [part.index + n for part, n in zip(parts, before, strict=False)]
    return Strokes(shape=parts[0].shape, index=np.concatenate(index), **arrays)
