"""Confusion matrices side by side, and differences of two arms about a line at zero."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mmdet_liver.evaluation.figures.drawing import FAINT, INK, WIDTH, figure_file, signed
from mmdet_liver.evaluation.figures.fonts import class_label, drawable, shortened
from mmdet_liver.evaluation.figures.forest import Row, draw_rows, rows_height
from mmdet_liver.reproduction.tables import mean_count, setting_name

_CELL = 0.62  # inches
_MARK = {'marker': 'D', 'markersize': 7, 'color': INK, 'linestyle': 'none'}
_NAN = float('nan')


def draw_confusion_matrices(content: dict, path: str | Path) -> bool:
    """One matrix an arm, all test images, the mean over seeds; False if no arm is finished.

    Cells are coloured by their share of the row, over-detections by their number beside that
    of all lesions.

    Args:
        content: of `results.json`.
    """
    arms = {name: arm for name, arm in content['arms'].items() if arm['confusion_matrix']}
    if not arms:
        return False
    columns = min(len(arms), 4)
    rows = -(-len(arms) // columns)
    side = _CELL * max(len(arm['labels']) for arm in arms.values())
    with figure_file(path, columns * (side + 1.1), rows * (side + 1.1)) as figure:
        all_axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, (name, arm) in zip(all_axes, arms.items(), strict=False):
            _draw_matrix(axes, arm)
            axes.set_title(f'{shortened(drawable(name), 24)}\nmean F1 {arm["mean"]["f1"]:.4f}')
        for axes in all_axes[len(arms) :]:
            axes.set_axis_off()
        figure.supxlabel('Predicted (None: missed)', fontsize=10)
        figure.supylabel('True (None: over-detection)', fontsize=10)
    return True


def draw_differences(comparison: dict, path: str | Path) -> bool:
    """A - B of mean F1 and recall in every setting; False if there is nothing to compare.

    Args:
        comparison: one of `results.json`.
    """
    if not comparison['settings']:
        return False
    groups = {
        setting_name(name): [_row(label, setting['mean'][score]) for label, score in _SHOWN]
        for name, setting in comparison['settings'].items()
    }
    ends = [e for rows in groups.values() for row in rows for e in row.points[0][:3]]
    reach = 1.15 * max((abs(end) for end in ends if np.isfinite(end)), default=0) or 0.1
    with figure_file(path, WIDTH, 1.35 + rows_height(groups)) as figure:
        axes = figure.add_subplot()
        draw_rows(axes, groups)
        axes.axvline(0, color=INK, lw=1, zorder=1)
        axes.set_xlim(-reach, reach)
        axes.locator_params(axis='x', nbins=5)
        axes.set_xlabel('← B better          A better →\ndifference (A − B)')
        a, b = (shortened(drawable(comparison[side]), 48) for side in 'ab')
        figure.suptitle(f'A: {a}\nB: {b}', x=0.02, ha='left', fontsize=9.5, color=FAINT)
    return True


_SHOWN = (('mean F1', 'f1'), ('mean recall', 'recall'))


def _row(label: str, d: dict) -> Row:
    value = _NAN if d['difference'] is None else d['difference']
    low, high = d['interval'] or (_NAN, _NAN)
    note = '–'
    if d['difference'] is not None:
        ends = ', '.join(signed(end, 3) for end in d['interval'] or ())
        note = f'{signed(value, 3)} ({ends})' if ends else signed(value, 3)
    return Row(label, ((value, low, high, _MARK),), note)


def _draw_matrix(axes: Axes, arm: dict) -> None:
    matrix = np.array(arm['confusion_matrix'])
    labels = [arm['labels'][0], *(class_label(n, i) for i, n in enumerate(arm['labels'][1:], 1))]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    # A single over-detection would be the whole of its row, and the darkest of the figure.
    shares[0] = matrix[0] / max(matrix[1:].sum(), 1)
    axes.imshow(shares, cmap='Blues', vmin=0, vmax=1, aspect='auto')
    for row, column in np.ndindex(matrix.shape):
        if row == column == 0:  # nothing is neither true nor predicted
            continue
        count = matrix[row, column]
        color = 'white' if shares[row, column] > 0.55 else INK if count else FAINT
        axes.text(column, row, mean_count(count), ha='center', va='center', color=color)
    turned = {'rotation': 40, 'ha': 'right', 'rotation_mode': 'anchor'}
    axes.set_xticks(range(len(labels)), labels, **turned)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(length=0)
