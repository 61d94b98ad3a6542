"""Scale bars beside the picture: the grey or coloured ramp that says what a level means."""

import cv2
import numpy as np

_CELL = 4  # pixels of the coarse image in which bars are looked for
_LIT = 16
_MAX_WIDTH = 0.08  # of the image's shorter side
_MIN_LENGTH = 0.08  # of the image's longer side
_MIN_ASPECT = 3
_MIN_FILLED = 0.5  # of the fullest column; a line of text has less
_STRIDE = 5  # rows over which a ramp must rise, more than noise does
_MAX_UNEVEN = 16  # grey levels across the bar
_MIN_RISING = 0.85  # of the steps along it
_MIN_RANGE = 80  # grey levels from one end to the other

Box = tuple[int, int, int, int]


def find_bars(value: np.ndarray) -> list[Box]:
    """Upright bars on black ground as boxes xyxy, far edge exclusive.

    Args:
        value: (H, W) uint8.
    """
    if min(value.shape) < _MIN_ASPECT * _CELL:
        return []
    rows, columns = (n // _CELL * _CELL for n in value.shape)
    coarse = cv2.resize(
        value[:rows, :columns], (columns // _CELL, rows // _CELL), interpolation=cv2.INTER_AREA
    )
    lit = (coarse >= _LIT // 2).view(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(lit, connectivity=8)
    _, _, width, height, _ = stats[1:].T
    likely = (height >= _MIN_LENGTH * max(value.shape) / _CELL - 2) & (height >= 2 * width)
    likely &= width <= _MAX_WIDTH * min(value.shape) / _CELL + 2
    found = stats[1:, :4][likely] * _CELL
    boxes = [_bar(value, *map(int, box)) for box in found]
    return [box for box in boxes if box]


def _bar(value: np.ndarray, x: int, y: int, width: int, height: int) -> Box | None:
    x0, y0 = max(x - _CELL, 0), max(y - _CELL, 0)
    box = _ramp(value[y0 : y + height + _CELL, x0 : x + width + _CELL])
    if box is None:
        return None
    x1, y1 = x0 + box[2], min(y0 + box[3], value.shape[0])
    return x0 + box[0], max(y0 + box[1], 0), x1, y1


def _ramp(window: np.ndarray) -> Box | None:
    # The ramp in a window: first column and row, and past the last ones.
    filled = (window >= _LIT).mean(axis=0)
    if filled.max() < _MIN_FILLED:
        return None
    columns = np.flatnonzero(filled >= 0.5 * filled.max())
    if len(columns) < 3 or np.ptp(columns) >= len(columns):
        return None
    bar = window[:, columns[0] : columns[-1] + 1].astype(int)
    edge = (len(columns) - 1) // 4  # columns of a frame, or blurred
    inner = bar[:, edge : len(columns) - edge]
    rows = np.flatnonzero(np.median(inner, axis=1) >= _LIT)
    if len(rows) < _MIN_ASPECT * len(columns):
        return None
    level = np.median(inner[rows], axis=1)
    even = np.mean(np.ptp(inner[rows], axis=1) <= _MAX_UNEVEN)
    if even < 0.85 or not _rises_one_way(level):
        return None
    before, after = _dark_end(level)
    return (
        int(columns[0]), int(rows[0] - before), int(columns[-1] + 1), int(rows[-1] + 1 + after)
    )  # fmt: skip


def _rises_one_way(level: np.ndarray) -> bool:
    steps = level[_STRIDE:] - level[:-_STRIDE]
    steps = steps[steps != 0]
    rising = np.mean(steps > 0) if len(steps) >= 8 else 0.5
    return max(rising, 1 - rising) >= _MIN_RISING and np.ptp(level) >= _MIN_RANGE


def _dark_end(level: np.ndarray) -> tuple[int, int]:
    # Rows before and after in which a ramp that goes on fades to black.
    more = int(np.ceil(level.min() * len(level) / np.ptp(level)))
    return (0, more) if level[0] > level[-1] else (more, 0)
