"""How pixels stand out from those around them, and where a mark is worth looking for."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.pixels import square

BLACK = 16  # grey levels up to which there is no picture, or no echo
BESIDE = 6  # grey levels up to which there is no picture
_SEED_CONTRAST = 70  # grey levels
_USUAL_GRAIN = 40  # grey levels, the contrast of the sharpest tenth of a coarse picture
_STEEPEST_GRAIN = 120
_SAMPLE = 4  # pixels, stride
_MIN_SEEDS = 6  # in three by three tiles
_TILE = 16  # pixels
_MAX_WINDOWS = 4


@dataclass(frozen=True, eq=False)
class Relief:
    """How pixels stand out, each (H, W) uint8: `height` over the brightest ground that a
    square of `pen` pixels fits into, `step` over the darkest neighbour.

    `coarseness` is 1 for most pictures and more for noisy or sharpened ones: limits on
    height and contrast are multiplied with it.
    """

    value: np.ndarray
    height: np.ndarray
    step: np.ndarray
    pen: int
    coarseness: float

    @cached_property
    def contrast(self) -> np.ndarray:
        """(H, W) uint8, the lower of height and step: high on thin, sharp strokes only."""
        return cv2.min(self.height, self.step)

    @cached_property
    def seeds(self) -> np.ndarray:
        """(H, W) uint8, 1 on pixels of so much contrast that a mark may be there."""
        lowest = round(_SEED_CONTRAST * self.coarseness)
        return cv2.threshold(self.contrast, lowest - 1, 1, cv2.THRESH_BINARY)[1]

    def cut(self, window: tuple[slice, slice]) -> 'Relief':
        """The relief of a part of the image."""
        parts = (np.ascontiguousarray(a[window]) for a in (self.value, self.height, self.step))
        return Relief(*parts, self.pen, self.coarseness)

    def windows(self) -> list[tuple[slice, slice]]:
        """Parts of the image, apart from each other, in which several seeds lie together."""
        rows, columns = (-(-n // _TILE) for n in self.value.shape)
        y, x = np.divmod(np.flatnonzero(self.seeds.view(bool)), self.value.shape[1])
        counts = np.bincount(y // _TILE * columns + x // _TILE, minlength=rows * columns)
        counts = np.minimum(counts, 255).astype(np.uint8).reshape(rows, columns)
        around = cv2.boxFilter(counts, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        active = cv2.dilate((around >= _MIN_SEEDS).view(np.uint8), square(3))
        boxes = cv2.connectedComponentsWithStats(active, connectivity=8)[2][1:, :4]
        if len(boxes) > _MAX_WINDOWS:
            boxes = [cv2.boundingRect(active)]
        return [
            (slice(y * _TILE, (y + height) * _TILE), slice(x * _TILE, (x + width) * _TILE))
            for x, y, width, height in boxes
        ]


def relief_of(value: np.ndarray) -> Relief:
    """Relief of a (H, W) uint8 image; strokes up to 6 pixels wide, 10 on a large screen."""
    lower = min(value.shape)
    pen = 7 if lower < 700 else 9 if lower < 1000 else 11
    ground = cv2.morphologyEx(value, cv2.MORPH_OPEN, square(pen))
    height = cv2.subtract(value, ground)
    step = cv2.subtract(value, cv2.erode(value, square(3)))
    return Relief(value, height, step, pen, _coarseness(value, height, step))


def _coarseness(value: np.ndarray, height: np.ndarray, step: np.ndarray) -> float:
    # In a copy of every fourth pixel, as it is the same for all.
    few = np.s_[::_SAMPLE, ::_SAMPLE]
    contrast = np.minimum(height[few], step[few])[value[few] > BLACK]
    counts = np.bincount(contrast, minlength=256)
    grain = int(np.searchsorted(np.cumsum(counts), 0.9 * len(contrast)))
    # Steeper than any noise is ink, where there is little else.
    return max(1.0, grain / _USUAL_GRAIN) if grain <= _STEEPEST_GRAIN else 1.0
