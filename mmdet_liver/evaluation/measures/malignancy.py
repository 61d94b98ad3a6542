"""Benign against malignant: how lesions are called, whatever their exact diagnosis.

A class is benign, malignant or of unknown malignancy (`supercategory` of the COCO file).
Lesions of unknown malignancy are left out. Two readings of a lesion's call:

- over all lesions, is the alarm raised? Sensitivity: malignant lesions called malignant.
  Specificity: benign lesions *not* called malignant, so that a missed benign lesion, which
  raises no alarm, counts as right.
- among the found lesions, is the call right? Sensitivity: malignant lesions called
  malignant. Specificity: benign lesions called benign.

A call of unknown malignancy raises no alarm, and is not right: a malignant lesion so called
counts against both sensitivities, a benign one against the specificity among found ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import SCORE_DECIMALS
from mmdet_liver.evaluation.measures.rates import rate
from mmdet_liver.evaluation.measures.roc import auc
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.taxonomy import BENIGN, MALIGNANT

# Less malignant than any lesion can look: its scores are in 0..1.
_NOT_REPORTED = -1.0


@dataclass(frozen=True)
class MalignancyRates:
    """Each (...), NaN where there is no such lesion.

    `f2` weighs recall four times as much as precision (a malignant lesion must not be
    missed): 5 TP / (5 TP + 4 FN + FP), where TP are malignant lesions called malignant, FN
    the other malignant ones, FP benign lesions called malignant and malignant
    over-detections.
    """

    sensitivity: np.ndarray
    specificity: np.ndarray
    sensitivity_found: np.ndarray
    specificity_found: np.ndarray
    f2: np.ndarray


@dataclass(frozen=True)
class Evidence:
    """What the predictions that belong to each of L lesions say, at any threshold.

    `malignant_evidence` is the highest score of a malignant class minus the highest of a
    benign class, each 0 where there is none: -1 to 1.
    """

    image: np.ndarray  # (L,)
    malignant: np.ndarray  # (L,) bool, else benign
    malignant_evidence: np.ndarray  # (L,)
    best_score: np.ndarray  # (L,) highest score of any class, 0 for none


def classes_of(malignancy: Sequence[str | None], side: str) -> np.ndarray:
    """(C+1,) bool: which classes are BENIGN or MALIGNANT, whichever `side` is."""
    return np.array([m == side for m in malignancy])


def malignancy_rates(matrices: np.ndarray, malignancy: Sequence[str | None]) -> MalignancyRates:
    """Sensitivity and specificity from confusion matrices (..., C+1, C+1).

    Args:
        malignancy: (C+1) by class, as in `Truth`.
    """
    benign, malignant = (classes_of(malignancy, side) for side in (BENIGN, MALIGNANT))
    matrices = np.asarray(matrices, np.float64)
    of_malignant = matrices[..., malignant, :].sum(axis=-2)  # (..., C+1) by what they are called
    of_benign = matrices[..., benign, :].sum(axis=-2)
    right = of_malignant[..., malignant].sum(axis=-1)
    false_alarms = of_benign[..., malignant].sum(axis=-1)
    all_malignant, all_benign = of_malignant.sum(axis=-1), of_benign.sum(axis=-1)
    over_detections = matrices[..., 0, malignant].sum(axis=-1)
    # 5 TP + 4 FN + FP, as TP + FN are all malignant lesions
    weighed = right + 4 * all_malignant + false_alarms + over_detections
    return MalignancyRates(
        sensitivity=rate(right, all_malignant),
        specificity=rate(all_benign - false_alarms, all_benign),
        sensitivity_found=rate(right, all_malignant - of_malignant[..., 0]),
        specificity_found=rate(of_benign[..., benign].sum(axis=-1), all_benign - of_benign[..., 0]),
        f2=rate(5 * right, weighed),
    )


def malignancy_table(matrix: np.ndarray, malignancy: Sequence[str | None]) -> np.ndarray:
    """Counts of lesions, from one confusion matrix (C+1, C+1).

    Returns:
        (2, 3) int: rows benign, malignant; columns called benign, called malignant, missed.
        Lesions called a class of unknown malignancy are in no column.
    """
    benign, malignant = (classes_of(malignancy, side) for side in (BENIGN, MALIGNANT))
    missed = np.arange(len(malignancy)) == 0
    return np.array(
        [
            [int(matrix[np.ix_(rows, columns)].sum()) for columns in (benign, malignant, missed)]
            for rows in (benign, malignant)
        ]
    )


def lesion_evidence(evaluation: Evaluation) -> Evidence | None:
    """Evidence of every lesion of known malignancy; None unless both sides have a class."""
    truth, detections = evaluation.truth, evaluation.detections
    benign, malignant = (classes_of(truth.malignancy, side) for side in (BENIGN, MALIGNANT))
    if not (benign.any() and malignant.any()):
        return None

    def highest(classes: np.ndarray) -> np.ndarray:
        # (G,) highest score of these classes on each lesion
        hits = (evaluation.matches.lesion >= 0) & classes[detections.classes]
        scores = np.zeros(len(truth.lesions.classes))
        np.maximum.at(scores, evaluation.matches.lesion[hits], detections.scores[hits])
        return scores

    # Rounded, since 0.9 - 0.4 and 0.8 - 0.3 are a tie.
    evidence = np.round(highest(malignant) - highest(benign), SCORE_DECIMALS)
    known = (benign | malignant)[truth.lesions.classes]
    return Evidence(
        image=truth.lesions.image[known],
        malignant=malignant[truth.lesions.classes[known]],
        malignant_evidence=evidence[known],
        best_score=highest(np.ones(len(truth.labels), bool))[known],
    )


def malignancy_auc(
    evidence: Evidence, score_thr: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """AUC of benign against malignant among the found lesions, and over all of them.

    A lesion whose best score is below the threshold is missed: left out of the first, and
    as far from malignant as can be (-1, level with other missed lesions) in the second.

    Args:
        score_thr: (R,) for each resample.
        weights: (R, N) how often each image was drawn.
    Returns:
        found (R,), all (R,); NaN where one side has no lesion.
    """
    best, malignant = evidence.best_score, evidence.malignant
    drawn = weights.take(evidence.image, axis=1).astype(np.float64)  # (R, L)
    found = drawn * ((best >= score_thr[:, None]) & (best > 0))
    # All missed lesions of a side score alike: one case each, with their weight.
    missed = drawn - found
    sides = [missed[:, side].sum(axis=1) for side in (~malignant, malignant)]
    return (
        auc(evidence.malignant_evidence, malignant, found),
        auc(
            np.append(evidence.malignant_evidence, [_NOT_REPORTED, _NOT_REPORTED]),
            np.append(malignant, [False, True]),
            np.column_stack([found, *sides]),
        ),
    )
