"""Which reviewed box is which annotation, and what was done to it.

Boxes are xywh in pixels. Pairs are formed one to one, the surest first:

1. the same class at an IoU of 0.9 or more: kept;
2. another class at 0.9 or more: reclassified;
3. the same class at 0.25 or more, the study's criterion for the same lesion: moved;
4. another class at 0.25 or more: moved and reclassified.

What is left of the reviewed boxes was added, what is left of the annotations removed.
"""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.matching import IOU_THR, box_iou

KEPT, MOVED, RECLASSIFIED, BOTH = 'kept', 'moved', 'reclassified', 'moved and reclassified'
ADDED, REMOVED = 'added', 'removed'
ACTIONS = (KEPT, MOVED, RECLASSIFIED, BOTH, ADDED, REMOVED)

KEPT_IOU = 0.9


@dataclass(frozen=True)
class Comparison:
    """`pairs` are (annotation, reviewed box, action), `added` and `removed` indices of either."""

    pairs: tuple[tuple[int, int, str], ...]
    added: tuple[int, ...]
    removed: tuple[int, ...]


def compare(
    before: np.ndarray, before_classes: list, after: np.ndarray, after_classes: list
) -> Comparison:
    """Compare the annotations of one image with the boxes that the reviewer left.

    Args:
        before, after: (A, 4) and (R, 4) xywh.
        before_classes, after_classes: category ids.
    """
    iou = pairwise_iou(before, after)
    same = np.array([[a == b for b in after_classes] for a in before_classes], bool)
    same = same.reshape(iou.shape)
    rows, columns = np.nonzero(iou >= IOU_THR)
    sure, alike, share = iou[rows, columns] >= KEPT_IOU, same[rows, columns], iou[rows, columns]
    left, free = set(range(len(before))), set(range(len(after)))
    pairs = []
    for i in np.lexsort((-share, ~alike, ~sure)):
        row, column = int(rows[i]), int(columns[i])
        if row in left and column in free:
            left.remove(row)
            free.remove(column)
            pairs.append((row, column, _action(bool(sure[i]), bool(alike[i]))))
    return Comparison(tuple(sorted(pairs)), tuple(sorted(free)), tuple(sorted(left)))


def pairwise_iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(A, 4) and (B, 4) xywh -> (A, B)."""
    one, other = _corners(one), _corners(other)
    return box_iou(one, np.broadcast_to(other, (len(one), *other.shape)))


def _corners(boxes: np.ndarray) -> np.ndarray:
    boxes = np.array(boxes, np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def _action(sure: bool, alike: bool) -> str:
    if sure:
        return KEPT if alike else RECLASSIFIED
    return MOVED if alike else BOTH
