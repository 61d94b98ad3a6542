"""FROC: sensitivity against false positives per image, for all lesions and for each class.

Of class c: its predictions against its lesions; those of other classes do not exist, so a
prediction of class c on one is a false positive. Each prediction belongs to the lesion of
highest IoU, as in the study's metric. A lesion is hit from its highest score down; further
predictions on it are neither hits nor false positives. A prediction on no lesion is a
false positive, unless an ignored annotation of any class excuses it. Images without a
lesion count among the images.

Sensitivity at a rate is the highest that some threshold reaches with no more false
positives per image than that: a point that a user can set. LUNA16 (Setio et al., MedIA
2017) and nnDetection interpolate linearly between such points, which gives higher values
where a curve has few; nnDetection also counts further predictions on a hit lesion as false,
LUNA16 does not.
"""

from dataclasses import dataclass, replace

import numpy as np

from mmdet_liver.evaluation.arrays import Annotations, Detections, Truth, group_by_image
from mmdet_liver.evaluation.matching import match

# False positives per image; the mean sensitivity over them is LUNA16's score.
RATES = (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
# False positives looked at first, as a multiple of what the highest rate allows.
_MARGIN = 1.25


@dataclass(frozen=True)
class FrocEvents:
    """What happens as the threshold falls; hits and false positives by descending score."""

    lesion_image: np.ndarray  # (G,) image number of each lesion, hit or not
    hit_image: np.ndarray  # (H,)
    hit_score: np.ndarray  # (H,)
    false_image: np.ndarray  # (F,)
    false_score: np.ndarray  # (F,)
    num_images: int


def froc_events(truth: Truth, detections: Detections, iou_thr: float) -> tuple[FrocEvents, ...]:
    """List hits and false positives: of any class (index 0), then of the classes 1..C.

    With any class, what a prediction is called plays no part. It ranks the scores of all
    classes in one list, so it also depends on how they compare between classes; the mean
    over classes of their own sensitivities does not.
    """
    # A score of 0 is no prediction.
    detections = _subset(detections, detections.scores > 0)
    events = [_events(truth, detections, iou_thr)]
    for c in range(1, len(truth.labels)):
        alone = replace(truth, lesions=_of_class(truth.lesions, c))
        events.append(_events(alone, _subset(detections, detections.classes == c), iou_thr))
    return tuple(events)


def sensitivities(
    events: FrocEvents, weights: np.ndarray, rates: tuple[float, ...] = RATES
) -> np.ndarray:
    """Sensitivity at each rate in each resample; the mean over rates is the FROC score.

    Args:
        weights: (R, N) how often each image was drawn; the drawn images, not N, are what
            false positives are divided by.
        rates: false positives per image.
    Returns:
        (R, len(rates)), NaN where no lesion was drawn.
    """
    weights = np.asarray(weights, np.float64)
    lesions = weights @ np.bincount(events.lesion_image, minlength=events.num_images)  # (R,)
    # A rate times the images may fall a bit below the whole number that it stands for.
    allowed = np.outer(weights.sum(axis=1), rates) * (1 + 1e-12)  # (R, rates)
    first = np.empty(allowed.shape, np.int64)
    for r, weight in enumerate(weights):
        first[r] = _first_too_many(events, weight, allowed[r])
    # The false positive that is too many shuts out its own score: what has it enters at once.
    score = np.append(events.false_score, -np.inf)[first]
    entered = np.searchsorted(-events.hit_score, -score, side='left')  # (R, rates)
    hits = np.empty(allowed.shape)
    for r, weight in enumerate(weights):
        hits[r] = np.append(0, weight[events.hit_image].cumsum())[entered[r]]
    drawn = lesions[:, None] > 0
    return np.divide(hits, lesions[:, None], out=np.full(hits.shape, np.nan), where=drawn)


def froc_curve(events: FrocEvents) -> tuple[np.ndarray, np.ndarray]:
    """False positives per image (K,) and sensitivity (K,), both ascending, to draw as steps.

    From (0, 0) over the points at which lesions are hit to the lowest score. A step ends
    at the next point: sensitivity at a rate is that of the last point not right of it.
    """
    thresholds = -np.unique(-events.hit_score)  # descending
    false, hits = (
        np.concatenate([[0], np.searchsorted(-score, -thresholds, side='right'), [len(score)]])
        for score in (events.false_score, events.hit_score)
    )
    with np.errstate(invalid='ignore'):  # 0 / 0 is NaN
        return false / events.num_images, hits / len(events.lesion_image)


def _events(truth: Truth, detections: Detections, iou_thr: float) -> FrocEvents:
    matches = match(truth, detections, iou_thr)
    on_lesion = matches.lesion >= 0
    best = np.zeros(len(truth.lesions.boxes))
    np.maximum.at(best, matches.lesion[on_lesion], detections.scores[on_lesion])
    hit = _descending(best, best > 0)
    false = _descending(detections.scores, ~on_lesion & ~matches.excused)
    return FrocEvents(
        lesion_image=truth.lesions.image,
        hit_image=truth.lesions.image[hit],
        hit_score=best[hit],
        false_image=detections.image[false],
        false_score=detections.scores[false],
        num_images=len(truth.images),
    )


def _first_too_many(events: FrocEvents, weight: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    # (rates,) index of the false positive that goes beyond each of `allowed`; F if none does.
    # Only the top of the list is summed: some 8 an image of perhaps 100.
    total, most = len(events.false_image), allowed.max(initial=0)
    length = int(most * _MARGIN) + 1
    while True:
        reached = weight[events.false_image[:length]].cumsum()
        if length >= total or reached[-1] > most:
            return np.searchsorted(reached, allowed, side='right')
        length *= 2


def _descending(scores: np.ndarray, kept: np.ndarray) -> np.ndarray:
    chosen = np.flatnonzero(kept)
    return chosen[np.argsort(-scores[chosen], kind='stable')]


def _subset(detections: Detections, kept: np.ndarray) -> Detections:
    return Detections(
        image=detections.image[kept],
        boxes=detections.boxes[kept],
        classes=detections.classes[kept],
        scores=detections.scores[kept],
    )


def _of_class(annotations: Annotations, label: int) -> Annotations:
    kept = annotations.classes == label
    columns = (annotations.image, annotations.boxes, annotations.classes, annotations.source)
    return group_by_image(*(column[kept] for column in columns), len(annotations.offsets) - 1)
