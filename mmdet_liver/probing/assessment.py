"""Scores of all arms with their intervals, and paired differences between arms.

Bootstrap over the patients of val (`evaluation.uncertainty`); the train lesions and their
features stay as they are, so the intervals say nothing of another pretraining or another
train set. Arms of several runs are averaged within each resample.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.uncertainty.intervals import interval
from mmdet_liver.evaluation.uncertainty.resamples import image_weights, with_progress
from mmdet_liver.evaluation.uncertainty.units import Units, resampling_units
from mmdet_liver.probing.arms import CHECKPOINT, Arm
from mmdet_liver.probing.lesion_crops import LesionCrops
from mmdet_liver.probing.scores import (
    ACCURACY,
    BALANCED,
    confusion,
    malignant_classes,
    read_scores,
)

DIFFERING = (ACCURACY, BALANCED)


@dataclass(frozen=True)
class Assessment:
    """All arms, scored: by arm and score (1 + R, ...), row 0 is the data set itself."""

    arms: tuple[Arm, ...]
    drawn: dict[str, dict[str, np.ndarray]]
    confusion: dict[str, np.ndarray]  # (C, C), the mean over runs
    classes: tuple[str, ...]
    units: Units
    resamples: int
    seed: int

    def score(self, arm: str, score: str) -> dict:
        """`{'value', 'interval'}` of a score: numbers, or lists for one of each class."""
        return estimate(self.drawn[arm][score])

    def differences(self) -> list[dict]:
        """Each checkpoint minus every other arm; two checkpoints are compared once."""
        pairs = [
            (a.name, b.name)
            for i, a in enumerate(self.arms)
            if a.kind == CHECKPOINT
            for b in self.arms[i + 1 :]
        ]
        return [{'a': a, 'b': b, **self._differences(a, b)} for a, b in pairs]

    def _differences(self, a: str, b: str) -> dict:
        found = {}
        for score in DIFFERING:
            drawn = self.drawn[a][score] - self.drawn[b][score]
            known = drawn[1:][~np.isnan(drawn[1:])]
            better = float((known > 0).mean()) if len(known) else None
            found[score] = {**estimate(drawn), 'share_a_better': better}
        return found


def assess(arms: Sequence[Arm], val: LesionCrops, resamples: int, seed: int) -> Assessment:
    """Score all arms on the val lesions and on resamples of their patients."""
    units = resampling_units(val.truth)
    malignant = malignant_classes(val.truth.malignancy[1:])
    parts: dict[str, dict[str, list]] = {arm.name: defaultdict(list) for arm in arms}

    def read(weights: np.ndarray) -> None:
        for arm in arms:
            runs = [
                read_scores(predicted, val.labels, weights, malignant, len(val.classes))
                for predicted in arm.predicted
            ]
            for score in runs[0]:
                parts[arm.name][score].append(np.mean([run[score] for run in runs], axis=0))

    read(np.ones((1, len(val.labels))))
    for weights in with_progress(image_weights(units, resamples, seed), resamples, 'intervals'):
        read(weights[:, val.image])
    return Assessment(
        arms=tuple(arms),
        drawn={n: {s: np.concatenate(v) for s, v in of.items()} for n, of in parts.items()},
        confusion={
            arm.name: np.mean(
                [confusion(p, val.labels, len(val.classes)) for p in arm.predicted], axis=0
            )
            for arm in arms
        },
        classes=val.classes,
        units=units,
        resamples=resamples,
        seed=seed,
    )


def estimate(drawn: np.ndarray) -> dict:
    """Value and 95% interval of (1 + R,), or lists of them for (1 + R, C); None: undefined."""
    if drawn.ndim > 1:
        parts = [estimate(column) for column in drawn.T]
        return {key: [part[key] for part in parts] for key in ('value', 'interval')}
    value = None if np.isnan(drawn[0]) else float(drawn[0])
    return {'value': value, 'interval': interval(drawn[1:])}
