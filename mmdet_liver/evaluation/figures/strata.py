"""Lesions found, and F1, in parts of the data."""

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from matplotlib.lines import Line2D

from mmdet_liver.evaluation.figures.drawing import CHOICE, INK, WIDTH, figure_file, legend_below
from mmdet_liver.evaluation.figures.fonts import clipped, drawable
from mmdet_liver.evaluation.figures.forest import Row, draw_rows, rows_height
from mmdet_liver.evaluation.measures.strata import Stratum

_NAN = float('nan')
_BASE = {'linestyle': 'none', 'markersize': 7, 'markeredgewidth': 1.2}
_FOUND = {**_BASE, 'marker': 'o', 'markerfacecolor': '#56b4e9', 'markeredgecolor': INK}
_F1 = {**_BASE, 'marker': 'D', 'markerfacecolor': 'white', 'markeredgecolor': CHOICE}


def draw_strata(strata: Sequence[Stratum], path: str | Path) -> None:
    """Draw each stratum's share of found lesions and its F1, under what it is a part by."""
    parts = groupby(strata, key=lambda s: drawable(s.by).replace('_', ' '))
    rows = {by: [_row(s) for s in of_key] for by, of_key in parts}
    with figure_file(path, WIDTH, 1.0 + rows_height(rows)) as figure:
        axes = figure.add_subplot()
        draw_rows(axes, rows)
        axes.set_xlim(-0.03, 1.03)
        handles = [Line2D([], [], label='lesions found', **_FOUND)]
        if any(math.isfinite(s.f1) for s in strata):  # by size there is no F1
            handles.append(Line2D([], [], label='F1', **_F1))
        legend_below(figure, handles)


def _row(stratum: Stratum) -> Row:
    points = ((stratum.found, _NAN, _NAN, _FOUND), (stratum.f1, _NAN, _NAN, _F1))
    noun = 'lesion' if stratum.lesions == 1 else 'lesions'
    return Row(clipped(drawable(stratum.name), 20), points, f'{stratum.lesions:,} {noun}')
