"""Precision, recall and F1 at every score, and the exact best threshold.

The study looks for the best threshold in steps of 0.05. Here it is looked for among all
scores, of which only those at which a correct outcome enters need trying: between two of
them a lower threshold adds nothing but wrong outcomes to a class, so its correct ones and
its lesions stay, its predictions do not get fewer, and no precision, no F1 and no mean of
them rises. There are at most as many such scores as lesions.
"""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.confusion import Outcomes, Scores, precision_recall_f1


@dataclass(frozen=True)
class Curves:
    """Scores at each of K thresholds: the distinct scores at which a correct outcome enters."""

    score_thr: np.ndarray  # (K,) descending
    scores: Scores  # (K, C) each
    mean: Scores  # (K,) each, over the classes with lesions in the data set


@dataclass(frozen=True)
class WorkingPoint:
    """A threshold and what it gives, of one class or as means."""

    score_thr: float
    precision: float
    recall: float
    f1: float


def threshold_curves(outcomes: Outcomes) -> Curves:
    """Evaluate at every score at which a correct outcome enters; equal scores enter together."""
    correct = outcomes.row == outcomes.column
    ascending = np.unique(outcomes.score[correct])
    hits = _entered(outcomes.score[correct], outcomes.column[correct], ascending, outcomes)
    predicted = _entered(outcomes.score, outcomes.column, ascending, outcomes)
    # Each class against all else, as a 2x2 matrix: the same formula at 1/C of the memory.
    matrices = np.zeros((*hits.shape, 2, 2))  # (K, C, 2, 2)
    matrices[..., 0, 1] = predicted - hits
    matrices[..., 1, 0] = outcomes.lesions[1:] - hits
    matrices[..., 1, 1] = hits
    scores = Scores(*(v[..., 0] for v in precision_recall_f1(matrices).as_tuple()))
    return Curves(ascending[::-1], scores, scores.mean(outcomes.lesions[1:] > 0))


def best_mean(curves: Curves) -> WorkingPoint | None:
    """The highest mean F1 at any threshold; None if no lesion is ever found and named rightly.

    Of thresholds in `curves` with equal mean F1 it is the lowest.
    """
    return _best(curves.score_thr, curves.mean)


def best_per_class(curves: Curves) -> tuple[WorkingPoint | None, ...]:
    """The highest F1 of each class 1..C, each at a threshold of its own; else as `best_mean`.

    Only thresholds at which a correct outcome of that class enters are tried.
    """
    points = []
    for c in range(curves.scores.f1.shape[1]):
        own = _rises(curves, c)
        values = Scores(*(v[own, c] for v in curves.scores.as_tuple()))
        points.append(_best(curves.score_thr[own], values))
    return tuple(points)


def precision_recall_curve(curves: Curves, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Recall (k,) ascending and precision (k,) of class `label` (1..C), by the study's matching.

    The points are those at which the recall rises; k = 0 for a class that is never right.
    Between two of them precision falls at the recall of the earlier. A lesion is found once
    and belongs to its best prediction's class: this is no COCO precision-recall curve.
    """
    own = _rises(curves, label - 1)
    return curves.scores.recall[own, label - 1], curves.scores.precision[own, label - 1]


def _entered(
    score: np.ndarray, column: np.ndarray, ascending: np.ndarray, outcomes: Outcomes
) -> np.ndarray:
    # (K, C) outcomes of each predicted class from each threshold up, highest first.
    size = len(outcomes.lesions)
    levels = np.searchsorted(ascending, score, side='right')
    shape = (len(ascending) + 1, size)
    histogram = np.bincount(levels * size + column, minlength=shape[0] * shape[1])
    return histogram.reshape(shape)[::-1].cumsum(axis=0)[:-1, 1:]


def _rises(curves: Curves, index: int) -> np.ndarray:
    return np.diff(curves.scores.recall[:, index], prepend=0) > 0  # (K,)


def _best(score_thr: np.ndarray, scores: Scores) -> WorkingPoint | None:
    if not len(score_thr):
        return None
    # Equal means may differ in the last bit, by the order they were summed in.
    best = len(score_thr) - 1 - np.round(scores.f1[::-1], 12).argmax()
    return WorkingPoint(float(score_thr[best]), *(float(v[best]) for v in scores.as_tuple()))
