"""The content of `metrics.json`: plain numbers by name, none of them rounded."""

from mmdet_liver.evaluation.report.study_table import per_class, sums
from mmdet_liver.evaluation.scoring import Evaluation


def metrics(evaluation: Evaluation) -> dict:
    """The content of `metrics.json`; scores are not rounded."""
    swept = evaluation.sweep
    return {
        'iou_thr': evaluation.iou_thr,
        'score_thr': evaluation.score_thr,
        'score_thr_source': evaluation.score_thr_source,
        'labels': list(evaluation.truth.labels),
        'confusion_matrix': evaluation.matrix.tolist(),
        'per_class': per_class(evaluation),
        'mean': dict(
            zip(('precision', 'recall', 'f1'), map(float, evaluation.mean.as_tuple()), strict=True)
        ),
        'sums': sums(evaluation),
        'images': len(evaluation.truth.image_ids),
        'sweep': [
            {'score_thr': float(t), 'precision': float(p), 'recall': float(r), 'f1': float(f)}
            for t, p, r, f in zip(swept.score_thrs, *swept.mean.as_tuple(), strict=True)
        ],
    }
