"""Does a score say how often it is right: the reliability diagram."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mmdet_liver.evaluation.figures.drawing import (
    FAINT,
    INK,
    WIDTH,
    figure_file,
    legend_below,
    strip_frame,
)
from mmdet_liver.evaluation.measures.calibration import Calibration

_BAR = '#56b4e9'


def draw_reliability(calibration: Calibration, path: str | Path) -> None:
    """Share of right predictions by score, against the scores themselves; below, how many.

    Above the diagonal the scores are too low, below it too high.
    """
    with figure_file(path, WIDTH, 5.2) as figure:
        upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        _draw_accuracy(upper, calibration)
        _draw_counts(lower, calibration)
        lower.set(xlim=(0, 1))
        lower.set_xlabel('score')
        lower.set_xticks(np.arange(6) / 5)
        legend_below(figure, upper.get_legend_handles_labels()[0])


def _draw_accuracy(axes: Axes, calibration: Calibration) -> None:
    edges = calibration.edges
    style = {'align': 'edge', 'color': _BAR, 'edgecolor': 'white'}
    axes.bar(edges[:-1], np.nan_to_num(calibration.accuracy), np.diff(edges), **style)
    axes.plot([0, 1], [0, 1], color=FAINT, ls=(0, (4, 2)), lw=1.2, label='scores as they should be')
    filled = calibration.count > 0
    if filled.any():
        # At the mean score of the bin, which need not be its middle; not cut by the frame.
        style = {'color': INK, 'ms': 4.5, 'clip_on': False, 'zorder': 3, 'label': 'mean of the bin'}
        axes.plot(calibration.confidence[filled], calibration.accuracy[filled], 'o', **style)
    axes.set(ylim=(0, 1))
    axes.set_ylabel('share that is right')
    total = int(calibration.count.sum())
    ece = f'ECE {calibration.ece:.3f} over {total:,}' if total else 'no'
    axes.set_title(f'{ece} prediction{"s" * (total != 1)}')
    axes.grid(axis='y')


def _draw_counts(axes: Axes, calibration: Calibration) -> None:
    # Logarithmic, as the lowest bin may hold nearly all; the numbers stand on the bars.
    edges, count = calibration.edges, calibration.count
    heights = np.log10(np.maximum(count, 1)) + (count > 0)
    axes.bar(edges[:-1], heights, np.diff(edges), align='edge', color='0.75', edgecolor='white')
    centers = (edges[:-1] + edges[1:]) / 2
    for x, height, number in zip(centers, heights, count, strict=True):
        if number:
            axes.text(x, height, _short(int(number)), ha='center', va='bottom', fontsize=8.5)
    axes.set(ylim=(0, max(heights.max(initial=0), 1) * 1.3))
    axes.set_yticks([])
    axes.set_ylabel('how many')
    strip_frame(axes, 'top', 'right', 'left')


def _short(number: int) -> str:
    # At most five letters: a bar is as wide as that.
    return f'{number}' if number < 10_000 else f'{number / 1000:.0f}k'
