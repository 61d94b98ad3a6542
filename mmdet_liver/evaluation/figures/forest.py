"""Rows of points with their intervals, in groups under headings, as forest plots have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from mmdet_liver.evaluation.figures.drawing import INK, strip_frame

ROW_IN = 0.27  # inches
_BEFORE, _AFTER = 0.25, -0.05  # rows left free about a heading


@dataclass(frozen=True)
class Row:
    """One row: `points` are (value, low, high, arguments of `plot`); NaN draws nothing.

    `note` stands on the right.
    """

    label: str
    points: tuple[tuple[float, float, float, dict], ...]
    note: str = ''


def rows_height(groups: Mapping[str, Sequence[Row]]) -> float:
    """Inches that `draw_rows` wants for its axes."""
    return ROW_IN * (sum(map(len, groups.values())) + (1 + _BEFORE + _AFTER) * len(groups) + 0.6)


def draw_rows(axes: Axes, groups: Mapping[str, Sequence[Row]]) -> None:
    """Draw the rows from the top down, each group under its heading."""
    place, places, labels = 0.0, [], []
    for heading, rows in groups.items():
        place += 1 + _BEFORE
        inside = {'transform': axes.get_yaxis_transform(), 'va': 'center'}
        # On white, as the line at zero may run behind it.
        ground = {'facecolor': 'white', 'edgecolor': 'none', 'pad': 1}
        axes.text(0.0, place, heading, fontweight='bold', fontsize=9.5, bbox=ground, **inside)
        place += _AFTER
        for row in rows:
            place += 1
            places.append(place)
            labels.append(row.label)
            _draw_row(axes, place, row)
            axes.text(1.02, place, row.note, fontsize=9, **inside)
    axes.set_yticks(places, labels)
    axes.set_ylim(place + 0.8, 0)
    axes.grid(axis='x')
    strip_frame(axes, 'top', 'right', 'left')


def _draw_row(axes: Axes, place: float, row: Row) -> None:
    for value, low, high, style in row.points:
        color = style.get('markeredgecolor', INK)
        if np.isfinite([low, high]).all():
            axes.plot([low, high], [place, place], color=INK, lw=1.6, label='_interval')
        if np.isfinite(value):
            axes.plot(value, place, **{'color': color, 'zorder': 3, 'label': '_point'} | style)
