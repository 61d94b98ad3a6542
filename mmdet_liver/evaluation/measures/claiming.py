"""COCO's one-to-one matching, for a whole data set at once.

By falling score, each prediction claims the free annotation of its own image and class
with which its IoU is highest (of equals the later in the file, as pycocotools has it).
This is not the matching of the study's F1, where several predictions may share a lesion.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import Annotations, Detections, Truth
from mmdet_liver.evaluation.matching import box_iou

# Pairs of a prediction and an annotation looked at in one go: bounds the memory.
_PAIRS_AT_ONCE = 1 << 19


@dataclass(frozen=True)
class Pairs:
    """A prediction and an annotation of one image, and how much they overlap."""

    prediction: np.ndarray  # (N,)
    annotation: np.ndarray  # (N,)
    iou: np.ndarray  # (N,)

    def where(self, kept: np.ndarray) -> 'Pairs':
        """Those for which `kept` (N,) is true."""
        return Pairs(self.prediction[kept], self.annotation[kept], self.iou[kept])


def overlapping_pairs(
    detections: Detections,
    annotations: Annotations,
    lowest_iou: float,
    overlap: Callable[[np.ndarray, np.ndarray], np.ndarray] = box_iou,
) -> Pairs:
    """All pairs, of whatever classes, with an overlap of `lowest_iou` or more.

    Args:
        overlap: (N, 4) boxes of predictions and (N, 1, 4) of annotations, xyxy, -> (N, 1).
    Returns:
        By prediction, then by annotation.
    """
    found = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for prediction, annotation in _same_image(detections.image, annotations.offsets):
        boxes, others = detections.boxes[prediction], annotations.boxes[annotation, None]
        pairs = Pairs(prediction, annotation, overlap(boxes, others)[:, 0])
        found.append(pairs.where(pairs.iou >= lowest_iou))
    return join(found)


def join(parts: list[Pairs]) -> Pairs:
    return Pairs(
        np.concatenate([part.prediction for part in parts]),
        np.concatenate([part.annotation for part in parts]),
        np.concatenate([part.iou for part in parts]),
    )


def ranking(truth: Truth, detections: Detections) -> np.ndarray:
    """Predictions (P,) by falling score; of equals by image id, then in the order of the list."""
    ids = truth.image_ids
    order = sorted(range(len(ids)), key=lambda i: (isinstance(ids[i], str), ids[i]))
    place = np.empty(len(ids), np.int64)
    place[order] = np.arange(len(ids))
    return np.lexsort((place[detections.image], -detections.scores))


def place_in_group(group: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """(N,) place from 0 of each entry in its group, sorted by the keys (N,), the last one first.

    Of entries that are equal in all keys the earlier comes first.
    """
    order = np.lexsort((*keys, group))
    _, starts, counts = np.unique(group[order], return_index=True, return_counts=True)
    place = np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - np.repeat(starts, counts)
    return place


def claims(
    pairs: Pairs,
    group: np.ndarray,
    scores: np.ndarray,
    iou_thrs: np.ndarray,
    second_choice: np.ndarray,
    never_full: np.ndarray,
) -> np.ndarray:
    """Which pairs come about at each IoU threshold.

    Args:
        pairs: of predictions and annotations of the same image and class.
        group: (P,) a number for each prediction's image and class.
        scores: (P,).
        iou_thrs: (T,).
        second_choice: (G,) bool, annotations claimed only where no other can be.
        never_full: (G,) bool, annotations that any number of predictions may claim.
    Returns:
        (N, T) bool: at most one pair for a prediction, and for an annotation that can
        be full.
    """
    near, index = np.unique(pairs.prediction, return_inverse=True)  # (Q,), (N,)
    turn = place_in_group(group[near], -scores[near])[index]  # (N,)
    choice = _choice(pairs, second_choice)
    order = np.lexsort((choice, turn))
    index, annotation = index[order], pairs.annotation[order]
    won = pairs.iou[order, None] >= iou_thrs  # (N, T), as yet only possible
    idle = np.ones((len(near), len(iou_thrs)), bool)
    free = np.ones((len(never_full), len(iou_thrs)), bool)
    for batch in _batches(turn[order], choice[order]):
        # One prediction of each group, with one annotation: nothing comes twice.
        own, other = index[batch], annotation[batch]
        still_idle, still_free = idle[own], free[other]
        now = won[batch] & still_idle & still_free
        won[batch] = now
        idle[own] = still_idle & ~now
        free[other] = still_free & (~now | never_full[other, None])
    result = np.empty_like(won)
    result[order] = won
    return result


def _same_image(image: np.ndarray, offsets: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    # Every prediction with every annotation of its image, in blocks.
    counts = np.diff(offsets)[image]  # (P,)
    ends = np.cumsum(counts)
    total = int(counts.sum())
    cuts = np.searchsorted(ends, np.arange(0, total, _PAIRS_AT_ONCE), side='right')
    for start, stop in itertools.pairwise([*cuts, len(image)]):
        rows = np.repeat(np.arange(start, stop), counts[start:stop])
        before = np.repeat(ends[start:stop] - counts[start:stop], counts[start:stop])
        within = np.arange(len(rows)) + (ends[start] - counts[start]) - before
        yield rows, offsets[image[rows]] + within


def _choice(pairs: Pairs, second_choice: np.ndarray) -> np.ndarray:
    # (N,) how many annotations the pair's prediction would rather have.
    keys = (-pairs.annotation, -pairs.iou, second_choice[pairs.annotation])
    return place_in_group(pairs.prediction, *keys)


def _batches(turn: np.ndarray, choice: np.ndarray) -> Iterator[slice]:
    # Runs of equal turn and choice.
    starts = np.flatnonzero((np.diff(turn) != 0) | (np.diff(choice) != 0)) + 1
    for start, stop in itertools.pairwise([0, *starts.tolist(), len(turn)]):
        yield slice(start, stop)
