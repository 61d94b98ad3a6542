"""What is compared: features of a network or of none, and what their neighbours predict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.probing.lesion_crops import LesionCrops
from mmdet_liver.probing.neighbours import TEMPERATURE, Neighbours, nearest, votes, winners
from mmdet_liver.probing.pixels import pixel_features

CHECKPOINT, RANDOM, PIXELS, MAJORITY = 'checkpoint', 'random', 'pixels', 'majority'
# How the baselines are called; networks of several architectures get theirs added.
RANDOM_NAME, PIXELS_NAME, MAJORITY_NAME = 'random weights', 'pixels', 'majority class'


@dataclass(frozen=True)
class Features:
    """The features of all lesions, and each val lesion's neighbours among the train ones."""

    train: np.ndarray  # (N, D)
    val: np.ndarray  # (V, D)
    neighbours: Neighbours


@dataclass(frozen=True)
class Arm:
    """One row of the report: predictions of one run, or of several that are averaged."""

    name: str
    kind: str
    what: str  # for the reader: where the features are from
    predicted: tuple[np.ndarray, ...]  # (V,) of each run
    features: Features | None  # of the first run; the majority has none


@dataclass(frozen=True)
class Voting:
    """The lesions and how the neighbours of each val lesion vote on it."""

    train: LesionCrops
    val: LesionCrops
    k: int
    temperature: float = TEMPERATURE

    def arm(
        self, name: str, kind: str, what: str, runs: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> Arm:
        """The arm of one or more runs, each the features of all (train, val) lesions."""
        found = [self._features(*run) for run in runs]
        return Arm(name, kind, what, tuple(map(self._predicted, found)), found[0])

    def _features(self, train: np.ndarray, val: np.ndarray) -> Features:
        groups = self.train.groups, self.val.groups
        return Features(train, val, nearest(train, val, self.k, *groups))

    def _predicted(self, features: Features) -> np.ndarray:
        labels, classes = self.train.labels, len(self.train.classes)
        return winners(votes(features.neighbours, labels, classes, self.temperature))


def baseline_arms(voting: Voting) -> list[Arm]:
    """What needs no network: the neighbours of the pixels, and the most frequent class."""
    train, val = voting.train, voting.val
    pixels = pixel_features(train.crops), pixel_features(val.crops)
    most = int(np.bincount(train.labels).argmax())
    what = f'always {train.classes[most]}, the most frequent in train'
    predicted = np.full(len(val.labels), most)
    return [
        voting.arm(PIXELS_NAME, PIXELS, 'grey values, by their correlation', [pixels]),
        Arm(MAJORITY_NAME, MAJORITY, what, (predicted,), None),
    ]
