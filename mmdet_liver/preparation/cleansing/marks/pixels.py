"""Pixels and the steps between them, for masks whose pixels are few."""

from dataclasses import dataclass

import cv2
import numpy as np

_NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)


@dataclass(frozen=True, eq=False)
class Outline:
    """Every step from marked pixels to what lies around them, (K,) each: from `inner`, an index
    of the pixels, to `outer`, a flat index; what lies outside the image is no such place.
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


def square(size: int) -> np.ndarray:
    return np.ones((size, size), np.uint8)
