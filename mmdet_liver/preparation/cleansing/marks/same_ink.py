"""More of an ink whose level is known: letters that touch tissue about as bright.

Where some of a word stands out clearly, the rest is found by its level alone: a graphic is
flat, and what lies beside it differs from one pixel to the next, to either side.
"""

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.pixels import (
    grown,
    mean_by,
    outline_of,
    padded,
    unpadded,
)
from mmdet_liver.preparation.cleansing.marks.relief import Relief

_TOLERANCE = 10  # grey levels within one ink
_STEP = 24  # grey levels from the ink to what lies beside it, at least
_MIN_SHARE, _MIN_SHARE_LETTER = 0.75, 0.6  # of the outline that has such a step
_MIN_CLEAR = 40  # pixels of ink from which its level is read
_MIN_CONTRAST = 60
_MIN_ALIKE = 0.3  # share of them within the tolerance
_MIN_AREA = 4
_LARGEST = 5  # pens, the longer side of a letter
_WIDEST, _WIDEST_LETTER = 2.5, 1.3  # times its height; layers of tissue lie flat
_LETTER = 8  # pixels, its height


def ink_level(relief: Relief, ink: np.ndarray) -> int | None:
    """Most frequent grey level of (H, W) bool `ink`; None if it has no such level."""
    levels = relief.value[ink & (relief.contrast >= _MIN_CONTRAST)]
    if len(levels) < _MIN_CLEAR:
        return None
    counts = np.bincount(levels, minlength=256)
    near = np.convolve(counts, np.ones(_TOLERANCE + 1), 'same')
    level = int(near.argmax())
    return level if near[level] >= _MIN_ALIKE * len(levels) else None


def more_ink(relief: Relief, ink: np.ndarray, level: int) -> np.ndarray:
    """(H, W) bool, what is drawn at that level next to (H, W) bool `ink`."""
    flat = cv2.inRange(relief.value, max(level - _TOLERANCE, 0), min(level + _TOLERANCE, 255))
    pixels, index = _clear_parts(relief, padded(flat & 1), level)
    found = ink.copy()
    while len(pixels):
        near = grown(found, 2 * relief.pen).ravel()
        touched = np.zeros(index.max() + 1, bool)
        touched[index[near[pixels]]] = True
        fresh = touched[index]
        if not fresh.any():
            break
        found.ravel()[pixels[fresh]] = True
        pixels, index = pixels[~fresh], index[~fresh]
    return found & ~ink


def _clear_parts(relief: Relief, flat: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
    # Pixels of the parts that might be letters and end clearly, and the part of each.
    count, labels, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=8)
    _, _, wide, tall, area = stats.T
    likely = (area >= _MIN_AREA) & (np.maximum(wide, tall) <= _LARGEST * relief.pen)
    likely &= wide <= _WIDEST * tall
    likely[0] = False
    labels = labels.ravel()
    pixels = np.flatnonzero(flat.view(bool))
    pixels = pixels[likely[labels[pixels]]]
    steps = outline_of(flat, pixels)
    beside = padded(relief.value).ravel()[steps.outer].astype(int)
    index = labels[pixels]
    clear = mean_by(index[steps.inner], np.abs(beside - level) >= _STEP, count)
    letter = (tall >= _LETTER) & (wide <= _WIDEST_LETTER * tall)
    kept = (clear >= np.where(letter, _MIN_SHARE_LETTER, _MIN_SHARE))[index]
    return unpadded(pixels[kept], flat.shape[1]), index[kept]
