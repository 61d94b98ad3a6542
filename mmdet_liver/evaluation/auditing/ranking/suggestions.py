"""Predictions that belong to no lesion, put together: labels that may be missing.

Overlapping ones of one image, of any class and of several models, are one suggestion. A
model's say is the score of its best prediction there, and 0 where it has none; the
suggestion's score is the mean over all models. Boxes are xyxy in original-image pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import Detections
from mmdet_liver.evaluation.matching import Matches, box_iou

SAME_PLACE_IOU = 0.5


@dataclass(frozen=True)
class Suggestions:
    """One row a suggestion, by image, the best of an image first."""

    image: np.ndarray  # (S,)
    boxes: np.ndarray  # (S, 4) of the prediction with the highest score
    classes: np.ndarray  # (S,) the class with the highest sum of the models' scores
    score: np.ndarray  # (S,) mean over all models
    models: np.ndarray  # (S,) how many models have a prediction there


def find_suggestions(
    predictions: Sequence[Detections], matches: Sequence[Matches], min_score: float
) -> Suggestions:
    """Put the over-detections of one or several models together.

    Args:
        predictions: of each model, on the same images.
        matches: of each model's predictions with the lesions.
        min_score: predictions below it, of score 0 or without area have no say.
    """
    chosen = [_says(p, m, min_score) for p, m in zip(predictions, matches, strict=True)]

    def gather(column: str) -> np.ndarray:
        parts = [getattr(p, column)[rows] for p, rows in zip(predictions, chosen, strict=True)]
        return np.concatenate(parts)

    image, scores = gather('image'), gather('scores')
    model = np.repeat(np.arange(len(chosen)), [len(rows) for rows in chosen])
    # Of equal scores the earlier file, and in it the earlier prediction, comes first.
    order = np.lexsort((-scores, image))
    image, boxes, scores, model = image[order], gather('boxes')[order], scores[order], model[order]
    classes = gather('classes')[order]

    seeds, group = np.unique(group_overlapping(image, boxes), return_inverse=True)
    # The first prediction of a model in a group is its best.
    _, first = np.unique(group * len(chosen) + model, return_index=True)
    votes = np.zeros((len(seeds), classes.max(initial=0) + 1))
    np.add.at(votes, (group[first], classes[first]), scores[first])
    return Suggestions(
        image=image[seeds],
        boxes=boxes[seeds],
        classes=votes.argmax(axis=1),
        score=votes.sum(axis=1) / len(chosen),
        models=np.bincount(group[first], minlength=len(seeds)),
    )


def group_overlapping(
    image: np.ndarray, boxes: np.ndarray, iou_thr: float = SAME_PLACE_IOU
) -> np.ndarray:
    """(P,) index of the box that each box goes with, itself if it leads.

    The first box of an image that goes with none yet leads; with it go those of the image
    whose IoU with it is at least `iou_thr`.

    Args:
        image: (P,) ascending.
        boxes: (P, 4) xyxy, the leading ones first.
    """
    leader = np.full(len(image), -1)
    left = np.arange(len(image))
    while len(left):  # as often as the image with the most groups has groups
        starts = np.diff(image[left], prepend=-1) > 0
        own = left[starts][starts.cumsum() - 1]
        iou = box_iou(boxes[left], boxes[own][:, None])[:, 0]
        joins = (iou >= iou_thr) | starts
        leader[left[joins]] = own[joins]
        left = left[~joins]
    return leader


def _says(found: Detections, matched: Matches, min_score: float) -> np.ndarray:
    area = (found.boxes[:, 2:] > found.boxes[:, :2]).all(axis=1)
    alone = (matched.lesion < 0) & ~matched.excused
    return np.flatnonzero(alone & area & (found.scores > 0) & (found.scores >= min_score))
