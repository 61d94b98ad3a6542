"""The study's evaluation in one call: match, sweep the threshold, choose one."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdet_liver.coco_files import read_json
from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import SCORE_DECIMALS, Detections, Truth
from mmdet_liver.evaluation.confusion import (
    Outcomes,
    Scores,
    Sweep,
    confusion_matrices,
    find_outcomes,
    precision_recall_f1,
    sweep,
)
from mmdet_liver.evaluation.matching import IOU_THR, Matches, match

BEST_HERE = 'best on this data'
GIVEN = 'given'
CHOSEN_ON = 'chosen on {}'


@dataclass(frozen=True)
class Evaluation:
    """What was scored, at which thresholds, and what came out."""

    truth: Truth
    detections: Detections
    matches: Matches
    outcomes: Outcomes
    sweep: Sweep
    iou_thr: float
    score_thr: float
    score_thr_source: str
    matrix: np.ndarray  # (C+1, C+1) at `score_thr`
    chosen_on: 'Evaluation | None' = None  # of the val data that the threshold is best on

    @property
    def per_class(self) -> Scores:
        """(C,) each, at `score_thr`."""
        return precision_recall_f1(self.matrix)

    @property
    def mean(self) -> Scores:
        """Scalars, over the classes that have lesions in the data set."""
        return self.per_class.mean(self.outcomes.lesions[1:] > 0)


@dataclass(frozen=True)
class ChosenOn:
    """Data to choose the score threshold on, and how a report names them."""

    evaluation: Evaluation
    where: str


def evaluate(
    truth: Truth,
    detections: Detections,
    iou_thr: float = IOU_THR,
    score_thr: float | str | Path | ChosenOn | None = None,
) -> Evaluation:
    """Score predictions against the ground truth.

    Args:
        score_thr: None takes the best threshold on this data, a number is used as it is,
            a path is a `metrics.json` whose threshold is used, `ChosenOn` brings the
            evaluation of other data, whose best threshold is used.
    Raises:
        InputError: for a threshold outside its range, or one chosen on a task with other
            classes or at another IoU threshold.
    """
    check_iou_thr(iou_thr)
    matches = match(truth, detections, iou_thr)
    outcomes = find_outcomes(truth, detections, matches)
    swept = sweep(outcomes)
    chosen_on = score_thr.evaluation if isinstance(score_thr, ChosenOn) else None
    if score_thr is None:
        chosen, source = float(swept.score_thrs[swept.best()]), BEST_HERE
    elif isinstance(score_thr, ChosenOn):
        _require_same_task(score_thr.where, chosen_on.truth.labels, truth.labels)
        _require_same_iou_thr(score_thr.where, chosen_on.iou_thr, iou_thr)
        chosen = float(chosen_on.sweep.score_thrs[chosen_on.sweep.best()])
        source = CHOSEN_ON.format(score_thr.where)
    elif isinstance(score_thr, str | Path):
        chosen = read_score_thr(score_thr, truth.labels, iou_thr)
        source = CHOSEN_ON.format(score_thr)
    else:
        chosen, source = check_score_thr(score_thr, 'score_thr'), GIVEN
    return Evaluation(
        truth=truth,
        detections=detections,
        matches=matches,
        outcomes=outcomes,
        sweep=swept,
        iou_thr=iou_thr,
        score_thr=chosen,
        score_thr_source=source,
        matrix=confusion_matrices(outcomes, np.array([chosen]))[0],
        chosen_on=chosen_on,
    )


def read_score_thr(
    path: str | Path, labels: tuple[str, ...] | None = None, iou_thr: float | None = None
) -> float:
    """Score threshold of a `metrics.json`; `labels` and `iou_thr`, if given, must be the file's.

    Raises:
        InputError: if the file cannot be read, lacks `score_thr`, or does not agree.
    """
    content = read_json(path, 'a metrics.json')
    if not isinstance(content, dict) or 'score_thr' not in content:
        raise input_error(
            path, "no 'score_thr'", 'a metrics.json', 'write one with tools/evaluate.py'
        )
    if labels is not None:
        _require_same_task(path, content.get('labels') or (), labels)
    if iou_thr is not None:
        _require_same_iou_thr(path, content.get('iou_thr'), iou_thr)
    return check_score_thr(content['score_thr'], f'{path}, score_thr')


def check_score_thr(value: object, where: object) -> float:
    """The threshold, rounded as scores are; InputError unless it is a number in 0..1."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise input_error(where, f'{value!r}', 'a number from 0 to 1', 'correct it')
    return round(float(value), SCORE_DECIMALS)


def check_iou_thr(value: float) -> None:
    """InputError unless the IoU threshold is above 0 and at most 1."""
    if not (math.isfinite(value) and 0 < value <= 1):
        raise input_error('iou_thr', f'{value!r}', 'above 0, at most 1', 'the study uses 0.25')


def _require_same_task(where: object, found: Iterable[str], labels: tuple[str, ...]) -> None:
    if list(found) != list(labels):
        raise input_error(
            where,
            f'labels {list(found)}',
            f'{list(labels)}, as in the ground truth',
            'take the threshold from the same task',
        )


def _require_same_iou_thr(where: object, found: object, iou_thr: float) -> None:
    if found != iou_thr:
        raise input_error(
            where,
            f'iou_thr {found}',
            f'{iou_thr}, as here',
            'choose the score threshold at the IoU threshold that it is used at',
        )
