"""A square crop around a lesion, or of a place without any, for `LesionCrops`.

In MMEngine's root registry, as the ultrasound views are.
"""

import random

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from mmdet_liver.datasets.transforms.ultrasound_views import (
    log_uniform,
    share_inside,
    tissue_integral,
)
from mmdet_liver.errors import input_error

Square = tuple[int, int, int]  # left, top, side in pixels


@TRANSFORMS.register_module()
class RandomLesionCrop(BaseTransform):
    """Cut out the lesion `box` with some context, or background where `box` is None.

    Crops are square, so that a lesion keeps its shape, and lie inside the image. A
    background's is as large as a lesion's would be where that fits, overlaps no box, and
    shows tissue where the attempts find some.

    Args:
        scale: side of the output in pixels.
        context_range: side of the crop in longer sides of the lesion, drawn log-uniformly.
        max_shift: the lesion's centre is off the crop's by up to this share of its width
            and height. Up to (context_range[0] - 1) / 2 the lesion stays whole.
        min_side: least side of a crop in pixels, so that a small lesion is not blown up
            to a blur.
        min_tissue: least share of a background's pixels brighter than `dark_thr`.
        dark_thr: grey value, 0..255, up to which a pixel counts as black surround.
        max_attempts: places tried for a background, 1 or more.
    Raises:
        InputError: if an image has not the size that its annotation file says.
    """

    def __init__(
        self,
        scale: int,
        context_range: tuple[float, float] = (1.2, 2.5),
        max_shift: float = 0.1,
        min_side: int = 32,
        min_tissue: float = 0.6,
        dark_thr: int = 4,
        max_attempts: int = 20,
    ) -> None:
        low, high = context_range
        if not (0 < low <= high and max_shift >= 0 and min_side >= 1 and max_attempts >= 1):
            raise ValueError(
                f'RandomLesionCrop: found context_range={context_range}, max_shift={max_shift}, '
                f'min_side={min_side}, max_attempts={max_attempts}; expected an ascending range '
                'above 0, 0 or more, and twice 1 or more; correct the pipeline'
            )
        self.scale = scale
        self.context_range = context_range
        self.max_shift = max_shift
        self.min_side = min_side
        self.min_tissue = min_tissue
        self.dark_thr = dark_thr
        self.max_attempts = max_attempts

    def transform(self, results: dict) -> dict:
        """Replace `img` by the crop, `img_shape` by its (height, width)."""
        img = results['img']
        _check_size(results)
        left, top, side = (
            self.around(results['box'], img.shape[:2])
            if results['box'] is not None
            else self.beside(results['avoid'], results['free'], results['side'], img)
        )
        crop = img[top : top + side, left : left + side]
        results['img'] = mmcv.imresize(crop, (self.scale, self.scale))
        results['img_shape'] = (self.scale, self.scale)
        return results

    def around(self, box: tuple[float, float, float, float], shape: tuple[int, int]) -> Square:
        """A random square around the xyxy `box` in an image of `shape` (height, width)."""
        x0, y0, x1, y1 = box
        side = self._side(max(x1 - x0, y1 - y0), min(shape))
        shift_x, shift_y = (random.uniform(-self.max_shift, self.max_shift) for _ in range(2))
        left = (x0 + x1) / 2 + shift_x * (x1 - x0) - side / 2
        top = (y0 + y1) / 2 + shift_y * (y1 - y0) - side / 2
        height, width = shape
        return _clipped(left, width - side), _clipped(top, height - side), side

    def beside(
        self, avoid: list[tuple], free: Square, lesion_side: float, img: np.ndarray
    ) -> Square:
        """A random square that overlaps none of the boxes `avoid`.

        Sides shrink from attempt to attempt, down to `min_side`. If no place has enough
        tissue, the one with the most is taken, the largest `free` square among them.
        """
        height, width = img.shape[:2]
        brighter = tissue_integral(img, self.dark_thr)
        largest = self._side(lesion_side, min(height, width, free[2]))
        smallest = min(self.min_side, largest)
        best = free[0], free[1], largest
        best_share = share_inside(brighter, (*best, largest))
        for attempt in range(self.max_attempts):
            side = round(largest * (smallest / largest) ** (attempt / self.max_attempts))
            left, top = random.randint(0, width - side), random.randint(0, height - side)
            if any(overlap((left, top, side), box) for box in avoid):
                continue
            share = share_inside(brighter, (left, top, side, side))
            if share >= self.min_tissue:
                return left, top, side
            if share > best_share:
                best, best_share = (left, top, side), share
        return best

    def _side(self, lesion_side: float, room: int) -> int:
        return min(max(round(lesion_side * log_uniform(self.context_range)), self.min_side), room)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(scale={self.scale}, context_range={self.context_range}, '
            f'max_shift={self.max_shift}, min_side={self.min_side}, '
            f'min_tissue={self.min_tissue}, dark_thr={self.dark_thr}, '
            f'max_attempts={self.max_attempts})'
        )


def overlap(square: Square, box: tuple[float, float, float, float]) -> bool:
    """Whether a square and an xyxy box share any area."""
    left, top, side = square
    return left < box[2] and box[0] < left + side and top < box[3] and box[1] < top + side


def _clipped(start: float, last: int) -> int:
    return min(max(round(start), 0), last)


def _check_size(results: dict) -> None:
    height, width = results['img'].shape[:2]
    if (height, width) != (results['height'], results['width']):
        raise input_error(
            results['img_path'],
            f'{width}x{height} pixels',
            f'{results["width"]}x{results["height"]}, as its annotation file says',
            'prepare the data again',
        )
