"""Folds as one data set, seeds averaged: the bootstrap of arms and of their differences.

Each fold's model is applied to the test images of its fold at the threshold that is best
on that fold's val; the confusion matrices of the folds add up to one of all images. Scores
follow from the sum, are averaged over the seeds within each resample, and an interval is
over resamples. Drawn are the units of all test images, for all arms alike, and for each
fold those of its val images, on which the threshold is chosen again; val and test are
drawn independently.

Models peak at different thresholds, so a difference in recall may only be one of
thresholds. Hence two arms are also compared where both have as many over-detections, fold
by fold: as many as A has at its own thresholds (the mean of its seeds), as many as B has,
or a number an image. Each model then takes the lowest of all its scores that brings no more.

What is drawn and read is `mmdet_liver.evaluation.uncertainty`'s.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Truth
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.uncertainty.comparison import (
    AT_OVER_DETECTIONS_OF_A,
    AT_OVER_DETECTIONS_OF_B,
)
from mmdet_liver.evaluation.uncertainty.intervals import RESAMPLES
from mmdet_liver.evaluation.uncertainty.resamples import (
    image_weights,
    rows_at_once,
    with_progress,
)
from mmdet_liver.evaluation.uncertainty.runs import Reading, Run, average, concatenated
from mmdet_liver.evaluation.uncertainty.units import PATIENT_KEY, Units, resampling_units

AT_CHOSEN = 'at_chosen'
RATES = (0.25, 0.5, 1.0)  # over-detections per image that arms are also compared at
Pair = tuple[str, str]


@dataclass(frozen=True)
class Pooled:
    """Scores of arms and of pairs; row 0 is the data set itself, then come the resamples."""

    arms: dict[str, Reading]
    pairs: dict[Pair, dict[str, tuple[Reading, Reading]]]  # by setting
    units: Units
    labels: tuple[str, ...]  # of the classes
    images: int


class SeedRun:
    """One seed of an arm: a model for each fold.

    Args:
        folds: of each fold the evaluation of its test, which knows its val (`chosen_on`).
    """

    def __init__(self, folds: Sequence[Evaluation]) -> None:
        self.tests = [Run(evaluation) for evaluation in folds]
        self.vals = [Run(evaluation.chosen_on) for evaluation in folds]
        counted = np.any([run.counted for run in self.tests], axis=0)
        self.pool = _Pool(counted)

    def at_chosen(self, drawn: 'Drawn') -> tuple[Reading, list[np.ndarray]]:
        """At the thresholds chosen on val; also each fold's over-detections (R,)."""
        matrices, thresholds = [], []
        for run, val, weights, of_val in zip(
            self.tests, self.vals, drawn.tests, drawn.vals, strict=True
        ):
            index = val.best(val.grid.matrices(of_val))
            matrices.append(run.grid.matrices(weights)[np.arange(len(index)), index])
            thresholds.append(run.score_thrs[index])
        reading = self.pool.read(sum(matrices), np.mean(thresholds, axis=0))
        return reading, [m[:, 0].sum(axis=1) for m in matrices]

    def at_over_detections(self, drawn: 'Drawn', allowed: Sequence[np.ndarray]) -> Reading:
        """At no more over-detections in each fold than `allowed` (R,) of it."""
        matrices = [
            run.matrices_above(weights, run.score_above(weights, most))
            for run, weights, most in zip(self.tests, drawn.tests, allowed, strict=True)
        ]
        # No one threshold: each fold has its own.
        return self.pool.read(sum(matrices), np.full(len(matrices[0]), np.nan))


@dataclass(frozen=True)
class Drawn:
    """Image weights (R, N) of each fold's test and val images."""

    tests: list[np.ndarray]
    vals: list[np.ndarray]


class _Pool(Run):
    # Reads matrices that are sums over folds; reading needs no more than this.
    def __init__(self, counted: np.ndarray) -> None:
        self.counted = counted


def pool(
    arms: Mapping[str, Sequence[Sequence[Evaluation]]],
    pairs: Sequence[Pair] = (),
    key: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Pooled:
    """Bootstrap arms, and pairs of them, on the test images of all folds together.

    Args:
        arms: name -> seeds -> folds, of evaluations with `chosen_on`; all arms have the
            same folds.
        pairs: of arms, to be compared.
        key: of the image entries, that names the patient; None: the usual one.
    Raises:
        InputError: for arms of different data, or an image in two tests.
    """
    folds = next(iter(arms.values()))[0]
    for evaluations in chain.from_iterable(arms.values()):
        if task_of(evaluations) != task_of(folds):
            raise input_error(
                'arms',
                'different classes, images or lesions',
                'the same in all',
                'compare arms of one task on one data set',
            )
    tests = [evaluation.truth for evaluation in folds]
    units = resampling_units(_all_images(tests), key or PATIENT_KEY)
    runs = {name: [SeedRun(seed_folds) for seed_folds in seeds] for name, seeds in arms.items()}
    parts = [_read(runs, pairs, drawn) for drawn in _draws(folds, units, key, resamples, seed)]
    return Pooled(
        arms={name: concatenated([part[0][name] for part in parts]) for name in arms},
        pairs={
            pair: {
                name: tuple(
                    concatenated([part[1][pair][name][i] for part in parts]) for i in (0, 1)
                )
                for name in parts[0][1][pair]
            }
            for pair in pairs
        },
        units=units,
        labels=tests[0].labels[1:],
        images=len(units.of_image),
    )


def task_of(folds: Sequence[Evaluation]) -> tuple:
    """What arms must share to be drawn together: classes, images, lesions, images of val."""
    arrays = ('boxes', 'classes', 'offsets')
    return tuple(
        (
            e.truth.labels,
            tuple(e.truth.image_ids),
            tuple(getattr(e.truth.lesions, name).tobytes() for name in arrays),
            e.iou_thr,
            tuple(e.chosen_on.truth.image_ids),
        )
        for e in folds
    )


def _read(
    runs: Mapping[str, Sequence[SeedRun]], pairs: Sequence[Pair], drawn: Drawn
) -> tuple[dict[str, Reading], dict[Pair, dict]]:
    chosen, allowed = {}, {}
    for name, seeds in runs.items():
        readings, over = zip(*(run.at_chosen(drawn) for run in seeds), strict=True)
        chosen[name] = average(readings)
        allowed[name] = [np.mean(of_fold, axis=0) for of_fold in zip(*over, strict=True)]

    def both(a: str, b: str, most: Sequence[np.ndarray]) -> tuple[Reading, ...]:
        return tuple(
            average([run.at_over_detections(drawn, most) for run in runs[name]]) for name in (a, b)
        )

    compared = {}
    for a, b in pairs:
        compared[a, b] = {
            AT_CHOSEN: (chosen[a], chosen[b]),
            AT_OVER_DETECTIONS_OF_A: both(a, b, allowed[a]),
            AT_OVER_DETECTIONS_OF_B: both(a, b, allowed[b]),
        }
        for rate in RATES:
            # A rate times the images may fall a bit below the whole number it stands for.
            most = [weights.sum(axis=1) * rate * (1 + 1e-12) for weights in drawn.tests]
            compared[a, b][at_rate(rate)] = both(a, b, most)
    return chosen, compared


def at_rate(rate: float) -> str:
    """The name of the setting at so many over-detections per image."""
    return f'at_{rate:g}_per_image'


def _draws(
    folds: Sequence[Evaluation], units: Units, key: str | None, resamples: int, seed: int
) -> Iterator[Drawn]:
    tests = [len(evaluation.truth.images) for evaluation in folds]
    vals = [evaluation.chosen_on.truth for evaluation in folds]
    yield Drawn(
        [np.ones((1, count)) for count in tests], [np.ones((1, len(v.images))) for v in vals]
    )
    at_once = rows_at_once(sum(tests), *(len(v.images) for v in vals))
    of_val = [
        image_weights(resampling_units(val, key or PATIENT_KEY), resamples, [seed, 1, i], at_once)
        for i, val in enumerate(vals)
    ]
    of_tests = with_progress(image_weights(units, resamples, seed, at_once), resamples, 'resamples')
    for weights, *others in zip(of_tests, *of_val, strict=True):
        yield Drawn(np.split(weights, np.cumsum(tests)[:-1], axis=1), others)


def _all_images(truths: Sequence[Truth]) -> Truth:
    # For the units alone: only its images are those of all.
    images = tuple(chain.from_iterable(truth.images for truth in truths))
    names = [name for truth in truths for name in truth.file_names]
    if len(set(names)) < len(names):
        raise input_error('folds', 'an image in two tests', 'each in one', 'write the folds anew')
    return replace(truths[0], images=images)
