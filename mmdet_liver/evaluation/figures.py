"""The confusion matrix as the study draws it, and F1 against the score threshold."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.files import whole_file

_DPI = 150


def draw_confusion_matrix(evaluation: Evaluation, path: str | Path) -> None:
    """Counts in cells, coloured by their share of the row; None first on both axes."""
    matrix, labels = evaluation.matrix, evaluation.truth.labels
    totals = matrix.sum(axis=1, keepdims=True)
    shares = matrix / np.maximum(totals, 1)
    side = 1.9 + 0.95 * len(labels)
    figure = Figure(figsize=(side + 1.1, side), layout='constrained')
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
    _save(figure, path)


def draw_f1_by_threshold(evaluation: Evaluation, path: str | Path) -> None:
    """Mean F1, precision and recall against the score threshold, the one used marked."""
    swept, chosen = evaluation.sweep, evaluation.score_thr
    figure = Figure(figsize=(7, 4.2), layout='constrained')
    axes = figure.add_subplot()
    axes.plot(swept.score_thrs, swept.mean.precision, color='#56b4e9', ls='--', label='precision')
    axes.plot(swept.score_thrs, swept.mean.recall, color='#e69f00', ls='-.', label='recall')
    axes.plot(swept.score_thrs, swept.mean.f1, color='black', marker='o', ms=4, label='F1')
    axes.axvline(chosen, color='#d55e00', lw=1, label=f'{chosen:g}: F1 {evaluation.mean.f1:.4f}')
    axes.plot([chosen], [evaluation.mean.f1], 'o', color='#d55e00', ms=8)
    axes.set(xlim=(-0.02, 1.02), ylim=(0, 1.02))
    axes.set_xlabel('score threshold')
    axes.set_ylabel('mean over the classes')
    axes.set_title(_shortened(f'threshold {evaluation.score_thr_source}', 60), fontsize=10)
    axes.grid(color='0.9')
    axes.legend(loc='center left', bbox_to_anchor=(1.01, 0.5), frameon=False)
    _save(figure, path)


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


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f'{text[: length // 3]}…{text[-length * 2 // 3 :]}'


def _save(figure: Figure, path: str | Path) -> None:
    with whole_file(path) as temporary:
        # No software version in the file: the same numbers give the same bytes.
        # Tight: beside axes of a fixed aspect the layout may push a label off the page.
        figure.savefig(temporary, dpi=_DPI, bbox_inches='tight', metadata={'Software': None})
