"""Pen strokes: what is thin, bright, and as sharp as the pixels on every side.

An echo is as wide as the scanner's pulse and beam, so its brightness falls off over some
pixels; a graphic is drawn after that and ends from one pixel to the next. Nothing here
needs to know the colour of the ink, or that it is the same in all of the image.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

_SEED_CONTRAST = 70  # grey levels
_USUAL_GRAIN = 40  # grey levels, the contrast of the sharpest tenth of a coarse picture
_SAMPLE = 3  # pixels, stride
_MIN_SEEDS = 6
_LOW = 30  # what a pixel of a stroke stands above its ground at least
_FALL = 0.42  # share of a stroke's height that is lost from one pixel to the next
_BLACK = 16  # outside the picture, or no echo
_NOISE_SHARE = 0.2  # more of an image than this is never ink
_NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)


def square(size: int) -> np.ndarray:
    return np.ones((size, size), np.uint8)


@dataclass(frozen=True)
class Relief:
    """How pixels stand out, each (H, W) uint8: `height` over the brightest ground that a
    square of `pen` pixels fits into, `step` over the darkest neighbour.
    """

    value: np.ndarray
    height: np.ndarray
    step: np.ndarray
    pen: int

    def cut(self, window: tuple[slice, slice]) -> 'Relief':
        """The relief of a part of the image."""
        parts = (np.ascontiguousarray(a[window]) for a in (self.value, self.height, self.step))
        return Relief(*parts, self.pen)

    @cached_property
    def contrast(self) -> np.ndarray:
        """(H, W) uint8, the lower of height and step: high on thin, sharp strokes only."""
        return cv2.min(self.height, self.step)

    @cached_property
    def seeds(self) -> np.ndarray:
        """(H, W) uint8, 1 on pixels of so much contrast that a mark may be there."""
        lowest = round(_SEED_CONTRAST * self.coarseness)
        return cv2.threshold(self.contrast, lowest - 1, 1, cv2.THRESH_BINARY)[1]

    @cached_property
    def coarseness(self) -> float:
        """1 for most pictures, more for noisy or sharpened ones: what limits on height and
        contrast are multiplied with.
        """
        sample = np.s_[::_SAMPLE, ::_SAMPLE]
        contrast = self.contrast[sample][self.value[sample] >= _BLACK]
        counts = np.bincount(contrast, minlength=256)
        grain = np.searchsorted(np.cumsum(counts), 0.9 * len(contrast))
        return max(1.0, float(grain) / _USUAL_GRAIN)


def relief_of(value: np.ndarray) -> Relief:
    """Relief of a (H, W) uint8 image; strokes up to 6 pixels wide, 10 on a large screen."""
    lower = min(value.shape)
    pen = 7 if lower < 700 else 9 if lower < 1000 else 11
    ground = cv2.morphologyEx(value, cv2.MORPH_OPEN, square(pen))
    step = cv2.subtract(value, cv2.erode(value, square(3)))
    return Relief(value, cv2.subtract(value, ground), step, pen)


@dataclass(frozen=True)
class Strokes:
    """Connected bright pixels, N of them; per-stroke arrays are (N,).

    `pixels` (P,) are flat indices into an image of `shape`, `index` (P,) the stroke of each,
    ascending; `boxes` (N, 4) are xyxy, far edge exclusive; `level` and `height` are grey levels of the brightest pixel;
    `sharp` is the share of the outline where the brightness falls by almost half the height
    from one pixel to the next, `sharp_ends` the lower of that at its sides and that above and
    below, `sharp_lit` that where the ground is not black; `lit` the share of such ground.
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

    def mask(self, chosen: np.ndarray) -> np.ndarray:
        """(N,) bool -> (H, W) bool, the pixels of the chosen strokes."""
        mask = np.zeros(self.shape, bool)
        mask.ravel()[self.pixels[chosen[self.index]]] = True
        return mask

    def share_in(self, mask: np.ndarray) -> np.ndarray:
        """(H, W) bool -> (N,), the share of each stroke's pixels in a mask."""
        return mean_by(self.index, mask.ravel()[self.pixels], len(self))


def find_strokes(relief: Relief) -> Strokes | None:
    """All that might be strokes; None where nothing is sharp enough, as in most images."""
    if cv2.countNonZero(relief.seeds) < _MIN_SEEDS:
        return None
    # Half the highest relief around: so tissue that touches a letter does not join it.
    half = cv2.dilate(relief.height, square(relief.pen + 2)) >> 1
    bright = (relief.height >= np.maximum(half, _LOW)).view(np.uint8)
    bright &= cv2.dilate(relief.seeds, square(2 * relief.pen + 1))
    if cv2.countNonZero(bright) > _NOISE_SHARE * bright.size:
        return None
    return _measure(relief, bright)


def _measure(relief: Relief, bright: np.ndarray) -> Strokes:
    bright = padded(bright)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    pixels = np.flatnonzero(bright.view(bool))
    pixels = pixels[np.argsort(labels.ravel()[pixels], kind='stable')]
    index = labels.ravel()[pixels] - 1  # (P,) ascending
    starts = np.searchsorted(index, np.arange(count - 1))
    value, height = (padded(image).ravel() for image in (relief.value, relief.height))
    levels = value[pixels].astype(int)
    level = np.maximum.reduceat(levels, starts)
    tall = np.maximum.reduceat(height[pixels], starts).astype(int)
    steps = outline_of(bright, pixels)
    outside = value[steps.outer].astype(int)
    falls = levels[steps.inner] - outside >= _FALL * tall[index[steps.inner]]
    lit = outside - height[steps.outer] > _BLACK  # the ground, not the pixel
    corner = stats[1:, :2] - 1  # without the border of one pixel

    def share(values: np.ndarray, of: np.ndarray) -> np.ndarray:
        return mean_by(index[steps.inner[of]], values[of], count - 1)

    all_around = np.ones(len(lit), bool)
    lit_share = share(lit, all_around)
    return Strokes(
        shape=relief.value.shape,
        pixels=unpadded(pixels, bright.shape[1]),
        index=index,
        boxes=np.hstack([corner, corner + stats[1:, 2:4]]),
        area=stats[1:, 4],
        level=level,
        height=tall,
        sharp=share(falls, all_around),
        sharp_ends=np.minimum(share(falls, steps.sideways), share(falls, steps.upright)),
        sharp_lit=share(falls, lit),
        lit=lit_share,
    )


@dataclass(frozen=True)
class Outline:
    """Every step from a stroke to what lies around it, (K,) each: from `inner`, an index of
    the pixels, to `outer`, a flat index; what lies outside the image is no such place.
    """

    inner: np.ndarray
    outer: np.ndarray
    sideways: np.ndarray
    upright: np.ndarray


def outline_of(bright: np.ndarray, pixels: np.ndarray) -> Outline:
    """Outline of (P,) `pixels`, flat indices, against all that is not `bright` (padded)."""
    shifts = np.repeat(np.array(_NEIGHBOURS), len(pixels), axis=0)  # (8 P, 2)
    inner = np.tile(np.arange(len(pixels)), len(_NEIGHBOURS))
    outer = pixels[inner] + shifts[:, 0] * bright.shape[1] + shifts[:, 1]
    taken = padded(bright[1:-1, 1:-1], border=1).ravel()
    chosen = np.flatnonzero(taken[outer] == 0)
    dy, dx = shifts[chosen].T
    return Outline(inner[chosen], outer[chosen], dy == 0, dx == 0)


def padded(image: np.ndarray, border: int = 0) -> np.ndarray:
    """The image with a border of one pixel, so that every pixel of it has eight neighbours."""
    return cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=border)


def unpadded(pixels: np.ndarray, width: int) -> np.ndarray:
    """Flat indices into a padded image so wide -> into the image itself."""
    return (pixels // width - 1) * (width - 2) + pixels % width - 1


def mean_by(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Mean of `values` by group 0..count - 1; 1 for a group that has none."""
    size = np.bincount(index, minlength=count)
    return np.where(size, np.bincount(index, values, count) / np.maximum(size, 1), 1)


def grown(mask: np.ndarray, radius: int) -> np.ndarray:
    """(H, W) bool, the mask and what lies within so many pixels of it."""
    return cv2.dilate(mask.view(np.uint8), square(2 * radius + 1)).view(bool)
