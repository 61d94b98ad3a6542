"""A sheet that shows each ultrasound augmentation, weak and strong, on a few images.

Whoever tunes the ranges looks at it first: an image that no clinic would keep should not
be trained on.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmdet_liver.datasets.transforms import (
    RandomDepthGain,
    RandomGain,
    RandomGamma,
    RandomShadow,
    RandomSpeckle,
)
from mmdet_liver.images import read_image
from mmdet_liver.sheets import Group, Tile, draw_groups

# Both ends where a range has two directions; else a weak and the strongest.
LOOKS: dict[str, BaseTransform] = {
    'gain -6 dB': RandomGain(gain_range=(-6, -6)),
    'gain +6 dB': RandomGain(gain_range=(6, 6)),
    'gamma 0.7': RandomGamma(gamma_range=(0.7, 0.7)),
    'gamma 1.4': RandomGamma(gamma_range=(1.4, 1.4)),
    'depth gain, 5 dB lost': RandomDepthGain(slope_range=(-5, -5), slider_std=1),
    'depth gain, 15 dB lost': RandomDepthGain(slope_range=(-15, -15)),
    'shadow, weak': RandomShadow(
        loss_range=(8, 8), width_range=(0.03, 0.03), start_range=(0.3, 0.3)
    ),
    'shadow, strong': RandomShadow(
        loss_range=(30, 30), width_range=(0.12, 0.12), start_range=(0, 0)
    ),
    'speckle, weak': RandomSpeckle(sigma_range=(0.05, 0.05), grain_range=(1, 1)),
    'speckle, strong': RandomSpeckle(sigma_range=(0.15, 0.15), grain_range=(2, 2)),
}


def draw_augmentations(
    images: Sequence[str | Path], path: str | Path, *, seed: int = 0, side: int = 512
) -> int:
    """Draw each image as it is and with every look of LOOKS; the PNG appears whole or not at all.

    Args:
        images: files; no boxes are read, so a shadow may hide a lesion here.
        seed: of places, sliders and grains.
        side: longer side, in pixels, to which larger images are brought first.
    Returns:
        the number of pictures drawn.
    Raises:
        InputError: if a file is missing, no image, or damaged.
    """
    random.seed(seed)
    groups = [Group(_tiles(Path(image), side), heading=Path(image).name) for image in images]
    title = 'Ultrasound augmentations, weak and strong'
    draw_groups(groups, path, title=title, columns=4, tile_px=(280, 230))
    return sum(len(group.tiles) for group in groups)


def _tiles(path: Path, side: int) -> tuple[Tile, ...]:
    img = _at_most(read_image(path), side)
    looks = (
        Tile(transform({'img': img})['img'], caption=(name,)) for name, transform in LOOKS.items()
    )
    return (Tile(img, caption=('as it is',)), *looks)


def _at_most(img: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(img.shape[:2])
    if scale >= 1:
        return img
    size = max(1, round(img.shape[1] * scale)), max(1, round(img.shape[0] * scale))
    return cv2.resize(img, size, interpolation=cv2.INTER_AREA)
