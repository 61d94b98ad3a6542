"""Calipers: crosses `+` and `x`, and the dotted or solid line from one cross to another.

A cross is found by its shape alone: every pixel of its arms is brighter than the ground
between them, which speckle and vessel walls do not achieve in two directions at once.
"""

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.relief import Relief

_STRONG = 75  # grey levels from the arms to the ground between them
_WEAK = 30  # enough for a cross of the same ink as a strong one
_MAX_UNEVEN = 0.3  # of its level, what the darkest pixel of the arms may lack
_LONGEST_ARM = 2.5  # pens
_MAX_CROSSES = 16  # more are no calipers, and their pairs would be too many
_PLUS = ((0, 1), (1, 0), (0, -1), (-1, 0))
_TIMES = ((1, 1), (1, -1), (-1, -1), (-1, 1))
_SAME_INK = 16  # grey levels between marks of one ink
_MIN_DOT, _MIN_CLEAR_DOT = 25, 50  # contrast of a dot of a line, grey levels
_DOTTED_SHARE = 0.75  # of a line that has dots around


@dataclass(frozen=True)
class Cross:
    """Centre (x, y) in pixels, `reach` of the arms, brightness of the ink."""

    x: int
    y: int
    reach: int
    level: int
    arms: tuple[tuple[int, int], ...]  # directions (dy, dx)


def find_crosses(relief: Relief, bright: np.ndarray) -> list[Cross]:
    """The crosses of an image, the clearest first.

    Args:
        bright: (P,) flat indices of pixels among which the centres of clear crosses are.
    """
    strong = _crosses_at(relief, bright, round(_STRONG * relief.coarseness))
    if not strong:
        return []
    same_ink = np.zeros(256, np.uint8)
    for level in {cross.level for cross in strong}:
        same_ink[max(level - _SAME_INK, 0) : level + _SAME_INK] = 1
    alike = cv2.LUT(relief.value, same_ink).view(bool) & (relief.height >= _WEAK)
    weak = _crosses_at(relief, np.flatnonzero(alike), _WEAK)
    fitting = [w for w in weak if any(abs(w.reach - s.reach) <= 2 for s in strong)]
    return _apart(strong + fitting)


def cross_scores(value: np.ndarray, points: np.ndarray, arm: int, arms: tuple) -> np.ndarray:
    """How much like a cross the surroundings of each point look.

    Args:
        value: (H, W) uint8.
        points: (P,) int, flat indices.
        arm: length of an arm in pixels.
        arms: `_PLUS` or `_TIMES`.
    Returns:
        (P,) int, the darkest pixel of the arms minus the second brightest of the four
        places between their ends (a digit, or the line to the other cross, may lie in one).
    """
    others = _TIMES if arms is _PLUS else _PLUS
    wide = cv2.copyMakeBorder(value, arm, arm, arm, arm, cv2.BORDER_CONSTANT, value=0)
    flat, columns = wide.ravel(), wide.shape[1]
    centre = (points // value.shape[1] + arm) * columns + points % value.shape[1] + arm

    def at(directions: tuple, step: int) -> np.ndarray:
        return flat[centre + np.array([[step * (dy * columns + dx)] for dy, dx in directions])]

    darkest = flat[centre]
    for step in range(arm, 0, -1):
        darkest = np.minimum(darkest, at(arms, step).min(axis=0))
    between = np.sort(at(others, arm), axis=0)
    return darkest.astype(int) - between[-2]


def trace_line(relief: Relief, start: Cross, end: Cross) -> np.ndarray | None:
    """Pixels (P, 2) as (y, x) of the dots or the line between two crosses; None without one."""
    length = float(np.hypot(end.x - start.x, end.y - start.y))
    first, last = start.reach + 1, length - end.reach - 1
    if last - first < relief.pen:
        return None
    along = np.arange(first, last + 0.5)  # (S,)
    unit = np.array([end.y - start.y, end.x - start.x]) / length
    across = np.array([[-unit[1]], [unit[0]]]) * np.arange(-1, 2)  # (2, 3)
    origin = np.array([start.y, start.x])
    places = origin[:, None, None] + across[:, :, None] + unit[:, None, None] * along
    ys, xs = np.rint(places).astype(int)  # (3, S) each
    contrast = relief.contrast[ys, xs]
    best = contrast.argmax(axis=0), np.arange(len(along))
    ink = (start.level + end.level) // 2
    if not _is_line(contrast[best], relief.value[ys, xs][best].astype(int), ink, relief.pen):
        return None
    drawn = contrast >= np.maximum(contrast.max(axis=0) * 0.5, _MIN_DOT)
    return np.stack([ys[drawn], xs[drawn]], axis=1)


def draw_calipers(relief: Relief, crosses: list[Cross]) -> np.ndarray:
    """(H, W) bool, the pixels of crosses and of the lines between them."""
    mask = np.zeros(relief.value.shape, bool)
    for cross in crosses:
        _draw_cross(mask, relief, cross)
    for start, end in combinations(crosses, 2):
        line = trace_line(relief, start, end)
        if line is not None:
            mask[line[:, 0], line[:, 1]] = True
    return mask


def _is_line(contrast: np.ndarray, levels: np.ndarray, ink: int, pen: int) -> bool:
    # Dots all along (those on bright ground may be lost): of the crosses' ink, or, far
    # clearer, of one ink of their own, since some scanners draw the second axis darker.
    dots = (contrast >= _MIN_DOT) & (np.abs(levels - ink) <= _SAME_INK)
    if not _all_along(dots, pen):
        clear = contrast >= _MIN_CLEAR_DOT
        own = np.median(levels[clear]) if clear.any() else 0
        dots = clear & (np.abs(levels - own) <= _SAME_INK // 2)
        least = max(0.75 * clear.sum(), len(dots) / pen, 5)
        return _all_along(dots, pen) and dots.sum() >= least
    return True


def _all_along(dots: np.ndarray, pen: int) -> bool:
    near = np.convolve(dots, np.ones(2 * pen - 1))[pen - 1 :][: len(dots)] > 0
    return bool(dots.sum() >= 3 and near.mean() >= _DOTTED_SHARE)


def _crosses_at(relief: Relief, points: np.ndarray, lowest: int) -> list[Cross]:
    found = []
    for arms in (_PLUS, _TIMES):
        scores = cross_scores(relief.value, points, relief.pen // 2, arms)
        good = np.flatnonzero(scores >= lowest)
        places = np.stack(np.divmod(points[good], relief.value.shape[1]), axis=1)
        for i in _peaks(places, scores[good], relief.pen // 2):
            cross = _measured(relief, *map(int, places[i]), arms)
            found += [(int(scores[good][i]), cross)] if cross else []
    return [cross for _, cross in sorted(found, key=lambda f: -f[0])]


def _peaks(places: np.ndarray, scores: np.ndarray, apart: int) -> list[int]:
    # A thick cross has several centres; the best of them stands for it.
    waiting = np.argsort(-scores, kind='stable')
    peaks = []
    while len(waiting) and len(peaks) < 4 * _MAX_CROSSES:
        peaks.append(int(waiting[0]))
        away = np.abs(places[waiting] - places[waiting[0]]).max(axis=1) > apart
        waiting = waiting[away]
    return peaks


def _measured(relief: Relief, y: int, x: int, arms: tuple) -> Cross | None:
    level = int(relief.value[y, x])
    reach = [_reach(relief, y, x, arm, level) for arm in arms]
    # Bright tissue may lengthen an arm, nothing shortens it.
    shortest, usual = sorted(reach)[:2]
    if shortest < relief.pen // 2 or usual > _LONGEST_ARM * relief.pen:
        return None
    return Cross(x, y, usual, level, arms)


def _reach(relief: Relief, y: int, x: int, arm: tuple[int, int], level: int) -> int:
    height, width = relief.value.shape
    for step in range(1, 4 * relief.pen):
        v, u = y + step * arm[0], x + step * arm[1]
        inside = 0 <= v < height and 0 <= u < width
        if not inside or relief.value[v, u] < level * (1 - _MAX_UNEVEN):
            return step - 1
    return 4 * relief.pen


def _apart(crosses: list[Cross]) -> list[Cross]:
    # Where a plus and a times overlap, or a weak one and a strong one, the first is it.
    kept: list[Cross] = []
    for cross in crosses:
        if all(max(abs(cross.x - k.x), abs(cross.y - k.y)) > cross.reach for k in kept):
            kept.append(cross)
    return kept[:_MAX_CROSSES]


def _draw_cross(mask: np.ndarray, relief: Relief, cross: Cross) -> None:
    # What is as bright as the arms and lies on them, a pen wide.
    half = max(1, relief.pen // 4)
    steps = np.arange(cross.reach + 1)[:, None, None, None]
    brush = np.stack(np.mgrid[-half : half + 1, -half : half + 1], axis=-1).reshape(-1, 2)
    places = np.array([cross.y, cross.x]) + steps * np.array(cross.arms)[:, None] + brush
    ys, xs = places.reshape(-1, 2).T
    inside = (ys >= 0) & (ys < mask.shape[0]) & (xs >= 0) & (xs < mask.shape[1])
    ys, xs = ys[inside], xs[inside]
    level = relief.value[ys, xs]
    drawn = (level >= (1 - _MAX_UNEVEN) * cross.level) & (level <= cross.level + _SAME_INK)
    mask[ys[drawn], xs[drawn]] = True
