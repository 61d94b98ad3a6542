"""Random views of an ultrasound image for metric learning: what MMPretrain and MMCV lack.

Images are (H, W) or (H, W, 3), uint8 or float of 0..255. In MMEngine's root registry, so
that a runner of any scope finds them. For a share of the images only, wrap them in MMCV's
`RandomApply`.
"""

import math
import random

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from mmdet_liver.datasets.transforms.ultrasound_effects import (
    add_speckle,
    apply_gamma,
    noise_field,
)

Box = tuple[int, int, int, int]


@TRANSFORMS.register_module()
class RandomTissueCrop(BaseTransform):
    """Random resized crop that shows tissue, not the black surround of the sector.

    Crops are drawn until one has enough tissue; after `max_attempts` the one with the
    most is taken, so that a dark image is no error.

    Args:
        scale: output size (height, width), or one number for both.
        crop_ratio_range: area of the crop as a share of the image.
        aspect_ratio_range: width / height of the crop before it is resized.
        min_tissue: least share of the crop's pixels brighter than `dark_thr`.
        dark_thr: grey value, 0..255, up to which a pixel counts as black surround.
        max_attempts: crops drawn at most, 1 or more.
    """

    def __init__(
        self,
        scale: int | tuple[int, int],
        crop_ratio_range: tuple[float, float] = (0.2, 1.0),
        aspect_ratio_range: tuple[float, float] = (3 / 4, 4 / 3),
        min_tissue: float = 0.6,
        dark_thr: int = 4,
        max_attempts: int = 10,
    ) -> None:
        low, high = crop_ratio_range
        narrow, wide = aspect_ratio_range
        ranges = 0 < low <= high <= 1 and 0 < narrow <= wide
        if not (ranges and 0 <= min_tissue <= 1 and max_attempts >= 1):
            raise ValueError(
                'expected ascending ranges above 0, crop_ratio_range up to 1, '
                '0 <= min_tissue <= 1, max_attempts >= 1; '
                f'got {crop_ratio_range}, {aspect_ratio_range}, {min_tissue}, {max_attempts}'
            )
        self.scale = (scale, scale) if isinstance(scale, int) else tuple(scale)
        self.crop_ratio_range = crop_ratio_range
        self.aspect_ratio_range = aspect_ratio_range
        self.min_tissue = min_tissue
        self.dark_thr = dark_thr
        self.max_attempts = max_attempts

    def transform(self, results: dict) -> dict:
        """Replace `img` by the crop, `img_shape` by its (height, width)."""
        img = results['img']
        left, top, width, height = self.choose(img)
        crop = img[top : top + height, left : left + width]
        results['img'] = mmcv.imresize(crop, self.scale[::-1])
        results['img_shape'] = self.scale
        return results

    def choose(self, img: np.ndarray) -> Box:
        """Left, top, width and height of a random crop, in pixels."""
        brighter = tissue_integral(img, self.dark_thr)
        best, best_share = (0, 0, img.shape[1], img.shape[0]), -1.0
        for _ in range(self.max_attempts):
            box = random_box(img.shape[:2], self.crop_ratio_range, self.aspect_ratio_range)
            share = share_inside(brighter, box)
            if share >= self.min_tissue:
                return box
            if share > best_share:
                best, best_share = box, share
        return best

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(scale={self.scale}, crop_ratio_range={self.crop_ratio_range}, '
            f'aspect_ratio_range={self.aspect_ratio_range}, min_tissue={self.min_tissue}, '
            f'dark_thr={self.dark_thr}, max_attempts={self.max_attempts})'
        )


@TRANSFORMS.register_module()
class RandomGamma(BaseTransform):
    """Another grey map: `255 * (img / 255) ** gamma`, as dynamic range differs by scanner.

    Args:
        gamma_range: drawn log-uniformly; below 1 brightens the dark parts.
    """

    def __init__(self, gamma_range: tuple[float, float] = (0.6, 1.6)) -> None:
        if not 0 < gamma_range[0] <= gamma_range[1]:
            raise ValueError(f'gamma_range must be positive and ascending, got {gamma_range}')
        self.gamma_range = gamma_range

    def transform(self, results: dict) -> dict:
        results['img'] = apply_gamma(results['img'], log_uniform(self.gamma_range))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(gamma_range={self.gamma_range})'


@TRANSFORMS.register_module()
class RandomSpeckle(BaseTransform):
    """Multiplicative noise of a random grain, the same in every channel; black stays black.

    Args:
        sigma_range: standard deviation of the factor around 1.
        grain_range: correlation length of the noise, in pixels.
    """

    def __init__(
        self,
        sigma_range: tuple[float, float] = (0.05, 0.25),
        grain_range: tuple[float, float] = (1.0, 3.0),
    ) -> None:
        if not (0 <= sigma_range[0] <= sigma_range[1] and 1 <= grain_range[0] <= grain_range[1]):
            raise ValueError(
                'expected ascending ranges, sigma_range from 0 and grain_range from one pixel; '
                f'got {sigma_range} and {grain_range}'
            )
        self.sigma_range = sigma_range
        self.grain_range = grain_range

    def transform(self, results: dict) -> dict:
        img = results['img']
        sigma, grain = random.uniform(*self.sigma_range), random.uniform(*self.grain_range)
        # MMEngine seeds the standard generator in every worker; NumPy's own streams hang on it.
        noise = noise_field(img.shape[:2], grain, seed=random.getrandbits(64))
        results['img'] = add_speckle(img, noise, sigma)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(sigma_range={self.sigma_range}, grain_range={self.grain_range})'
        )


def tissue_integral(img: np.ndarray, dark_thr: int) -> np.ndarray:
    """(H + 1, W + 1) integral image of the pixels brighter than `dark_thr`."""
    grey = img if img.ndim == 2 else img[..., 1]  # B-mode is grey: one channel tells
    return cv2.integral((grey > dark_thr).astype(np.uint8))


def share_inside(integral: np.ndarray, box: Box) -> float:
    """Share of the box's pixels that the integral image counts."""
    x, y, width, height = box
    corners = integral[[y + height, y, y, y + height], [x + width, x, x + width, x]]
    count = int(corners[0]) + int(corners[1]) - int(corners[2]) - int(corners[3])
    return count / (width * height)


def random_box(
    shape: tuple[int, int], area_range: tuple[float, float], aspect_range: tuple[float, float]
) -> Box:
    """Random box (left, top, width, height) inside an image of `shape` (height, width).

    Area (a share of the image) is uniform, width / height log-uniform; sides that would
    not fit are cut to the image.
    """
    image_height, image_width = shape
    area = random.uniform(*area_range) * image_height * image_width
    aspect = log_uniform(aspect_range)
    width = min(image_width, max(1, round(math.sqrt(area * aspect))))
    height = min(image_height, max(1, round(math.sqrt(area / aspect))))
    left, top = random.randint(0, image_width - width), random.randint(0, image_height - height)
    return left, top, width, height


def log_uniform(low_high: tuple[float, float]) -> float:
    low, high = low_high
    return math.exp(random.uniform(math.log(low), math.log(high)))
