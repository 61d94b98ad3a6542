"""What every model makes of each annotated lesion: found or not, and as which class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.arrays import Detections
from mmdet_liver.evaluation.matching import Matches


@dataclass(frozen=True)
class Verdicts:
    """Of M models on G lesions: class and score of the best prediction that belongs to each.

    As in the study's metric it is the one with the highest score, the earlier of equals.
    """

    classes: np.ndarray  # (M, G), 0 where there is none
    scores: np.ndarray  # (M, G), 0 where there is none


def verdicts(
    predictions: Sequence[Detections], matches: Sequence[Matches], num_lesions: int
) -> Verdicts:
    """Look up the best prediction of each model on each lesion."""
    shape = (len(predictions), num_lesions)
    classes, scores = np.zeros(shape, np.int64), np.zeros(shape)
    for model, (found, matched) in enumerate(zip(predictions, matches, strict=True)):
        hits = np.flatnonzero((matched.lesion >= 0) & (found.scores > 0))
        hits = hits[np.lexsort((-found.scores[hits], matched.lesion[hits]))]
        lesion, first = np.unique(matched.lesion[hits], return_index=True)
        classes[model, lesion] = found.classes[hits[first]]
        scores[model, lesion] = found.scores[hits[first]]
    return Verdicts(classes, scores)


def never_found(said: Verdicts, floor: float) -> np.ndarray:
    """(G,) bool: no model finds it with a score of `floor` or more."""
    return said.scores.max(axis=0, initial=0) < max(floor, np.finfo(float).tiny)


def other_class(said: Verdicts, classes: np.ndarray, min_score: float) -> np.ndarray:
    """(G,) bool: every model finds it with `min_score` or more, as another class than `classes`."""
    differs = (said.classes > 0) & (said.classes != classes) & (said.scores >= min_score)
    return differs.all(axis=0)


def favoured_class(said: Verdicts) -> tuple[np.ndarray, np.ndarray]:
    """The class with the highest sum of scores, and how many models name it: (G,) each."""
    votes = np.zeros((said.classes.shape[1], said.classes.max(initial=0) + 1))
    lesion = np.broadcast_to(np.arange(len(votes)), said.classes.shape)
    np.add.at(votes, (lesion, said.classes), said.scores)
    favoured = votes.argmax(axis=1)
    return favoured, (said.classes == favoured).sum(axis=0)
