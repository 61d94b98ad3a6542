"""What kind of mistake each prediction is, after TIDE (Bolya et al., ECCV 2020,
arXiv:2008.08115, section 2.2; the default foreground IoU is this study's 0.25, not 0.5).

A prediction that claimed no lesion of its class (see `claiming`) has the first type that
fits, in the order in which the authors' program `tidecv` asks; IoU is its highest with any
lesion of its own class, or with any of another class, claimed or not:

    localisation    own class: background IoU <= IoU < foreground IoU
    classification  another class: IoU >= foreground IoU
    duplicate       own class: IoU >= foreground IoU, and another prediction claimed it
    background      any class: IoU < background IoU
    both            what is left: another class, background IoU <= IoU < foreground IoU

A lesion is missed if no prediction claimed it and none is a localisation or classification
error on it. Each type is mended alone, and the gain in AP is its weight: the highest-scored
error of the type on an unclaimed lesion becomes a hit (classification, localisation), all
others of the type are taken away, missed lesions are not asked for.

On purpose this differs from `tidecv` 1.0.1:
- Ignored annotations excuse a prediction as in the study's F1, from having a type and from
  AP; there they need the same class and count as errors all the same.
- An IoU of exactly the foreground threshold is enough for a hit, so it is no localisation
  error; one of exactly the background threshold is not background.
- What is the highest-scored error on a lesion is asked among errors of the type that is
  mended, as in the paper; there among localisation and classification errors together.
- AP is a mean over the classes that have lesions; there also over classes that only have
  predictions. A class of which nothing is left to find and nothing predicted has AP 1.
- All predictions of an image count, not its 100 best.
- The recalls that AP is read at are pycocotools' doubles; those there differ in the last bit,
  which may move AP by one step of 101.
"""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import Detections, Truth
from mmdet_liver.evaluation.matching import IOU_THR, match
from mmdet_liver.evaluation.measures.average_precision import interpolated_precision
from mmdet_liver.evaluation.measures.claiming import (
    Pairs,
    claims,
    overlapping_pairs,
    ranking,
)

ERROR_TYPES = ('classification', 'localisation', 'both', 'duplicate', 'background', 'missed')
BACKGROUND_IOU_THR = 0.1
_CLASSIFICATION, _LOCALISATION, _BOTH, _DUPLICATE, _BACKGROUND, _MISSED = range(6)
_NO_ERROR = -1


@dataclass(frozen=True)
class ErrorTypes:
    """How many mistakes of each type there are, and what each type costs."""

    names: tuple[str, ...]
    counts: np.ndarray  # (6,) at the score threshold
    delta_ap: np.ndarray  # (6,) 0..1: AP with this type mended, less `ap`; of all scores
    ap: float  # at the foreground IoU, of all scores; NaN without lesions
    of_prediction: np.ndarray  # (P,) index into `names`; -1 for none, and below the threshold
    missed: np.ndarray  # (G,) bool, at the score threshold


@dataclass(frozen=True)
class _Sorted:
    # Whatever the threshold: each prediction's place in the analysis.
    type: np.ndarray  # (P,) index into ERROR_TYPES, or _NO_ERROR
    lesion: np.ndarray  # (P,) claimed, or erred on (localisation, classification); else -1
    hit: np.ndarray  # (P,) bool
    excused: np.ndarray  # (P,) bool


def error_types(
    truth: Truth,
    detections: Detections,
    iou_thr: float = IOU_THR,
    background_iou_thr: float = BACKGROUND_IOU_THR,
    *,
    score_thr: float,
) -> ErrorTypes:
    """Sort all mistakes into TIDE's six types.

    Args:
        iou_thr: foreground IoU.
        background_iou_thr: background IoU; at most `iou_thr` of it is used.
        score_thr: for the counts; a score of 0 is no prediction there.
    """
    found = _sort(truth, detections, iou_thr, min(background_iou_thr, iou_thr))
    shown = (detections.scores >= score_thr) & (detections.scores > 0)
    missed = _missed(found, shown, len(truth.lesions.boxes))
    of_prediction = np.where(shown, found.type, _NO_ERROR)
    counts = np.bincount(of_prediction[of_prediction >= 0], minlength=len(ERROR_TYPES))
    counts[_MISSED] = missed.sum()
    ap, mended = _mend_each(truth, detections, found)
    return ErrorTypes(
        names=ERROR_TYPES,
        counts=counts,
        # Mending cannot harm, but the steps of the recall may fall differently.
        delta_ap=np.maximum(mended - ap, 0),
        ap=ap,
        of_prediction=of_prediction,
        missed=missed,
    )


def _sort(truth: Truth, detections: Detections, iou_thr: float, background: float) -> _Sorted:
    lesions = truth.lesions
    pairs = overlapping_pairs(detections, lesions, background)
    same = detections.classes[pairs.prediction] == lesions.classes[pairs.annotation]
    own, other = pairs.where(same), pairs.where(~same)
    claimed = _claimed(truth, detections, own.where(own.iou >= iou_thr), iou_thr)
    own_iou, own_lesion = _highest(own, len(claimed))
    other_iou, other_lesion = _highest(other, len(claimed))
    hit = claimed >= 0
    excused = match(truth, detections, iou_thr).excused & ~hit
    localisation = (own_iou >= background) & (own_iou < iou_thr)
    types = np.select(
        [
            hit | excused,
            localisation,
            other_iou >= iou_thr,
            own_iou >= iou_thr,
            np.maximum(own_iou, other_iou) < background,
        ],
        [_NO_ERROR, _LOCALISATION, _CLASSIFICATION, _DUPLICATE, _BACKGROUND],
        default=_BOTH,
    )
    erred_on = [types == _LOCALISATION, types == _CLASSIFICATION]
    return _Sorted(
        type=types,
        lesion=np.select([hit, *erred_on], [claimed, own_lesion, other_lesion], default=-1),
        hit=hit,
        excused=excused,
    )


def _claimed(truth: Truth, detections: Detections, pairs: Pairs, iou_thr: float) -> np.ndarray:
    # (P,) the lesion that each prediction claimed, -1 for none.
    group = detections.image * len(truth.labels) + detections.classes
    nowhere = np.zeros(len(truth.lesions.boxes), bool)
    thrs = np.array([iou_thr])
    won = claims(pairs, group, detections.scores, thrs, nowhere, nowhere)[:, 0]
    claimed = np.full(len(detections.image), -1)
    claimed[pairs.prediction[won]] = pairs.annotation[won]
    return claimed


def _highest(pairs: Pairs, num_predictions: int) -> tuple[np.ndarray, np.ndarray]:
    # (P,) highest IoU of each prediction, 0 for none, and its lesion; of equals the first.
    order = np.lexsort((pairs.annotation, -pairs.iou, pairs.prediction))
    prediction, first = np.unique(pairs.prediction[order], return_index=True)
    iou, lesion = np.zeros(num_predictions), np.full(num_predictions, -1)
    iou[prediction] = pairs.iou[order[first]]
    lesion[prediction] = pairs.annotation[order[first]]
    return iou, lesion


def _missed(found: _Sorted, shown: np.ndarray, num_lesions: int) -> np.ndarray:
    missed = np.ones(num_lesions, bool)
    missed[found.lesion[shown & (found.lesion >= 0)]] = False
    return missed


def _mend_each(truth: Truth, detections: Detections, found: _Sorted) -> tuple[float, np.ndarray]:
    # AP as it is, and (6,) with each type mended.
    order = ranking(truth, detections)
    order = order[~found.excused[order]]
    types, lesion, hit = found.type[order], found.lesion[order], found.hit[order]
    classes = detections.classes[order]
    lesion_class = truth.lesions.classes
    lesions = np.bincount(lesion_class, minlength=len(truth.labels))
    counted = np.flatnonzero(lesions)

    def ap(classes: np.ndarray, hit: np.ndarray, lesions: np.ndarray) -> float:
        each = [_class_ap(hit[classes == c], lesions[c]) for c in counted]
        return float(np.mean(each)) if each else np.nan

    unclaimed = np.ones(len(lesion_class), bool)
    unclaimed[lesion[hit]] = False
    mended = np.empty(len(ERROR_TYPES))
    for number in range(_MISSED):
        wrong = np.flatnonzero(types == number)
        mendable = wrong[lesion[wrong] >= 0]
        mendable = mendable[unclaimed[lesion[mendable]]]
        # `order` is by falling score, so the first on a lesion is the best.
        best = mendable[np.unique(lesion[mendable], return_index=True)[1]]
        now_hit, now_classes = hit.copy(), classes.copy()
        now_classes[wrong] = 0  # of no class: taken away
        now_hit[best], now_classes[best] = True, lesion_class[lesion[best]]
        mended[number] = ap(now_classes, now_hit, lesions)
    missed = _missed(found, ~found.excused, len(lesion_class))
    still = lesions - np.bincount(lesion_class[missed], minlength=len(lesions))
    mended[_MISSED] = ap(classes, hit, still)
    return ap(classes, hit, lesions), mended


def _class_ap(hit: np.ndarray, num_lesions: int) -> float:
    # `hit` (P,) bool by falling score.
    if num_lesions == 0:
        return float(len(hit) == 0)
    return interpolated_precision(np.flatnonzero(hit) + 1, num_lesions)
