"""Which strokes are ink: letters and digits, logos, rulers, body marks, arrows.

First those that no tissue resembles, then their neighbours of about the same brightness.
"""

import numpy as np

from mmdet_liver.preparation.cleansing.marks.relief import Relief
from mmdet_liver.preparation.cleansing.marks.strokes import Strokes

_MIN_HEIGHT = 60  # grey levels of a stroke over its ground
_SURE_AREA = 12  # pixels of a stroke that counts without a neighbour
_SURE_SHARP, _SURE_ENDS = 0.78, 0.5  # shares of the outline, as in `Strokes`
_SURE_SHARP_AT_EDGE = 0.9  # the picture itself ends sharply
_HIGH_SHARP, _HIGH_ENDS = 0.62, 0.4  # of a stroke twice as high
_WORD_SHARP, _MIN_WORD = 0.45, 3  # of letters in a row; letters
_NEAR_HEIGHT = 40  # of a stroke next to ink
_NEAR_SHARP, _NEAR_SHARP_UPRIGHT, _NEAR_SHARP_FLAT = 0.75, 0.5, 0.9
_THIN = 5  # pixels left of a layer of tissue that the image or the picture ends in
_LETTER = 40  # pixels, the longer side
_ON_BLACK, _ON_TISSUE = 0.1, 0.9  # share of lit ground below and above which it is all of one
_MIN_TICKS, _TICK = 5, 3  # ticks of a ruler; pixels across a tick
_MAX_STROKES = 2000  # more are a page of text, and not compared with each other


def find_ink(strokes: Strokes, relief: Relief, known: np.ndarray) -> np.ndarray:
    """(N,) bool, which strokes are ink: by themselves, or by the ink next to them.

    Args:
        relief: of the image that the strokes are of.
        known: (H, W) bool, ink found already.
    """
    least, layer = _MIN_HEIGHT * relief.coarseness, _is_layer(strokes, relief.pen)
    sure = is_sure(strokes, least) & ~layer
    sure |= on_ruler(strokes, least) | (strokes.share_in(known) >= 0.5)
    sure |= in_word(strokes, least, sure)
    sharp = np.where(_upright(strokes), _NEAR_SHARP_UPRIGHT, _NEAR_SHARP)
    sharp[strokes.wide > 3 * strokes.tall] = _NEAR_SHARP_FLAT
    high = strokes.height >= _NEAR_HEIGHT * relief.coarseness
    likely = high & (strokes.sharp >= sharp) & ~layer
    if np.count_nonzero(sure | likely) > _MAX_STROKES:
        return sure
    return _grow(strokes, sure, likely, 2 * relief.pen)


def is_sure(strokes: Strokes, least: float) -> np.ndarray:
    """(N,) bool, which strokes are ink without looking at others."""
    on_black, on_tissue = strokes.lit < _ON_BLACK, strokes.lit > _ON_TISSUE
    lowest = np.minimum(strokes.sharp, strokes.sharp_lit)
    sharp = (lowest >= _SURE_SHARP) & (strokes.sharp_ends >= _SURE_ENDS)
    sharp |= on_black & (strokes.sharp >= _SURE_SHARP)
    # Letters that touch something bright: tissue so high and so sharp lies in flat layers.
    high = (strokes.height >= 2 * least) & _upright(strokes) & (strokes.longer <= 2 * _LETTER)
    sharp |= high & (lowest >= _HIGH_SHARP) & (strokes.sharp_ends >= _HIGH_ENDS)
    # Where the picture ends in black, every bright spot is sharp on that side.
    sharp &= on_black | on_tissue | high | _clear_at_edge(strokes)
    large = (strokes.area >= _SURE_AREA) & (strokes.height >= least)
    return large & sharp & ~_cut_off(strokes)


def on_black_ground(strokes: Strokes) -> np.ndarray:
    """(N,) bool, which strokes have the height of letters, and black all around."""
    return (strokes.lit < _ON_BLACK) & (strokes.tall >= 6)


def in_word(strokes: Strokes, least: float, sure: np.ndarray) -> np.ndarray:
    """(N,) bool, which strokes are letters of one height and brightness in a row.

    Args:
        sure: (N,) bool, which are known to be ink; if all are, none is looked for.
    """
    high = (strokes.height >= 2 * least) & _upright(strokes)
    likely = high & (strokes.sharp >= _WORD_SHARP)
    if not (likely & ~sure).any():
        return np.zeros(len(strokes), bool)
    return row_sizes(strokes, likely, exact=True) >= _MIN_WORD


def on_ruler(strokes: Strokes, least: float) -> np.ndarray:
    """(N,) bool, which strokes are ticks: small, of one ink, in line and evenly spaced."""
    x0, y0, x1, y1 = strokes.boxes.T
    small = (strokes.sharp >= _SURE_SHARP_AT_EDGE) & (strokes.height >= least)
    small &= (strokes.longer >= 3) & (strokes.longer <= 16)
    small &= np.minimum(strokes.wide, strokes.tall) <= _TICK
    found = np.zeros(len(strokes), bool)
    for edge, position in ((x0, y0), (x1, y0), (y0, x0), (y1, x0)):
        for place in np.flatnonzero(np.bincount(edge[small]) >= _MIN_TICKS):
            ticks = np.flatnonzero(small & (edge == place))
            if _is_scale(position[ticks], strokes.level[ticks]):
                found[ticks] = True
    return found


def row_sizes(strokes: Strokes, chosen: np.ndarray, *, exact: bool = False) -> np.ndarray:
    """(N,) int, how many of the chosen strokes form a row of letters with each; 0 for others.

    Args:
        exact: whether only letters of one brightness, height and baseline form a row.
    """
    letters = np.flatnonzero(chosen & (strokes.tall >= 6))
    if len(letters) > _MAX_STROKES:
        return np.full(len(strokes), 0 if exact else _MIN_WORD)
    x0, y0, x1, y1 = strokes.boxes[letters].T.astype(np.int32)
    tall = y1 - y0
    lower, taller = np.minimum.outer(tall, tall), np.maximum.outer(tall, tall)
    beside = np.minimum.outer(y1, y1) - np.maximum.outer(y0, y0) >= 0.6 * lower
    gap = np.maximum.outer(x0, x0) - np.minimum.outer(x1, x1)
    linked = beside & (lower >= 0.6 * taller) & (gap <= taller)
    if exact:
        level = strokes.level[letters]
        linked &= np.abs(np.subtract.outer(level, level)) <= 16
        linked &= np.abs(np.subtract.outer(y1, y1)) <= 1
        linked &= taller - lower <= 2
    row = np.arange(len(letters))
    while len(letters):
        joined = np.where(linked, row[None], len(letters)).min(axis=1)
        if (joined == row).all():
            break
        row = joined[joined]  # twice as far in one go
    sizes = np.zeros(len(strokes), int)
    sizes[letters] = np.bincount(row, minlength=len(letters))[row]
    return sizes


def _is_scale(position: np.ndarray, level: np.ndarray) -> bool:
    gaps = np.diff(np.sort(position))
    usual = max(np.median(gaps), 1)
    off = np.abs(gaps - usual * np.rint(gaps / usual))
    return usual >= 4 and off.max() <= max(1, 0.1 * usual) and np.ptp(level) <= 24


def _clear_at_edge(strokes: Strokes) -> np.ndarray:
    thick = np.minimum(strokes.wide, strokes.tall) >= _THIN
    clear = (strokes.longer <= _LETTER) | (strokes.sharp_ends >= _SURE_SHARP_AT_EDGE)
    return (strokes.sharp >= _SURE_SHARP_AT_EDGE) & thick & clear


def _upright(strokes: Strokes) -> np.ndarray:
    return (strokes.tall >= 7) & (2 * strokes.tall >= strokes.wide)


def _is_layer(strokes: Strokes, pen: int) -> np.ndarray:
    # The skin, or the face of the probe: as sharp as a line, but wider than any letter.
    return (strokes.wide > 6 * pen) & (strokes.wide > 8 * strokes.tall)


def _cut_off(strokes: Strokes) -> np.ndarray:
    # A bright layer of tissue that the image's border cuts looks like a line.
    rows, columns = strokes.shape
    x0, y0, x1, y1 = strokes.boxes.T
    above_or_below = ((y0 == 0) | (y1 == rows)) & (strokes.tall < _THIN)
    beside = ((x0 == 0) | (x1 == columns)) & (strokes.wide < _THIN)
    return above_or_below | beside


def _grow(strokes: Strokes, sure: np.ndarray, likely: np.ndarray, reach: int) -> np.ndarray:
    # From one stroke to the next, however long the word.
    found = sure.copy()
    waiting, fresh = np.flatnonzero(likely & ~sure), np.flatnonzero(sure)
    while len(fresh) and len(waiting):
        a, b = strokes.boxes[waiting][:, None], strokes.boxes[fresh][None]
        gap = np.maximum(a[..., :2] - b[..., 2:], b[..., :2] - a[..., 2:]).max(axis=-1)
        level, of = strokes.level[waiting][:, None], strokes.level[fresh][None]
        height, over = strokes.height[waiting][:, None], strokes.height[fresh][None]
        alike = (level <= of + 16) & (level >= 0.8 * of) & (height >= 0.4 * over)
        alike |= strokes.lit[waiting][:, None] < _ON_BLACK  # dots and slashes are fainter
        next_to = ((gap <= reach) & alike).any(axis=1)
        fresh = waiting[next_to]
        found[fresh] = True
        waiting = waiting[~next_to]
    return found
