"""How much better A is than B: differences in F1 with their intervals about a line at zero."""

from pathlib import Path

import numpy as np

from mmdet_liver.evaluation.figures.classes import ClassStyle, class_styles
from mmdet_liver.evaluation.figures.drawing import FAINT, INK, WIDTH, figure_file, signed
from mmdet_liver.evaluation.figures.fonts import drawable, shortened
from mmdet_liver.evaluation.figures.forest import Row, draw_rows, rows_height
from mmdet_liver.evaluation.uncertainty.comparison import (
    AT_BEST,
    AT_OVER_DETECTIONS_OF_A,
    AT_OVER_DETECTIONS_OF_B,
    Comparison,
    Difference,
    Setting,
)

_HEADINGS = {
    AT_BEST: 'each at its own best threshold',
    AT_OVER_DETECTIONS_OF_A: "at A's over-detections per image",
    AT_OVER_DETECTIONS_OF_B: "at B's over-detections per image",
}
_MEAN_STYLE = ClassStyle('mean', (0.13, 0.13, 0.13), '-', 'D')
_NAN = float('nan')


def draw_comparison(
    comparison: Comparison, path: str | Path, names: tuple[str, str] | None = None
) -> None:
    """Draw A - B of the mean F1 and of each class's, in every setting.

    Args:
        names: what A and B are, to be written above the axes.
    """
    groups = {_HEADINGS[name]: _rows(setting) for name, setting in comparison.settings.items()}
    ends = [end for rows in groups.values() for row in rows for end in row.points[0][:3]]
    reach = 1.15 * max((abs(end) for end in ends if np.isfinite(end)), default=0) or 0.1
    with figure_file(path, WIDTH, 1.35 + rows_height(groups)) as figure:
        axes = figure.add_subplot()
        draw_rows(axes, groups)
        axes.axvline(0, color=INK, lw=1, zorder=1)
        axes.set_xlim(-reach, reach)
        axes.locator_params(axis='x', nbins=5)
        axes.set_xlabel('← B better          A better →\ndifference in F1 (A − B)')
        if names:
            a, b = (shortened(drawable(name), 48) for name in names)
            # From the page's edge: the axes begin beside the names of the classes.
            style = {'x': 0.02, 'ha': 'left', 'fontsize': 9.5, 'color': FAINT}
            figure.suptitle(f'A: {a}\nB: {b}', **style)


def _rows(setting: Setting) -> list[Row]:
    styles = class_styles(list(setting.per_class))
    rows = [_row(_MEAN_STYLE, setting.mean['f1'])] if len(styles) != 1 else []
    return rows + [
        _row(style, scores['f1'])
        for style, scores in zip(styles, setting.per_class.values(), strict=True)
    ]


def _row(style: ClassStyle, d: Difference) -> Row:
    value = _NAN if d.difference is None else d.difference
    low, high = d.interval or (_NAN, _NAN)
    return Row(style.label, ((value, low, high, style.dot(7)),), _written(d))


def _written(d: Difference) -> str:
    if d.difference is None:
        return '–'
    ends = ', '.join(signed(end, 3) for end in d.interval or ())
    return f'{signed(d.difference, 3)} ({ends})' if ends else signed(d.difference, 3)
