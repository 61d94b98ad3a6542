"""Dotted lines and outlines, straight or gently bent, whether or not a cross ends them."""

import numpy as np

from mmdet_liver.preparation.cleansing.marks.relief import Relief
from mmdet_liver.preparation.cleansing.marks.strokes import Strokes

_MIN_DOTS = 6
_MAX_DOTS = 200  # more are specks
_SHARP, _HEIGHT = 0.85, 40
_SHARP_IF_HIGH, _HIGH = 0.5, 100
_NEAREST, _FARTHEST = 2.5, 1.6  # pixels, and pens, from one dot to the next
_OFF = 0.35  # of that distance, by which a dot may miss its place
_SAME_INK = 20  # grey levels


def find_dotted(strokes: Strokes, relief: Relief, known: np.ndarray) -> np.ndarray:
    """(N,) bool, which strokes are dots of lines: small, evenly spaced and of one ink.

    Args:
        known: (H, W) bool, lines found already; their dots are left out.
    """
    height = strokes.height / relief.coarseness
    sharp = np.where(height >= _HIGH, _SHARP_IF_HIGH, _SHARP)
    small = (strokes.longer <= relief.pen // 2 + 1) & (strokes.sharp >= sharp)
    small &= height >= _HEIGHT
    dots = np.flatnonzero(small & (strokes.share_in(known) < 0.5))
    found = np.zeros(len(strokes), bool)
    if _MIN_DOTS <= len(dots) <= _MAX_DOTS:
        x0, y0, x1, y1 = strokes.boxes[dots].T
        places = np.stack([x0 + x1 - 1, y0 + y1 - 1], axis=1) / 2
        chains = _chains(places, strokes.level[dots], relief.pen)
        found[dots[np.unique(chains)]] = True
    return found


def _chains(places: np.ndarray, level: np.ndarray, pen: int) -> np.ndarray:
    # (C, _MIN_DOTS) indices of dots, each of which lies about where the two before it point.
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    alike = np.abs(level[:, None] - level) <= _SAME_INK
    near = alike & (apart >= _NEAREST) & (apart <= _FARTHEST * pen)
    chains = np.stack(np.nonzero(near), axis=1)  # (C, 2)
    for _ in range(_MIN_DOTS - 2):
        before, last = chains[:, -2], chains[:, -1]
        expected = 2 * places[last] - places[before]
        off = np.linalg.norm(expected[:, None] - places, axis=-1)  # (C, N)
        allowed = _OFF * apart[before, last] + 0.5
        off[~near[last]] = np.inf
        following = off.argmin(axis=1)
        kept = off[np.arange(len(chains)), following] <= allowed
        chains = np.hstack([chains, following[:, None]])[kept]
    return chains
