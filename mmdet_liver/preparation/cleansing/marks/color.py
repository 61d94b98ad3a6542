"""Coloured pixels of a picture that is grey otherwise, or tinted as a whole.

Many scanners show B-mode in a tint (sepia, blue): then brightness fixes the colour, and
only what strays from that is coloured. The remains of colour that JPEG leaves are below
the limits here.
"""

import cv2
import numpy as np

_STRONG = 32  # distance from grey, grey levels, of a pixel that is coloured
_WEAK = 18  # of one that is if such a pixel is near
_REACH = 9  # pixels, side of the square that is near
_PALE = 10  # of a line that is long
_MIN_LINE, _THICK = 32, 6  # pixels
_LIT = 40  # grey levels from which on a pixel's colour counts
_SAMPLE = 12  # pixels, stride
_MIN_SAMPLE = 50
_FITS = 3
_TINT_LEFT = 0.2  # of the lit pixels that may stray from a tint
_MIN_TINT = 10  # grey levels between the channels of a tint at half the brightness


def split_color(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """What is bright and what is coloured.

    Args:
        image: (H, W) or (H, W, 3) BGR uint8.
    Returns:
        value (H, W) uint8, the highest channel, and colored (H, W) bool, or None if
        nothing is.
    """
    if image.ndim == 2:
        return image, None
    blue, green, red = cv2.split(image)
    value = cv2.max(cv2.max(blue, green), red)
    stray = cv2.subtract(value, cv2.min(cv2.min(blue, green), red))
    strong = stray >= _STRONG
    if not strong.any() or is_tinted(image, value):
        return value, None
    near = cv2.dilate(strong.view(np.uint8), np.ones((_REACH, _REACH), np.uint8))
    return value, near.view(bool) & (stray >= _WEAK) | _faint_lines(stray)


def _faint_lines(stray: np.ndarray) -> np.ndarray:
    # The box around a Doppler field: too pale for the limits, but long, straight and thin.
    pale = (stray >= _PALE).view(np.uint8)
    thick = cv2.morphologyEx(pale, cv2.MORPH_OPEN, np.ones((_THICK, _THICK), np.uint8))
    thin = pale & ~cv2.dilate(thick, np.ones((3, 3), np.uint8))
    sides = (np.ones(shape, np.uint8) for shape in ((1, _MIN_LINE), (_MIN_LINE, 1)))
    across, down = (cv2.morphologyEx(thin, cv2.MORPH_OPEN, side) for side in sides)
    return (across | down).view(bool)


def is_tinted(image: np.ndarray, value: np.ndarray) -> bool:
    """Whether the colour of nearly every pixel follows from its brightness, and is not grey.

    Args:
        image: (H, W, 3) BGR uint8.
        value: (H, W) uint8, its highest channel.
    """
    sample = np.s_[_SAMPLE // 2 :: _SAMPLE, _SAMPLE // 2 :: _SAMPLE]
    lit = value[sample] >= _LIT
    level = value[sample][lit] / 255.0  # (P,)
    colors = image[sample][lit] / 255.0  # (P, 3)
    if len(level) < _MIN_SAMPLE:
        return False
    powers = level[:, None] ** np.array([1, 2, 3])
    near = np.ones(len(level), bool)
    for _ in range(_FITS):  # again without what lies far from the first fit
        curve, *_ = np.linalg.lstsq(powers[near], colors[near], rcond=None)
        off = np.abs(powers @ curve - colors).max(axis=1)
        near = off < _STRONG / 255
        if near.mean() < 1 - _TINT_LEFT:
            return False
    middle = 0.5 ** np.array([1, 2, 3]) @ curve
    return bool(np.ptp(middle) >= _MIN_TINT / 255)
