"""The review list: every place that a person should look at, the most doubtful first.

Three kinds, each ranked on its own:

- `suggested`: predictions of high score that belong to no lesion and are not excused; a
  label may be missing. Images marked `fully_annotated` come after the others: somebody has
  said that every lesion there is annotated, so the model is the likelier one to be wrong.
- `never_found`: lesions that no model finds, or only below a floor; the box may be wrong,
  or the lesion is hard. The lowest score first, of equals the largest box.
- `other_class`: lesions that every model calls another class, each with a high score; the
  diagnosis should be checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Detections, Truth
from mmdet_liver.evaluation.auditing.ranking.lesions import (
    Verdicts,
    favoured_class,
    never_found,
    other_class,
    verdicts,
)
from mmdet_liver.evaluation.auditing.ranking.suggestions import Suggestions, find_suggestions
from mmdet_liver.evaluation.matching import IOU_THR, match
from mmdet_liver.evaluation.scoring import check_iou_thr, check_score_thr

SUGGESTED, NEVER_FOUND, OTHER_CLASS = KINDS = ('suggested', 'never_found', 'other_class')


@dataclass(frozen=True)
class Rules:
    """What comes on the list; `min_score` and `floor` in 0..1, `most` of each kind."""

    iou_thr: float = IOU_THR
    min_score: float = 0.3
    floor: float = 0.05
    most: int = 200
    skip_fully_annotated: bool = False


@dataclass(frozen=True)
class ReviewItem:
    """One place to look at; class 0 means none."""

    kind: str
    rank: int  # from 1, within its kind
    image: int  # number of the image in the ground truth
    box: tuple[float, float, float, float]  # xyxy, pixels of the original image
    annotated: int
    suggested: int
    score: float
    models: int  # that agree
    source: int | None  # index of the lesion in the file's list of annotations


@dataclass(frozen=True)
class ReviewList:
    """The items in the order of `KINDS` and ranks."""

    items: tuple[ReviewItem, ...]
    found: dict[str, int]  # by kind, the ones beyond `Rules.most` counted too
    models: int


def review_list(truth: Truth, predictions: Sequence[Detections], rules: Rules) -> ReviewList:
    """Rank what is doubtful.

    Args:
        predictions: of one model or several, on the images of `truth`.
    Raises:
        InputError: for a threshold outside its range.
    """
    check_iou_thr(rules.iou_thr)
    check_score_thr(rules.min_score, 'min_score')
    check_score_thr(rules.floor, 'floor')
    if not predictions:
        raise input_error('predictions', 'none', 'at least one results file', 'give one')
    matches = [match(truth, found, rules.iou_thr) for found in predictions]
    suggestions = find_suggestions(predictions, matches, rules.min_score)
    said = verdicts(predictions, matches, len(truth.lesions.classes))
    parts = [
        _suggested(suggestions, _fully_annotated(truth), rules),
        _never_found(truth, said, rules),
        _other_class(truth, said, rules),
    ]
    return ReviewList(
        items=tuple(item for items, _ in parts for item in items),
        found={kind: count for kind, (_, count) in zip(KINDS, parts, strict=True)},
        models=len(predictions),
    )


def _suggested(found: Suggestions, done: np.ndarray, rules: Rules) -> tuple[list, int]:
    last = done[found.image]  # (S,)
    order = np.lexsort((-found.models, -found.score, last))
    if rules.skip_fully_annotated:
        order = order[~last[order]]
    items = [
        ReviewItem(
            kind=SUGGESTED,
            rank=rank,
            image=int(found.image[i]),
            box=tuple(found.boxes[i].tolist()),
            annotated=0,
            suggested=int(found.classes[i]),
            score=float(found.score[i]),
            models=int(found.models[i]),
            source=None,
        )
        for rank, i in enumerate(order[: rules.most], start=1)
    ]
    return items, len(order)


def _never_found(truth: Truth, said: Verdicts, rules: Rules) -> tuple[list, int]:
    best = said.scores.max(axis=0, initial=0)
    boxes = truth.lesions.boxes
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    chosen = np.flatnonzero(never_found(said, rules.floor))
    order = chosen[np.lexsort((-area[chosen], best[chosen]))]
    models = (said.scores < max(rules.floor, np.finfo(float).tiny)).sum(axis=0)
    nothing = np.zeros(len(boxes), np.int64)
    return _lesion_items(NEVER_FOUND, truth, order, nothing, best, models, rules.most)


def _other_class(truth: Truth, said: Verdicts, rules: Rules) -> tuple[list, int]:
    favoured, models = favoured_class(said)
    score = said.scores.mean(axis=0)
    chosen = np.flatnonzero(other_class(said, truth.lesions.classes, rules.min_score))
    order = chosen[np.lexsort((-models[chosen], -score[chosen]))]
    return _lesion_items(OTHER_CLASS, truth, order, favoured, score, models, rules.most)


def _lesion_items(
    kind: str,
    truth: Truth,
    order: np.ndarray,
    suggested: np.ndarray,
    score: np.ndarray,
    models: np.ndarray,
    most: int,
) -> tuple[list, int]:
    # `order` are lesions, the most doubtful first; the other arrays have a value a lesion.
    lesions, image = truth.lesions, truth.lesions.image
    items = [
        ReviewItem(
            kind=kind,
            rank=rank,
            image=int(image[i]),
            box=tuple(lesions.boxes[i].tolist()),
            annotated=int(lesions.classes[i]),
            suggested=int(suggested[i]),
            score=float(score[i]),
            models=int(models[i]),
            source=int(lesions.source[i]),
        )
        for rank, i in enumerate(order[:most], start=1)
    ]
    return items, len(order)


def _fully_annotated(truth: Truth) -> np.ndarray:
    # (images,) bool; what says nothing is not fully annotated.
    values = truth.image_values('fully_annotated')
    return np.array([value in (1, '1', True) for value in values], bool)
