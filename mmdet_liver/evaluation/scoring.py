"""The study's evaluation in one call: match, sweep the threshold, choose one."""

import math
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

    @property
    def per_class(self) -> Scores:
        """(C,) each, at `score_thr`."""
        return precision_recall_f1(self.matrix)

    @property
    def mean(self) -> Scores:
        """Scalars, over the classes that have lesions in the data set."""
        return self.per_class.mean(self.outcomes.lesions[1:] > 0)


def evaluate(
    truth: Truth,
    detections: Detections,
    iou_thr: float = IOU_THR,
    score_thr: float | str | Path | None = None,
) -> Evaluation:
    """Score predictions against the ground truth.

    Args:
        score_thr: None takes the best threshold on this data, a number is used as it is,
            a path is a `metrics.json` whose threshold is used.
    Raises:
        InputError: for a threshold outside its range, or a `metrics.json` that does not fit.
    """
    check_iou_thr(iou_thr)
    matches = match(truth, detections, iou_thr)
    outcomes = find_outcomes(truth, detections, matches)
    swept = sweep(outcomes)
    if score_thr is None:
        chosen, source = float(swept.score_thrs[swept.best()]), BEST_HERE
    elif isinstance(score_thr, str | Path):
        chosen, source = read_score_thr(score_thr, truth.labels), f'chosen on {score_thr}'
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
    )


def read_score_thr(path: str | Path, labels: tuple[str, ...] | None = None) -> float:
    """Score threshold of a `metrics.json`; with `labels`, these must be the file's.

    Raises:
        InputError: if the file cannot be read, lacks `score_thr`, or has other labels.
    """
    content = read_json(path, 'a metrics.json')
    if not isinstance(content, dict) or 'score_thr' not in content:
        raise input_error(
            path, "no 'score_thr'", 'a metrics.json', 'write one with tools/evaluate.py'
        )
    if labels is not None and content.get('labels') != list(labels):
        raise input_error(
            path,
            f'labels {content.get("labels")}',
            f'{list(labels)}, as in the ground truth',
            'take the threshold from the same task',
        )
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
