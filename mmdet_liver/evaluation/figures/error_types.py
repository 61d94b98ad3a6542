"""What kind of error is frequent, and what each kind costs, in the manner of TIDE."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mmdet_liver.evaluation.figures.drawing import WIDTH, figure_file, signed, strip_frame
from mmdet_liver.evaluation.measures.error_types import ErrorTypes

# One a bar, for the names tell them apart.
_COUNT, _COST = '#0072b2', '#d55e00'


def draw_error_types(errors: ErrorTypes, score_thr: float, path: str | Path) -> None:
    """Bars of the counts at the score threshold, and of the AP that mending a type would add."""
    names, counts, points = errors.names, errors.counts, 100 * errors.delta_ap
    with figure_file(path, WIDTH, 0.95 + 0.34 * len(names)) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        _draw_bars(left, counts, [f'{n:,}' for n in counts], _COUNT)
        words = ['–' if np.isnan(v) else signed(v, 1) for v in points]
        _draw_bars(right, points, words, _COST)
        left.set_yticks(range(len(names)), names)
        left.invert_yaxis()
        left.set_title(f'errors at score ≥ {score_thr:g}')
        right.set_title('points of AP that they cost')


def _draw_bars(axes: Axes, values: np.ndarray, words: list[str], color: str) -> None:
    drawn = np.nan_to_num(values)
    axes.barh(range(len(drawn)), drawn, color=color, height=0.62)
    low, high = min(drawn.min(initial=0), 0), max(drawn.max(initial=0), 0)
    room = 0.3 * (high - low) or 1.0  # for the numbers beside the bars
    axes.set_xlim(low - room * (low < 0), high + room)
    for place, (value, word) in enumerate(zip(drawn, words, strict=True)):
        side = 'right' if value < 0 else 'left'
        axes.annotate(
            word,
            (value, place),
            xytext=(-3 if value < 0 else 3, 0),
            textcoords='offset points',
            ha=side,
            va='center',
        )
    axes.axvline(0, color='0.6', lw=0.8)
    axes.set_xticks([])
    strip_frame(axes, 'top', 'right', 'bottom', 'left')
