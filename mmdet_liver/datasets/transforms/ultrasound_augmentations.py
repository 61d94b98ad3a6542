"""Random changes of gain, depth gain and acoustic shadow: thin adaptors of `ultrasound_effects`.

They change the look alone: boxes, masks and sizes stay. In MMEngine's root registry, so
that detection and pretraining find them; for a share of the images only, wrap them in
MMCV's `RandomApply`. Put them before crops and rotations: they look for the whole sector, and
depth has to run downwards. Images are (H, W) or (H, W, 3), uint8 or float of 0..255.
"""

import math
import random
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS

from mmdet_liver.datasets.transforms.field_of_view import ScanLines, scan_lines
from mmdet_liver.datasets.transforms.ultrasound_effects import add_decibels, depth_gain, shadow
from mmdet_liver.errors import input_error

Range = tuple[float, float]


@TRANSFORMS.register_module()
class RandomGain(BaseTransform):
    """Another setting of the gain knob.

    Args:
        gain_range: in decibels; 60 of them span black to white.
    """

    def __init__(self, gain_range: Range = (-6.0, 6.0)) -> None:
        self.gain_range = _ascending('gain_range', gain_range)

    def transform(self, results: dict) -> dict:
        results['img'] = add_decibels(results['img'], random.uniform(*self.gain_range))
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(gain_range={self.gain_range})'


@TRANSFORMS.register_module()
class RandomDepthGain(BaseTransform):
    """Gain that is wrong along the depth: attenuation, and sliders of the time gain compensation.

    Depth runs along the scan lines, which are estimated from the sector's outline.

    Args:
        slope_range: decibels at the bottom of the sector against the probe; below 0 darkens
            the far field, as a fatty liver does.
        slider_std: standard deviation of each slider around its right place, in decibels.
        num_sliders: along the whole depth, 2 or more.
    """

    def __init__(
        self, slope_range: Range = (-15.0, 6.0), slider_std: float = 2.0, num_sliders: int = 8
    ) -> None:
        self.slope_range = _ascending('slope_range', slope_range)
        if slider_std < 0 or num_sliders < 2:
            raise input_error(
                'RandomDepthGain',
                f'slider_std={slider_std}, num_sliders={num_sliders}',
                'at least 0 decibels, at least 2 sliders',
                'correct them',
            )
        self.slider_std, self.num_sliders = slider_std, num_sliders

    def transform(self, results: dict) -> dict:
        img = results['img']
        slope = random.uniform(*self.slope_range)
        sliders = np.array([random.gauss(0, self.slider_std) for _ in range(self.num_sliders)])
        decibels = depth_gain(scan_lines(img).depth, slope, sliders)
        results['img'] = add_decibels(img, _full_size(decibels, img))
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(slope_range={self.slope_range}, '
            f'slider_std={self.slider_std}, num_sliders={self.num_sliders})'
        )


@TRANSFORMS.register_module()
class RandomShadow(BaseTransform):
    """An acoustic shadow along the scan lines: a wedge below a curved array, a band below a
    linear one.

    A shadow that would hide a lesion is drawn again, and left out after `max_attempts`: a
    box on what nobody can see teaches the network to guess. Boxes are read from
    `gt_bboxes`, if there are any; those to be ignored count as well.

    Args:
        loss_range: decibels lost in the middle of the shadow, 0 or more.
        width_range: half its width, as a share of the scan lines, above 0.
        start_range: where it begins, as a share of the depth; 0 at the probe.
        max_lesion_loss: decibels that any box may lose, the mean over its pixels.
        max_attempts: shadows drawn at most, 1 or more.
    """

    def __init__(
        self,
        loss_range: Range = (8.0, 30.0),
        width_range: Range = (0.03, 0.12),
        start_range: Range = (0.0, 0.3),
        max_lesion_loss: float = 6.0,
        max_attempts: int = 5,
    ) -> None:
        self.loss_range = _ascending('loss_range', loss_range, least=0)
        self.width_range = _ascending('width_range', width_range, least=1e-3)
        self.start_range = _ascending('start_range', start_range, least=0)
        if max_lesion_loss < 0 or max_attempts < 1:
            raise input_error(
                'RandomShadow',
                f'max_lesion_loss={max_lesion_loss}, max_attempts={max_attempts}',
                'at least 0 decibels, at least 1 attempt',
                'correct them',
            )
        self.max_lesion_loss, self.max_attempts = max_lesion_loss, max_attempts

    def transform(self, results: dict) -> dict:
        img = results['img']
        lines, boxes = scan_lines(img), _boxes(results)
        for _ in range(self.max_attempts):
            decibels = self._draw(lines)
            if highest_loss(decibels, boxes, img.shape[:2]) <= self.max_lesion_loss:
                results['img'] = add_decibels(img, _full_size(decibels, img))
                break
        return results

    def _draw(self, lines: ScanLines) -> np.ndarray:
        return shadow(
            lines.lateral,
            lines.depth,
            place=random.random(),
            width=random.uniform(*self.width_range),
            start=random.uniform(*self.start_range),
            loss=random.uniform(*self.loss_range),
        )

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(loss_range={self.loss_range}, width_range={self.width_range}, '
            f'start_range={self.start_range}, max_lesion_loss={self.max_lesion_loss}, '
            f'max_attempts={self.max_attempts})'
        )


def highest_loss(decibels: np.ndarray, boxes: np.ndarray, shape: tuple[int, int]) -> float:
    """The most that a box loses, in decibels, the mean over its pixels; 0 without boxes.

    Args:
        decibels: (h, w) map over the whole image, on a grid of its own.
        boxes: (B, 4) xyxy in pixels of the image, which may reach beyond it.
        shape: (height, width) of the image.
    """
    height, width = decibels.shape
    per_cell = np.array([width / shape[1], height / shape[0]] * 2)
    losses = [0.0]
    for x0, y0, x1, y1 in (boxes * per_cell).tolist():
        # Never empty: at least the cell in which the box begins.
        left, top = min(max(int(x0), 0), width - 1), min(max(int(y0), 0), height - 1)
        right, bottom = max(math.ceil(x1), left + 1), max(math.ceil(y1), top + 1)
        losses.append(-float(decibels[top:bottom, left:right].mean()))
    return max(losses)


def _boxes(results: dict) -> np.ndarray:
    """(B, 4) xyxy of `gt_bboxes`, MMDetection's boxes or an array."""
    boxes: Any = results.get('gt_bboxes')
    if boxes is None:
        return np.zeros((0, 4))
    return np.asarray(getattr(boxes, 'tensor', boxes), np.float64).reshape(-1, 4)


def _full_size(decibels: np.ndarray, img: np.ndarray) -> np.ndarray:
    return cv2.resize(decibels, img.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _ascending(name: str, low_high: Range, least: float = -math.inf) -> Range:
    low, high = low_high
    if not least <= low <= high < math.inf:
        raise input_error(
            name,
            repr(low_high),
            f'two finite numbers, at least {least:g}, the lower first',
            'correct the range',
        )
    return low, high
