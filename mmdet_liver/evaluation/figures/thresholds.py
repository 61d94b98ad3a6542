"""F1, precision and recall against the score threshold."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mmdet_liver.evaluation.figures.drawing import (
    CHOICE,
    INK,
    WIDTH,
    figure_file,
    legend_below,
)
from mmdet_liver.evaluation.figures.fonts import drawable, shortened
from mmdet_liver.evaluation.measures.operating_points import WorkingPoint
from mmdet_liver.evaluation.scoring import Evaluation

_Interval = tuple[float, float]


def draw_f1_by_threshold(
    evaluation: Evaluation,
    path: str | Path,
    *,
    best: WorkingPoint | None = None,
    f1_interval: _Interval | None = None,
    score_thr_interval: _Interval | None = None,
) -> None:
    """Mean F1, precision and recall against the score threshold, the one used marked.

    Args:
        best: the best of all distinct scores, as a hollow marker.
        f1_interval: low and high of the mean F1 reported; None draws none, as for
            `score_thr_interval`, that of the threshold.
    """
    swept, chosen = evaluation.sweep, evaluation.score_thr
    with figure_file(path, WIDTH, 4.3) as figure:
        axes = figure.add_subplot()
        lines = {
            'precision': {'color': '#56b4e9', 'ls': (0, (5, 1.6)), 'lw': 2},
            'recall': {'color': '#e69f00', 'ls': (0, (5, 1.5, 1.2, 1.5)), 'lw': 2},
            'F1': {'color': INK, 'marker': 'o', 'ms': 4},
        }
        handles: list[Line2D] = []
        for (name, style), values in zip(lines.items(), swept.mean.as_tuple(), strict=True):
            handles += axes.plot(swept.score_thrs, values, label=name, **style)
        axes.axvline(chosen, color=CHOICE, lw=1)
        _draw_interval(axes, evaluation, f1_interval, score_thr_interval)
        label = f'in use {chosen:g}: F1 {evaluation.mean.f1:.4f}'
        handles += axes.plot(chosen, evaluation.mean.f1, 'o', color=CHOICE, ms=8, label=label)
        if best is not None:
            handles += _draw_best(axes, best)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.01, 1.02))
        axes.set_xlabel('score threshold')
        axes.set_ylabel('mean over the classes')
        source = drawable(evaluation.score_thr_source)
        axes.set_title(shortened(f'threshold {source}', 58))
        axes.grid()
        legend_below(figure, handles)


def _draw_interval(
    axes: Axes, evaluation: Evaluation, f1: _Interval | None, score_thr: _Interval | None
) -> None:
    # Two bars through the point; the interval of a threshold chosen anew need not hold it.
    x, y = evaluation.score_thr, evaluation.mean.f1
    style = {'color': CHOICE, 'lw': 2.4, 'ms': 9, 'mew': 2}
    if f1 is not None:
        axes.plot([x, x], f1, marker='_', label='_F1 interval', **style)
    if score_thr is not None:
        axes.plot(score_thr, [y, y], marker='|', label='_threshold interval', **style)


def _draw_best(axes: Axes, best: WorkingPoint) -> list[Line2D]:
    label = f'exact best {best.score_thr:.4g}: F1 {best.f1:.4f}'
    style = {'color': INK, 'markerfacecolor': 'white', 'ms': 8, 'mew': 1.6}
    return axes.plot(best.score_thr, best.f1, 'D', label=label, **style)
