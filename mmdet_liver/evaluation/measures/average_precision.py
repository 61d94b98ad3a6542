"""COCO's average precision (Lin et al., arXiv:1405.0312, as pycocotools computes it).

Each lesion is claimed by one prediction of its own class; AP is the mean of the
interpolated precision at the recalls 0, 0.01, ..., 1. At most the 100 best predictions of
an image and class count. What the sizes S, M and L divide is the area of the box, of
lesions and of predictions, at 32^2 and 96^2 pixels; a file's `area` is not read. (Ours hold
the box area; in one that holds the area of a mask, COCO's tools would go by that.)

Annotations marked `ignore` are treated as those marked `iscrowd`: pycocotools would count
them as lesions, and MMDetection's CocoMetric drops them, so that a prediction there is
wrong. Where nothing is ignored all three agree (but CocoMetric takes the 1,000 best where an
image has that many of a class). Scores are rounded to 6 decimals, as everywhere in this
evaluation.

The libraries give the same numbers (the tests compare them) from a dictionary a prediction,
which is 1 GB for 8,391 images with 100 each; here the arrays at hand are used, as in TIDE's
error types, which need the same matching.
"""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import Annotations, Detections, Truth, group_by_image
from mmdet_liver.evaluation.matching import box_iou, share_inside
from mmdet_liver.evaluation.measures.claiming import (
    Pairs,
    claims,
    join,
    overlapping_pairs,
    place_in_group,
    ranking,
)

MAX_DETECTIONS = 100  # of one image and class
NAMES = ('mAP', 'AP50', 'AP75', 'AP_S', 'AP_M', 'AP_L', 'AP10', 'AP25')
# COCO's own ten, which must be the same doubles as there, after two of ours.
_IOU_THRS = np.concatenate([[0.10, 0.25], np.linspace(0.5, 0.95, 10)])
_COCO = slice(2, None)
_RECALLS = np.linspace(0, 1, 101)
_AREAS = ((0, 1e5**2), (0, 32**2), (32**2, 96**2), (96**2, 1e5**2))  # all, S, M, L; inclusive


@dataclass(frozen=True)
class AveragePrecision:
    """AP of each kind, 0..1; NaN where there is no such lesion."""

    names: tuple[str, ...]
    mean: np.ndarray  # (8,) over the classes that have such lesions
    per_class: np.ndarray  # (C, 8)


@dataclass(frozen=True)
class _Marked:
    # All annotations in the order of the file.
    boxes: Annotations
    crowd: np.ndarray  # (G,) bool: any number of predictions may lie there, and none counts


def average_precision(truth: Truth, detections: Detections) -> AveragePrecision:
    """COCO AP of a data set, by class and as a mean.

    Returns:
        mAP is the mean over the IoU thresholds 0.50, 0.55, ..., 0.95, AP50 and AP75 are at
        one of them, AP_S, AP_M and AP_L as mAP for lesions of one size; AP10 and AP25 at
        IoU 0.10 and 0.25, which COCO does not have.
    """
    detections = best_of_each_image(detections, len(truth.labels))
    by_class = _by_class(truth, detections)  # (A, T, C)
    in_all = by_class[0]
    sizes = [by_class[a, _COCO].mean(axis=0) for a in range(len(_AREAS))]
    at = {int(round(t * 100)): in_all[i] for i, t in enumerate(_IOU_THRS)}
    per_class = np.stack([sizes[0], at[50], at[75], *sizes[1:], at[10], at[25]], axis=1)
    return AveragePrecision(NAMES, mean_known(per_class), per_class)


def interpolated_precision(ranks: np.ndarray, num_lesions: int) -> float:
    """AP of one class.

    Args:
        ranks: (K,) ascending, from 1: the places of the hits in the list of predictions.
        num_lesions: 1 or more.
    """
    if not len(ranks):
        return 0.0
    hits = np.arange(1, len(ranks) + 1)
    best = np.maximum.accumulate((hits / ranks)[::-1])[::-1]  # at this recall or a higher one
    first = np.searchsorted(hits / num_lesions, _RECALLS)
    return float(best[first[first < len(hits)]].sum() / len(_RECALLS))


def mean_known(per_class: np.ndarray) -> np.ndarray:
    """(C, ...) -> (...): the mean over the classes with a number; NaN if there is none."""
    known = ~np.isnan(per_class)
    count = known.sum(axis=0)
    total = np.where(known, per_class, 0).sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def best_of_each_image(detections: Detections, num_classes: int) -> Detections:
    """Keep the best `MAX_DETECTIONS` of each image and class; of equals the earlier."""
    group = detections.image * num_classes + detections.classes
    if not len(group) or np.bincount(group).max() <= MAX_DETECTIONS:
        return detections
    kept = place_in_group(group, -detections.scores) < MAX_DETECTIONS
    return Detections(
        detections.image[kept],
        detections.boxes[kept],
        detections.classes[kept],
        detections.scores[kept],
    )


def _by_class(truth: Truth, detections: Detections) -> np.ndarray:
    # AP (A, T, C) by area, IoU threshold and class.
    marked = _all_annotations(truth)
    pairs = _pairs(detections, marked)
    group = detections.image * len(truth.labels) + detections.classes
    order = ranking(truth, detections)
    ranked = [order[detections.classes[order] == c] for c in range(1, len(truth.labels))]
    area, own_area = _area(marked.boxes.boxes), _area(detections.boxes)
    result = np.full((len(_AREAS), len(_IOU_THRS), len(ranked)), np.nan)
    for a, (low, high) in enumerate(_AREAS):
        ignored = marked.crowd | (area < low) | (area > high)
        inside = (own_area >= low) & (own_area <= high)
        won = claims(pairs, group, detections.scores, _IOU_THRS, ignored, marked.crowd)
        lesions = np.bincount(marked.boxes.classes[~ignored], minlength=len(truth.labels))
        for t in range(len(_IOU_THRS)):
            claimed = pairs.where(won[:, t])
            void = ignored[claimed.annotation]
            hits = np.zeros(len(inside), bool)
            hits[claimed.prediction[~void]] = True
            # A hit counts whatever its size, anything else only if it is of this size.
            counted = inside | hits
            counted[claimed.prediction[void]] = False
            for c, own in enumerate(ranked):
                if lesions[c + 1]:
                    ranks = np.cumsum(counted[own])[hits[own]]
                    result[a, t, c] = interpolated_precision(ranks, lesions[c + 1])
    return result


def _all_annotations(truth: Truth) -> _Marked:
    parts = (truth.lesions, truth.ignored, truth.crowds)
    source = np.concatenate([part.source for part in parts])
    order = np.argsort(source, kind='stable')

    def joined(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays)[order]

    image = joined([part.image for part in parts])
    boxes = group_by_image(
        image,
        joined([part.boxes for part in parts]),
        joined([part.classes for part in parts]),
        source[order],
        len(truth.images),
    )
    crowd = np.arange(len(order)) >= len(truth.lesions.boxes)
    return _Marked(boxes, crowd[order][np.argsort(image, kind='stable')])


def _pairs(detections: Detections, marked: _Marked) -> Pairs:
    # Of the same class; the overlap with a crowd is the share of the prediction inside it.
    lowest = _IOU_THRS[0]
    lesions = overlapping_pairs(detections, marked.boxes, lowest, box_iou)
    parts = [lesions.where(~marked.crowd[lesions.annotation])]
    if marked.crowd.any():
        crowds = overlapping_pairs(detections, marked.boxes, lowest, share_inside)
        parts.append(crowds.where(marked.crowd[crowds.annotation]))
    pairs = join(parts)
    classes = marked.boxes.classes[pairs.annotation]
    return pairs.where(detections.classes[pairs.prediction] == classes)


def _area(boxes: np.ndarray) -> np.ndarray:
    # Rounded, since x + 32 - x need not be 32, and 32^2 is a boundary.
    return np.round((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 6)
