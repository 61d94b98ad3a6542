"""F1, precision and recall against the score threshold."""

from pathlib import Path

from mmdet_liver.evaluation.figures.drawing import new_figure, save_figure, shortened
from mmdet_liver.evaluation.scoring import Evaluation


def draw_f1_by_threshold(evaluation: Evaluation, path: str | Path) -> None:
    """Mean F1, precision and recall against the score threshold, the one used marked."""
    swept, chosen = evaluation.sweep, evaluation.score_thr
    figure = new_figure(7, 4.2)
    axes = figure.add_subplot()
    axes.plot(swept.score_thrs, swept.mean.precision, color='#56b4e9', ls='--', label='precision')
    axes.plot(swept.score_thrs, swept.mean.recall, color='#e69f00', ls='-.', label='recall')
    axes.plot(swept.score_thrs, swept.mean.f1, color='black', marker='o', ms=4, label='F1')
    axes.axvline(chosen, color='#d55e00', lw=1, label=f'{chosen:g}: F1 {evaluation.mean.f1:.4f}')
    axes.plot([chosen], [evaluation.mean.f1], 'o', color='#d55e00', ms=8)
    axes.set(xlim=(-0.02, 1.02), ylim=(0, 1.02))
    axes.set_xlabel('score threshold')
    axes.set_ylabel('mean over the classes')
    axes.set_title(shortened(f'threshold {evaluation.score_thr_source}', 60), fontsize=10)
    axes.grid(color='0.9')
    axes.legend(loc='center left', bbox_to_anchor=(1.01, 0.5), frameon=False)
    save_figure(figure, path)
