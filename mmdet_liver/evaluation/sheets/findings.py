"""The single mistakes of an evaluation, the worst first: over-detected, missed, confused."""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.taxonomy import MALIGNANT

# Of an image, and of a patient: one bad clip must not fill a sheet.
MOST_OF_IMAGE, MOST_OF_PATIENT = 2, 4


@dataclass(frozen=True)
class Findings:
    """F mistakes of one kind, the worst first; -1 where there is no lesion or prediction."""

    image: np.ndarray  # (F,)
    lesion: np.ndarray  # (F,) index into the lesions
    detection: np.ndarray  # (F,) index; of a missed lesion the best below the threshold

    def __len__(self) -> int:
        return len(self.image)


def over_detections(evaluation: Evaluation) -> Findings:
    """Predictions on no lesion, by descending score."""
    found, matches = evaluation.detections, evaluation.matches
    over = (matches.lesion < 0) & ~matches.excused
    worst = _by_score(evaluation, np.flatnonzero(over & _reach(evaluation)))
    return Findings(found.image[worst], np.full(len(worst), -1), worst)


def confusions(evaluation: Evaluation) -> Findings:
    """Lesions that were found and called another class, by descending score."""
    truth, found = evaluation.truth, evaluation.detections
    best = best_on_lesion(evaluation)
    best = best[best >= 0]
    lesion = evaluation.matches.lesion[best]
    wrong = found.classes[best] != truth.lesions.classes[lesion]
    worst = _by_score(evaluation, best[wrong & _reach(evaluation)[best]])
    return Findings(found.image[worst], evaluation.matches.lesion[worst], worst)


def missed(evaluation: Evaluation) -> Findings:
    """Lesions with no prediction at the threshold: malignant ones first, the largest first.

    Size is the box's share of the image, as images differ in their resolution.
    """
    truth = evaluation.truth
    best = best_on_lesion(evaluation)
    lesion = np.flatnonzero((best < 0) | ~np.append(_reach(evaluation), False)[best])
    classes = truth.lesions.classes[lesion]
    malignant = np.array([m == MALIGNANT for m in truth.malignancy])[classes]
    worst = lesion[np.lexsort((-_share_of_image(evaluation)[lesion], ~malignant))]
    return Findings(truth.lesions.image[worst], worst, best[worst])


def best_on_lesion(evaluation: Evaluation) -> np.ndarray:
    """(G,) the prediction of highest score on each lesion, whatever its score; -1 for none.

    Of equal scores it is the earlier, as in the metric.
    """
    found, matches = evaluation.detections, evaluation.matches
    hits = np.flatnonzero((matches.lesion >= 0) & (found.scores > 0))
    hits = hits[np.lexsort((-found.scores[hits], matches.lesion[hits]))]
    lesion, first = np.unique(matches.lesion[hits], return_index=True)
    best = np.full(len(evaluation.truth.lesions.boxes), -1)
    best[lesion] = hits[first]
    return best


def spread(findings: Findings, patients: np.ndarray, count: int) -> np.ndarray:
    """Places of the first `count` findings, of each image and each patient only so many.

    Args:
        patients: (N,) number of each image's patient, -1 where unknown.
    """
    kept = np.flatnonzero(_earlier(findings.image) < MOST_OF_IMAGE)
    patient = patients[findings.image[kept]]
    few = (_earlier(patient) < MOST_OF_PATIENT) | (patient < 0)
    return kept[few][:count]


def _earlier(groups: np.ndarray) -> np.ndarray:
    # How many earlier entries are of the same group: (n,) -> (n,).
    order = np.argsort(groups, kind='stable')
    ordered = groups[order]
    earlier = np.empty(len(groups), np.int64)
    earlier[order] = np.arange(len(groups)) - np.searchsorted(ordered, ordered)
    return earlier


def _reach(evaluation: Evaluation) -> np.ndarray:
    scores = evaluation.detections.scores
    return (scores >= evaluation.score_thr) & (scores > 0)


def _by_score(evaluation: Evaluation, which: np.ndarray) -> np.ndarray:
    return which[np.argsort(-evaluation.detections.scores[which], kind='stable')]


def _share_of_image(evaluation: Evaluation) -> np.ndarray:
    # (G,) in pixels where an image's size is not known: then they are compared as they are.
    lesions, images = evaluation.truth.lesions, evaluation.truth.images
    sizes = [(image.get('width') or 0) * (image.get('height') or 0) for image in images]
    area = np.array(sizes if all(sizes) else [1] * len(images), np.float64)
    return np.prod(lesions.boxes[:, 2:] - lesions.boxes[:, :2], axis=1) / area[lesions.image]
