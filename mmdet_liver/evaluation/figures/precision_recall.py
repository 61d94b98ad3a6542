"""Precision against recall of each class, by the study's matching."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mmdet_liver.evaluation.figures.classes import ClassStyle, class_styles
from mmdet_liver.evaluation.figures.drawing import (
    FAINT,
    WIDTH,
    figure_file,
    legend_below,
    legend_height,
)
from mmdet_liver.evaluation.measures.operating_points import Curves, precision_recall_curve
from mmdet_liver.evaluation.scoring import Evaluation

_ISO_F1 = (0.2, 0.4, 0.6, 0.8, 0.9)


def draw_precision_recall(evaluation: Evaluation, curves: Curves, path: str | Path) -> None:
    """Draw each class that has lesions, with its point at the score threshold in use.

    The point may lie below its curve, which joins the points where a correct prediction
    enters, the best of their neighbourhood.
    """
    styles = class_styles(evaluation.truth.labels[1:])
    shown = [i for i in range(len(styles)) if evaluation.outcomes.lesions[i + 1]]
    space = legend_height([f'{styles[i].label}, F1 0.000' for i in shown])
    with figure_file(path, WIDTH, 4.7 + space) as figure:
        axes = figure.add_subplot()
        _draw_iso_f1(axes)
        handles = [_draw_class(axes, evaluation, curves, i, styles[i]) for i in shown]
        axes.set(xlim=(-0.01, 1.02), ylim=(-0.01, 1.02))
        axes.set_xlabel('recall')
        axes.set_ylabel('precision')
        axes.set_title(f'marked: score ≥ {evaluation.score_thr:g}; IoU ≥ {evaluation.iou_thr:g}')
        legend_below(figure, handles)


def _draw_class(
    axes: Axes, evaluation: Evaluation, curves: Curves, index: int, style: ClassStyle
) -> Line2D:
    recall, precision = precision_recall_curve(curves, index + 1)
    axes.plot(recall, precision, label=f'_{style.label}', **style.line())
    at = evaluation.per_class
    # Over its own curve, and not cut by the frame at 0 and 1.
    place = {'zorder': 3, 'clip_on': False, 'label': f'_{style.label} in use'}
    axes.plot(at.recall[index], at.precision[index], **style.dot(8) | place)
    label = f'{style.label}, F1 {at.f1[index]:.3f}'
    return Line2D([], [], label=label, **style.dot(6) | style.line())


def _draw_iso_f1(axes: Axes) -> None:
    for f1 in _ISO_F1:
        recall = np.linspace(f1 / (2 - f1), 1, 100)
        precision = f1 * recall / (2 * recall - f1)
        axes.plot(recall, precision, color='0.82', lw=0.8, zorder=0.5, label=f'_F1 {f1}')
        # Where precision and recall are equal; the text covers the line.
        ground = {'facecolor': 'white', 'edgecolor': 'none', 'pad': 0.6}
        text = f'F1 {f1:g}' if f1 == _ISO_F1[0] else f'{f1:g}'
        axes.text(f1, f1, text, ha='center', va='center', fontsize=8.5, color=FAINT, bbox=ground)
