"""Is A better than B? Paired bootstrap of A - B: both are scored on the same resamples.

Models peak at different thresholds, so a difference in recall may only be one of
thresholds. Hence three settings: each arm at its own best threshold of the study's grid;
and both at as many over-detections as A, or as B, has there: each takes the lowest of all
scores that brings no more. So an arm compared with itself differs by 0, and no arm gains
by being the one that is off the grid. All thresholds are chosen again in each resample.

An arm is one run or several (seeds) on the same data; several are averaged within each
resample, and the over-detections allowed are the mean of that arm's runs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Truth
from mmdet_liver.evaluation.confusion import Scores
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.uncertainty.intervals import LEVEL, RESAMPLES, interval
from mmdet_liver.evaluation.uncertainty.resamples import image_weights, with_progress
from mmdet_liver.evaluation.uncertainty.runs import Reading, Run, average, concatenated
from mmdet_liver.evaluation.uncertainty.units import Units

AT_BEST = 'at_best'
AT_OVER_DETECTIONS_OF_A = 'at_over_detections_of_a'
AT_OVER_DETECTIONS_OF_B = 'at_over_detections_of_b'
Arm = Evaluation | Sequence[Evaluation]
Pair = tuple[Reading, Reading]


@dataclass(frozen=True)
class Difference:
    """A score of both arms and A - B; None where it has no value."""

    a: float | None
    b: float | None
    difference: float | None
    interval: list[float] | None  # 95%, of the difference
    share_a_better: float | None  # of the resamples with a value; equal is not better


@dataclass(frozen=True)
class Setting:
    """The arms at one choice of thresholds; precision, recall and F1 by name."""

    mean: dict[str, Difference]
    per_class: dict[str, dict[str, Difference]]  # by class name
    # Of the arms a and b on the whole data; `score_thr` is None where nothing is kept.
    over_detections_per_image: dict[str, float | None]
    score_thr: dict[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """A - B in each setting, and what was drawn."""

    settings: dict[str, Setting]
    units: Units
    resamples: int
    seed: int

    def content(self) -> dict:
        """Everything, as plain values for JSON."""
        return {
            'level': LEVEL,
            'resampled': self.units.name,
            'units': self.units.count,
            'note': self.units.note,
            'resamples': self.resamples,
            'seed': self.seed,
            **{name: asdict(setting) for name, setting in self.settings.items()},
        }


def compare(a: Arm, b: Arm, units: Units, resamples: int = RESAMPLES, seed: int = 0) -> Comparison:
    """Compare two arms on the same images, whatever threshold their evaluations report.

    Args:
        a, b: one evaluation or several (seeds) each.
        units: what is drawn, of the images that all evaluations share.
        resamples: with 0 there are differences, but no intervals.
    Raises:
        InputError: if the evaluations are not of the same images and lesions, in the same
            order, or not at the same IoU threshold.
    """
    arms = [[arm] if isinstance(arm, Evaluation) else list(arm) for arm in (a, b)]
    first = arms[0][0]
    for evaluation in (*arms[0], *arms[1]):
        _require_same_data(first, evaluation)
    runs = [[Run(evaluation) for evaluation in arm] for arm in arms]
    # The data set itself is the resample in which every image was drawn once.
    parts = [paired_readings(*runs, np.ones((1, len(first.truth.images))))]
    for weights in with_progress(image_weights(units, resamples, seed), resamples, 'comparison'):
        parts.append(paired_readings(*runs, weights))
    return Comparison(
        settings={name: _setting(first.truth, [part[name] for part in parts]) for name in parts[0]},
        units=units,
        resamples=resamples,
        seed=seed,
    )


def paired_readings(a: Sequence[Run], b: Sequence[Run], weights: np.ndarray) -> dict[str, Pair]:
    """Both arms in every setting, in each resample with image weights (R, N)."""
    best = tuple(average([run.at_best(weights) for run in arm]) for arm in (a, b))

    def within(allowed: np.ndarray) -> Pair:
        return tuple(
            average([run.at_over_detections(weights, allowed) for run in arm]) for arm in (a, b)
        )

    return {
        AT_BEST: best,
        AT_OVER_DETECTIONS_OF_A: within(best[0].over_detections),
        AT_OVER_DETECTIONS_OF_B: within(best[1].over_detections),
    }


def _setting(truth: Truth, pairs: list[Pair]) -> Setting:
    # Row 0 is the data set itself, then come the resamples; so in the functions below.
    a, b = (concatenated(readings) for readings in zip(*pairs, strict=True))
    images = len(truth.images)
    return Setting(
        mean=_differences(a.mean, b.mean),
        per_class={
            name: _differences(_of_class(a.scores, c), _of_class(b.scores, c))
            for c, name in enumerate(truth.labels[1:])
        },
        over_detections_per_image={
            'a': _number(a.over_detections[0] / images),
            'b': _number(b.over_detections[0] / images),
        },
        score_thr={'a': _number(a.score_thr[0]), 'b': _number(b.score_thr[0])},
    )


def _differences(a: Scores, b: Scores) -> dict[str, Difference]:
    return {name: _difference(values, vars(b)[name]) for name, values in vars(a).items()}


def _difference(a: np.ndarray, b: np.ndarray) -> Difference:
    drawn = (a - b)[1:]
    drawn = drawn[~np.isnan(drawn)]
    return Difference(
        a=_number(a[0]),
        b=_number(b[0]),
        difference=_number(a[0] - b[0]),
        interval=interval(drawn),
        share_a_better=float((drawn > 0).mean()) if len(drawn) else None,
    )


def _of_class(scores: Scores, c: int) -> Scores:
    return Scores(*(values[:, c] for values in scores.as_tuple()))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _require_same_data(one: Evaluation, other: Evaluation) -> None:
    if not _is_same_truth(one.truth, other.truth):
        raise input_error(
            'comparison',
            'evaluations of different ground truths',
            'the same images, in the same order, with the same lesions',
            'score both results against one file',
        )
    if one.iou_thr != other.iou_thr:
        raise input_error(
            'comparison',
            f'IoU thresholds {one.iou_thr:g} and {other.iou_thr:g}',
            'one',
            'evaluate both at the same',
        )


def _is_same_truth(one: Truth, other: Truth) -> bool:
    if one is other:
        return True
    return (one.labels, one.image_ids) == (other.labels, other.image_ids) and all(
        np.array_equal(getattr(one.lesions, name), getattr(other.lesions, name))
        for name in ('boxes', 'classes', 'offsets')
    )
