"""The confusion matrix as the study draws it."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mmdet_liver.evaluation.arrays import NONE
from mmdet_liver.evaluation.figures.drawing import FAINT, WIDTH, figure_file
from mmdet_liver.evaluation.figures.fonts import class_label, text_columns
from mmdet_liver.evaluation.scoring import Evaluation

_LEAST_CELL = 0.62  # inches: four figures and a share
_LETTER = 0.083  # inches


def draw_confusion_matrix(evaluation: Evaluation, path: str | Path) -> None:
    """Counts in cells, coloured by their share of the row; None first on both axes."""
    matrix, names = evaluation.matrix, evaluation.truth.labels[1:]
    labels = [NONE, *(class_label(name, i) for i, name in enumerate(names, start=1))]
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(totals, 1)
    beside = 0.65 + _LETTER * max(map(text_columns, labels))
    cell = max(_LEAST_CELL, (WIDTH - beside) / len(labels))
    slant = max(map(text_columns, labels)) * _LETTER > cell
    below = 0.55 + (0.7 * (beside - 0.65) if slant else 0.1)
    size = beside + cell * len(labels), 0.65 + below + min(cell, 1.1) * len(labels)
    with figure_file(path, *size) as figure:
        axes = figure.add_subplot()
        axes.imshow(shares, cmap='Blues', vmin=0, vmax=1, aspect='auto')
        for row, column in np.ndindex(matrix.shape):
            _write_cell(axes, row, column, matrix[row, column], shares[row, column])
        _name_axes(axes, labels, slant)
        axes.set_title(
            f'score ≥ {evaluation.score_thr:g}, IoU ≥ {evaluation.iou_thr:g}\n'
            f'mean F1 {evaluation.mean.f1:.4f}'
        )


def _name_axes(axes: Axes, labels: list[str], slant: bool) -> None:
    turned = {'rotation': 40, 'ha': 'right', 'rotation_mode': 'anchor'} if slant else {}
    axes.set_xticks(range(len(labels)), labels, **turned)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.grid(which='minor', color='0.8', linewidth=0.8)
    axes.tick_params(which='both', length=0)
    axes.set_xlabel('Predicted (None: missed)')
    axes.set_ylabel('True (None: over-detection)')


def _write_cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    place = {'ha': 'center', 'va': 'center'}
    if row == column == 0:  # nothing is neither true nor predicted
        axes.text(column, row, '–', color=FAINT, **place)
        return
    if not count:
        axes.text(column, row, '0', color=FAINT, **place)
        return
    color = 'white' if share > 0.55 else 'black'
    size = 12 if count < 1000 else 10.5
    axes.text(column, row - 0.12, f'{count}', fontsize=size, color=color, **place)
    axes.text(column, row + 0.22, f'{share:.0%}', fontsize=9, color=color, **place)
