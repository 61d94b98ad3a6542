"""Image level and patient level: is there a lesion (or a malignant one), and is it called?

A unit is an image, or a patient with all images of that patient. For the target `lesion` a
unit is positive if it holds a lesion, and called if any prediction that no ignored
annotation excuses reaches the score threshold; it is localised if such a prediction belongs
to a lesion. For `malignant` only malignant lesions and predictions of malignant classes
count, whatever the exact diagnosis.

Negatives are the other units, but those of which nobody can say: without a lesion of the
target, yet with an annotation marked `ignore` or `iscrowd` (of any class), or for
`malignant` a lesion of unknown malignancy. They are left out.
"""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.measures.malignancy import classes_of
from mmdet_liver.evaluation.measures.rates import rate
from mmdet_liver.evaluation.measures.roc import auc
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.taxonomy import MALIGNANT

LESION = 'lesion'
TARGETS = (LESION, MALIGNANT)


@dataclass(frozen=True)
class Calls:
    """What is so and what is called in each of U units, at any threshold.

    Of its N images, -1 stands for those in no unit. `score` is the highest of a
    prediction that calls the unit, `localised_score` the highest of one that belongs to a
    lesion of the target; 0 where there is none.
    """

    target: str
    unit: np.ndarray  # (N,) number of each image's unit
    first_image: np.ndarray  # (U,)
    positive: np.ndarray  # (U,) bool
    score: np.ndarray  # (U,)
    localised_score: np.ndarray  # (U,)
    left_out: int  # units of which nobody can say


@dataclass(frozen=True)
class LevelRates:
    """Each (R,); NaN where there is no positive, no negative, or for the AUC either."""

    sensitivity: np.ndarray
    specificity: np.ndarray
    localised_sensitivity: np.ndarray  # positives that are localised, over all positives
    auc: np.ndarray  # of the highest score, at any threshold


def image_calls(evaluation: Evaluation, target: str) -> Calls | None:
    """One row an image; None for `malignant` where no class is known to be malignant.

    Raises:
        ValueError: if the target is not one of `TARGETS`.
    """
    return _calls(evaluation, target, np.arange(len(evaluation.truth.images)))


def patient_calls(evaluation: Evaluation, target: str, patients: np.ndarray) -> Calls | None:
    """One row a patient; None as in `image_calls`, and where no patient is known.

    Args:
        patients: (N,) number of each image's patient, -1 where unknown: such images are
            in no row.
    """
    unit = units_of(patients)
    return _calls(evaluation, target, unit) if (unit >= 0).any() else None


def level_rates(calls: Calls, score_thr: np.ndarray, weights: np.ndarray) -> LevelRates:
    """Rates of each resample, a unit drawn as often as its images.

    Args:
        score_thr: (R,) for each resample.
        weights: (R, N) how often each image was drawn.
    Raises:
        ValueError: if a patient's images were not drawn equally often.
    """
    drawn = unit_weights(weights, calls.unit, calls.first_image)  # (R, U)
    sides = [np.flatnonzero(calls.positive), np.flatnonzero(~calls.positive)]
    positives, negatives = (drawn.take(side, axis=1) for side in sides)

    def reaching(weight: np.ndarray, scores: np.ndarray) -> np.ndarray:
        # (R,) weight of the units whose score reaches the threshold
        reached = (scores >= score_thr[:, None]) & (scores > 0)
        return np.einsum('ru,ru->r', weight, reached)

    all_positive, all_negative = positives.sum(axis=1), negatives.sum(axis=1)
    false_alarms = reaching(negatives, calls.score[sides[1]])
    return LevelRates(
        sensitivity=rate(reaching(positives, calls.score[sides[0]]), all_positive),
        specificity=rate(all_negative - false_alarms, all_negative),
        localised_sensitivity=rate(
            reaching(positives, calls.localised_score[sides[0]]), all_positive
        ),
        auc=auc(calls.score, calls.positive, drawn),
    )


def units_of(patients: np.ndarray) -> np.ndarray:
    """Patients (N,) renumbered 0.. without a gap; -1, unknown, stays."""
    unit = np.full(len(patients), -1)
    known = patients >= 0
    unit[known] = np.unique(patients[known], return_inverse=True)[1]
    return unit


def first_images(unit: np.ndarray) -> np.ndarray:
    """(U,) first image of each unit, from the unit of each image (N,), -1 for none."""
    known = np.flatnonzero(unit >= 0)
    return known[np.unique(unit[known], return_index=True)[1]]


def unit_weights(weights: np.ndarray, unit: np.ndarray, first_image: np.ndarray) -> np.ndarray:
    """How often each unit was drawn, (R, U) float64.

    Args:
        weights: (R, N) how often each image was drawn.
        unit: (N,) number of each image's unit, -1 for none.
        first_image: (U,) of each unit.
    Raises:
        ValueError: if the images of a unit were not drawn equally often.
    """
    drawn = weights.take(first_image, axis=1).astype(np.float64)
    images = np.flatnonzero(unit >= 0)
    if len(images) > len(first_image):
        alike = weights.take(images, axis=1) == drawn.take(unit[images], axis=1)
        if not alike.all():
            raise ValueError(
                'weights: found different ones for images of one patient; expected equal ones; '
                'resample patients, not images'
            )
    return drawn


def _calls(evaluation: Evaluation, target: str, unit: np.ndarray) -> Calls | None:
    # `unit`: (N,) numbers 0.. without a gap, -1 for images in none.
    truth, detections, matches = evaluation.truth, evaluation.detections, evaluation.matches
    if target not in TARGETS:
        raise ValueError(f'target: found {target!r}; expected one of {TARGETS}; correct it')
    of_target = np.arange(len(truth.labels)) > 0  # (C+1,)
    unsure = np.zeros(len(of_target), bool)
    if target == MALIGNANT:
        unsure = of_target & np.array([m is None for m in truth.malignancy])
        of_target = classes_of(truth.malignancy, MALIGNANT)
    if not of_target.any():
        return None
    lesions = truth.lesions
    positive = _holding(unit, lesions.image[of_target[lesions.classes]])
    images = [lesions.image[unsure[lesions.classes]], truth.ignored.image, truth.crowds.image]
    kept = positive | ~_holding(unit, np.concatenate(images))
    counts = (detections.scores > 0) & ~matches.excused & of_target[detections.classes]
    hits = counts & (matches.lesion >= 0)
    hits[hits] = of_target[lesions.classes[matches.lesion[hits]]]
    renumbered = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)[unit]
    return Calls(
        target=target,
        unit=renumbered,
        first_image=first_images(unit)[kept],
        positive=positive[kept],
        score=_highest(unit, detections.image[counts], detections.scores[counts])[kept],
        localised_score=_highest(unit, detections.image[hits], detections.scores[hits])[kept],
        left_out=int((~kept).sum()),
    )


def _holding(unit: np.ndarray, images: np.ndarray) -> np.ndarray:
    # (U,) bool: units with one of these images
    marked = np.zeros(unit.max() + 1, bool)
    units = unit[images]
    marked[units[units >= 0]] = True
    return marked


def _highest(unit: np.ndarray, images: np.ndarray, scores: np.ndarray) -> np.ndarray:
    # (U,) highest of the scores, given with their images; 0 for none
    highest = np.zeros(unit.max() + 1)
    units = unit[images]
    np.maximum.at(highest, units[units >= 0], scores[units >= 0])
    return highest
