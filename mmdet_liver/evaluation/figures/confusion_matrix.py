"""The confusion matrix as the study draws it."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from mmdet_liver.evaluation.figures.drawing import new_figure, save_figure
from mmdet_liver.evaluation.scoring import Evaluation


def draw_confusion_matrix(evaluation: Evaluation, path: str | Path) -> None:
    """Counts in cells, coloured by their share of the row; None first on both axes."""
    matrix, labels = evaluation.matrix, evaluation.truth.labels
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(totals, 1)
    side = 1.9 + 0.95 * len(labels)
    figure = new_figure(side + 1.1, side)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap='Blues', vmin=0, vmax=1)
    for row, column in np.ndindex(matrix.shape):
        _write_cell(axes, row, column, matrix[row, column], shares[row, column])
    slant = max(map(len, labels)) > 12
    axes.set_xticks(range(len(labels)), labels, rotation=30 if slant else 0)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    axes.grid(which='minor', color='0.8', linewidth=0.8)
    axes.tick_params(which='both', length=0)
    axes.set_xlabel('Predicted (None: missed)')
    axes.set_ylabel('True (None: over-detection)')
    axes.set_title(
        f'score ≥ {evaluation.score_thr:g}, IoU ≥ {evaluation.iou_thr:g}\n'
        f'mean F1 {evaluation.mean.f1:.4f}',
        fontsize=11,
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1))
    bar.set_label('share of the row')
    save_figure(figure, path)


def _write_cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    if row == column == 0:  # nothing is neither true nor predicted
        axes.text(column, row, '–', ha='center', va='center', color='0.6')
        return
    color = 'white' if share > 0.55 else 'black'
    # Only where there is a count is there a share below it.
    place = {'ha': 'center', 'va': 'center', 'color': color if count else '0.5'}
    axes.text(column, row - (0.1 if count else 0), f'{count}', fontsize=12, **place)
    if count:
        axes.text(column, row + 0.16, f'{share:.0%}', fontsize=8, **place)
