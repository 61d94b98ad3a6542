"""Which lesion each prediction belongs to, for a whole data set at once.

Neither class nor score threshold plays a part here, so this is done once for all
thresholds. Boxes are xyxy in original-image pixels, not clipped, without +1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import Annotations, Detections, Truth

IOU_THR = 0.25
# Pairs of a prediction and an annotation looked at in one go: they fit into the cache.
_PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Matches:
    """For each prediction its lesion, and whether an ignored annotation excuses it."""

    lesion: np.ndarray  # (P,) index into the lesions, -1 for none
    excused: np.ndarray  # (P,) bool, False where there is a lesion


def match(truth: Truth, detections: Detections, iou_thr: float = IOU_THR) -> Matches:
    """Assign every prediction of the data set.

    A prediction that belongs to no lesion is excused by an annotation marked `ignore`
    with IoU >= `iou_thr`, or one marked `iscrowd` that holds at least that share of the
    prediction's own area.
    """
    lesion = np.full(len(detections.image), -1)
    for rows, columns in _candidates(detections.image, truth.lesions):
        iou = box_iou(detections.boxes[rows], truth.lesions.boxes[columns])  # (R, G)
        nearest = assign_to_lesions(iou, iou_thr)
        hit = nearest >= 0
        lesion[rows[hit]] = columns[hit, nearest[hit]]

    excused = np.zeros(len(lesion), bool)
    alone = np.flatnonzero(lesion < 0)
    for annotations, share in ((truth.ignored, box_iou), (truth.crowds, share_inside)):
        for rows, columns in _candidates(detections.image[alone], annotations):
            shares = share(detections.boxes[alone[rows]], annotations.boxes[columns])
            excused[alone[rows]] |= (shares >= iou_thr).any(axis=1)
    return Matches(lesion, excused)


def assign_to_lesions(iou: np.ndarray, iou_thr: float) -> np.ndarray:
    """Which lesion each prediction belongs to: (P, G) IoU -> (P,) lesion index, -1 for none.

    Several predictions may belong to one lesion; none belongs to two. Of lesions with
    equal IoU it is the earlier.
    """
    if iou.shape[1] == 0:
        return np.full(len(iou), -1)
    best = iou.argmax(axis=1)  # the first of equals
    return np.where(iou[np.arange(len(iou)), best] >= iou_thr, best, -1)


def box_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU of each box with its own row of others; 0 where either has no area.

    Args:
        boxes: (P, 4) xyxy.
        others: (P, G, 4) xyxy.
    Returns:
        (P, G) float64.
    """
    intersection = _intersection(boxes, others)
    union = _area(boxes)[:, None] + _area(others) - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=intersection > 0)


def share_inside(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of each box's own area inside each of its row of others; shapes as `box_iou`."""
    intersection = _intersection(boxes, others)
    area = np.broadcast_to(_area(boxes)[:, None], intersection.shape)
    return np.divide(intersection, area, out=np.zeros_like(intersection), where=intersection > 0)


def _candidates(
    image: np.ndarray, annotations: Annotations
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    # Images with equally many annotations form one dense block: (R,) predictions against
    # (R, G) annotations of their own image. There are few different counts.
    of_image = np.diff(annotations.offsets)
    counts = of_image[image]  # (P,)
    for count in np.unique(of_image[of_image > 0]):
        block = np.flatnonzero(counts == count)
        step = max(1, _PAIRS_AT_ONCE // int(count))
        for start in range(0, len(block), step):
            rows = block[start : start + step]
            yield rows, annotations.offsets[image[rows], None] + np.arange(count)


def _intersection(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    own = boxes[:, None]
    width = np.minimum(own[..., 2], others[..., 2]) - np.maximum(own[..., 0], others[..., 0])
    height = np.minimum(own[..., 3], others[..., 3]) - np.maximum(own[..., 1], others[..., 1])
    return np.maximum(width, 0) * np.maximum(height, 0)  # (P, G)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
