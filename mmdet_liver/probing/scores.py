"""How often the predicted diagnoses are right, on many resamples at once."""

from collections.abc import Sequence

import numpy as np

from mmdet_liver.taxonomy import MALIGNANT

ACCURACY, BALANCED, RECALL = 'accuracy', 'balanced_accuracy', 'recall'
MALIGNANCY = 'malignancy_accuracy'


def read_scores(
    predicted: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    malignant: np.ndarray | None,
    num_classes: int,
) -> dict[str, np.ndarray]:
    """The scores of one set of predictions in each resample; NaN where there is no lesion.

    Args:
        predicted: (L,) class of each lesion, 0 to C - 1; anything else is wrong.
        labels: (L,) true class.
        weights: (R, L) how often each lesion was drawn.
        malignant: (C,) whether each class is, of `malignant_classes`.
    Returns:
        ACCURACY (R,); RECALL (R, C), the accuracy within each class; BALANCED (R,), the
        mean of RECALL over the classes drawn; MALIGNANCY (R,), the accuracy where only
        the malignancy of the predicted class counts, if `malignant` is not None.
    """
    right = predicted == labels
    is_class = labels[:, None] == np.arange(num_classes)  # (L, C)
    recall = _ratio(weights @ (is_class & right[:, None]), weights @ is_class)
    drawn = ~np.isnan(recall)
    scores = {
        ACCURACY: _ratio(weights @ right, weights.sum(axis=1)),
        BALANCED: _ratio(np.where(drawn, recall, 0).sum(axis=1), drawn.sum(axis=1)),
        RECALL: recall,
    }
    if malignant is not None:
        is_known = (predicted >= 0) & (predicted < num_classes)
        same = malignant[np.where(is_known, predicted, 0)] == malignant[labels]
        scores[MALIGNANCY] = _ratio(weights @ (same & is_known), weights.sum(axis=1))
    return scores


def malignant_classes(malignancy: Sequence[str | None]) -> np.ndarray | None:
    """(C,) whether each class is malignant; None where that is unknown, or no classes merge."""
    if None in malignancy or len(set(malignancy)) in (1, len(malignancy)):
        return None
    return np.array([kind == MALIGNANT for kind in malignancy])


def confusion(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """(C, C) counts, a row a true class, a column a predicted one."""
    matrix = np.zeros((num_classes, num_classes))
    known = (predicted >= 0) & (predicted < num_classes)
    np.add.at(matrix, (labels[known], predicted[known]), 1)
    return matrix


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
