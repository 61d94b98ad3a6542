"""From matches to confusion matrices, precision, recall and F1 at every score threshold.

A matrix is (C+1, C+1): row = true class, column = predicted class, index 0 = None
(row: over-detections; column: missed lesions). Whatever the threshold, a lesion's class
is decided by its one best prediction, so a threshold only cuts a list of `Outcomes`.
"""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import Detections, Truth
from mmdet_liver.evaluation.matching import Matches

# Dividing gives the double nearest to each decimal; 6 * 0.05 is not 0.3.
SCORE_THRS = np.arange(21) / 20


@dataclass(frozen=True)
class Outcomes:
    """What each prediction that counts amounts to: a cell of the matrix, from a score down.

    A found lesion is one outcome (its class, the predicted class), an over-detection
    another (0, its class). Missed lesions are the rest of `lesions`.
    """

    image: np.ndarray  # (E,)
    row: np.ndarray  # (E,)
    column: np.ndarray  # (E,)
    score: np.ndarray  # (E,)
    lesions: np.ndarray  # (C+1,) lesions of each class in the whole data set, [0] = 0


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1, each (..., C) by class or (...) as a mean."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray

    def mean(self, counted: np.ndarray) -> 'Scores':
        """Plain means over the classes where `counted` (C,) is true; 0 if there are none."""
        if not counted.any():
            return Scores(*(np.zeros(v.shape[:-1]) for v in self.as_tuple()))
        return Scores(*(v[..., counted].mean(axis=-1) for v in self.as_tuple()))

    def as_tuple(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.precision, self.recall, self.f1


@dataclass(frozen=True)
class Sweep:
    """Matrices and mean scores at each of T thresholds."""

    score_thrs: np.ndarray  # (T,) ascending
    matrices: np.ndarray  # (T, C+1, C+1)
    mean: Scores  # (T,) each

    def best(self) -> int:
        """Index of the highest mean F1; of equals the lowest threshold."""
        # Equal means may differ in the last bit, by the order they were summed in.
        return int(np.round(self.mean.f1, 12).argmax())


def find_outcomes(truth: Truth, detections: Detections, matches: Matches) -> Outcomes:
    """List the found lesions and the over-detections; a score of 0 is no prediction."""
    counts = detections.scores > 0
    hits = np.flatnonzero(counts & (matches.lesion >= 0))
    # lexsort is stable: of equal scores the earlier prediction comes first.
    hits = hits[np.lexsort((-detections.scores[hits], matches.lesion[hits]))]
    found, first = np.unique(matches.lesion[hits], return_index=True)
    over = np.flatnonzero(counts & (matches.lesion < 0) & ~matches.excused)
    chosen = np.concatenate([hits[first], over])
    true_class = np.concatenate([truth.lesions.classes[found], np.zeros(len(over), np.int64)])
    return Outcomes(
        image=detections.image[chosen],
        row=true_class,
        column=detections.classes[chosen],
        score=detections.scores[chosen],
        lesions=np.bincount(truth.lesions.classes, minlength=len(truth.labels)),
    )


def confusion_matrices(outcomes: Outcomes, score_thrs: np.ndarray) -> np.ndarray:
    """Confusion matrices (T, C+1, C+1) at the ascending thresholds (T,)."""
    size = len(outcomes.lesions)
    # The outcome counts at the first `levels` thresholds.
    levels = np.searchsorted(score_thrs, outcomes.score, side='right')  # (E,)
    cells = (levels * size + outcomes.row) * size + outcomes.column
    shape = (len(score_thrs) + 1, size, size)
    histogram = np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape)
    matrices = histogram[::-1].cumsum(axis=0)[::-1][1:]
    missed = outcomes.lesions - matrices.sum(axis=2)  # (T, C+1)
    missed[:, 0] = 0
    matrices[:, :, 0] = missed
    return matrices


def precision_recall_f1(matrix: np.ndarray) -> Scores:
    """Scores by class of one matrix, or of a stack: (..., C+1, C+1) -> (..., C).

    0 where a denominator is 0.
    """
    matrix = np.asarray(matrix, np.float64)
    correct = np.diagonal(matrix, axis1=-2, axis2=-1)[..., 1:]
    predicted = matrix.sum(axis=-2)[..., 1:]
    lesions = matrix.sum(axis=-1)[..., 1:]
    return Scores(
        precision=_ratio(correct, predicted),
        recall=_ratio(correct, lesions),
        f1=_ratio(2 * correct, predicted + lesions),  # their harmonic mean
    )


def sweep(outcomes: Outcomes, score_thrs: np.ndarray = SCORE_THRS) -> Sweep:
    """Evaluate at every threshold; means run over the classes with lesions in the data set."""
    matrices = confusion_matrices(outcomes, score_thrs)
    mean = precision_recall_f1(matrices).mean(outcomes.lesions[1:] > 0)
    return Sweep(score_thrs, matrices, mean)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
