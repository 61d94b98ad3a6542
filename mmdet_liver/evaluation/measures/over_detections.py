"""Over-detections per image, per lesion-free image and per patient at a score threshold."""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.measures.levels import first_images, unit_weights, units_of
from mmdet_liver.evaluation.measures.rates import rate
from mmdet_liver.evaluation.scoring import Evaluation


@dataclass(frozen=True)
class OverDetectionRates:
    """Each (R,), a mean count; NaN where there is no such image or no known patient."""

    per_image: np.ndarray
    per_lesion_free_image: np.ndarray  # images without any annotation, ignored ones included
    per_patient: np.ndarray  # over known patients and their images


def over_detection_rates(
    evaluation: Evaluation,
    score_thr: np.ndarray,
    weights: np.ndarray,
    patients: np.ndarray | None = None,
) -> OverDetectionRates:
    """Over-detections of any class, as the confusion matrix counts them.

    Args:
        score_thr: (R,) for each resample.
        weights: (R, N) how often each image was drawn.
        patients: (N,) number of each image's patient, -1 where unknown.
    Raises:
        ValueError: if the images of a patient were not drawn equally often.
    """
    truth = evaluation.truth
    num_images = len(truth.images)
    annotated = [np.diff(part.offsets) for part in (truth.lesions, truth.ignored, truth.crowds)]
    unit = units_of(np.full(num_images, -1) if patients is None else patients)
    groups = np.stack(
        [np.ones(num_images), np.sum(annotated, axis=0) == 0, unit >= 0], axis=1
    )  # (N, 3)
    counts = _counts(evaluation, score_thr, weights, groups)
    images = weights @ groups[:, :2]
    drawn_patients = unit_weights(weights, unit, first_images(unit)).sum(axis=1)
    return OverDetectionRates(
        per_image=rate(counts[:, 0], images[:, 0]),
        per_lesion_free_image=rate(counts[:, 1], images[:, 1]),
        per_patient=rate(counts[:, 2], drawn_patients),
    )


def _counts(
    evaluation: Evaluation, score_thr: np.ndarray, weights: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    # (R, 3) over-detections in each group of images
    outcomes = evaluation.outcomes
    lowest = score_thr.min(initial=np.inf)
    over = np.flatnonzero((outcomes.row == 0) & (outcomes.score >= lowest))
    over = over[np.argsort(outcomes.score[over])]
    scores, images = outcomes.score[over], outcomes.image[over]
    counts = np.zeros((len(weights), groups.shape[1]))
    for thr in np.unique(score_thr):
        reaching = images[np.searchsorted(scores, thr) :]
        by_image = np.bincount(reaching, minlength=len(groups))
        rows = np.flatnonzero(score_thr == thr)
        counts[rows] = weights[rows] @ (by_image[:, None] * groups)
    return counts
