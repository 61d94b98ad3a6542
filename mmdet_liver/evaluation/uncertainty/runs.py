"""One run's scores in each resample: at its best threshold, or at so many over-detections.

`weights` are image weights (R, N). A class of which a resample holds no lesion has no
scores there (NaN), and a resample without a class that the data set has, no means: averages
over fewer classes would be averages of something else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mmdet_liver.evaluation.confusion import SCORE_THRS, Scores, precision_recall_f1
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.uncertainty.counts import grid_counts

# Over-detections looked at in one go, from the highest score down.
_AT_ONCE = 4096


@dataclass(frozen=True)
class Reading:
    """Scores of one run, or the mean of several, in each of R resamples."""

    scores: Scores  # (R, C) each
    mean: Scores  # (R,) each, over the classes with lesions in the data set
    over_detections: np.ndarray  # (R,) in all
    score_thr: np.ndarray  # (R,)


class Run:
    """An evaluation, made ready for many resamples.

    Args:
        score_thrs: (T,) ascending; what `best` chooses from.
    """

    def __init__(self, evaluation: Evaluation, score_thrs: np.ndarray = SCORE_THRS) -> None:
        outcomes = evaluation.outcomes
        self.score_thrs = score_thrs
        self.grid = grid_counts(evaluation, score_thrs)
        self.counted = outcomes.lesions[1:] > 0  # (C,)
        self.distinct = np.unique(outcomes.score)
        found = np.flatnonzero(outcomes.row > 0)
        self.found_image, self.found_score = outcomes.image[found], outcomes.score[found]
        cells = outcomes.row[found] * len(outcomes.lesions) + outcomes.column[found]
        self.found_cells = _one_hot(cells, len(outcomes.lesions) ** 2)
        over = np.flatnonzero(outcomes.row == 0)
        over = over[np.argsort(-outcomes.score[over], kind='stable')]
        self.over_image, self.over_score = outcomes.image[over], outcomes.score[over]
        self.over_class = outcomes.column[over]

    def best(self, matrices: np.ndarray) -> np.ndarray:
        """Which threshold has the highest mean F1 in each resample; of equals the lowest.

        Args:
            matrices: (R, T, C+1, C+1) of `grid`.
        Returns:
            (R,) index.
        """
        # A class that was not drawn is 0 at every threshold, so it has no say. Rounded as
        # in `Sweep.best`.
        mean = precision_recall_f1(matrices).mean(self.counted)
        return np.round(mean.f1, 12).argmax(axis=1)

    def read(self, matrices: np.ndarray, score_thr: np.ndarray) -> Reading:
        """Scores of matrices (R, C+1, C+1), one a resample."""
        drawn = matrices.sum(axis=2)[:, 1:] > 0  # (R, C)
        values = precision_recall_f1(matrices).as_tuple()
        scores = Scores(*(np.where(drawn, v, np.nan) for v in values))
        return Reading(
            scores=scores,
            mean=scores.mean(self.counted),
            over_detections=matrices[:, 0].sum(axis=1),
            score_thr=score_thr,
        )

    def at_best(self, weights: np.ndarray) -> Reading:
        """At the best threshold of the grid, chosen again in each resample."""
        matrices = self.grid.matrices(weights)
        index = self.best(matrices)
        return self.read(matrices[np.arange(len(index)), index], self.score_thrs[index])

    def at_over_detections(self, weights: np.ndarray, allowed: np.ndarray) -> Reading:
        """At the lowest score whose over-detections do not exceed `allowed` (R,).

        Not on the grid: every score of a prediction that counts is a threshold. It is NaN
        where even the highest one brings too many, and nothing is kept.
        """
        above = self.score_above(weights, allowed)
        index = np.searchsorted(self.distinct, above, side='right')
        score_thr = np.append(self.distinct, np.nan)[index]
        return self.read(self.matrices_above(weights, above), score_thr)

    def score_above(self, weights: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """The score (R,) that brings too many: only what is above it may count."""
        above = np.zeros(len(weights))  # a score of 0 is no prediction
        total = np.zeros(len(weights))
        rows = np.arange(len(weights))  # where it is not yet known
        for start in range(0, len(self.over_score), _AT_ONCE):
            image = self.over_image[start : start + _AT_ONCE]
            sums = weights[np.ix_(rows, image)].cumsum(axis=1) + total[rows, None]
            exceeds = sums > allowed[rows, None]
            crossed = exceeds[:, -1]
            above[rows[crossed]] = self.over_score[start + exceeds[crossed].argmax(axis=1)]
            total[rows] = sums[:, -1]
            rows = rows[~crossed]
            if not len(rows):
                break
        return above

    def matrices_above(self, weights: np.ndarray, above: np.ndarray) -> np.ndarray:
        """Confusion matrices (R, C+1, C+1) of what scores more than `above` (R,)."""
        size = len(self.counted) + 1
        found = weights[:, self.found_image] * (self.found_score > above[:, None])
        matrices = (self.found_cells @ found.T).T.reshape(-1, size, size)
        kept = np.searchsorted(-self.over_score, -above)  # (R,)
        for start in range(0, int(kept.max(initial=0)), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            image, classes = self.over_image[part], self.over_class[part]
            counts = np.arange(start, start + len(image)) < kept[:, None]
            matrices[:, 0] += (_one_hot(classes, size) @ (weights[:, image] * counts).T).T
        lesions = (self.grid.lesions @ weights.T).T  # (R, C+1)
        matrices[:, 1:, 0] = (lesions - matrices.sum(axis=2))[:, 1:]
        return matrices


def average(readings: Sequence[Reading]) -> Reading:
    """Plain mean of several runs, within each resample."""
    return _combined(readings, lambda values: np.mean(values, axis=0))


def concatenated(readings: Sequence[Reading]) -> Reading:
    """The resamples of all, one after the other."""
    return _combined(readings, np.concatenate)


def _combined(
    readings: Sequence[Reading], combine: Callable[[list[np.ndarray]], np.ndarray]
) -> Reading:
    def scores(parts: list[Scores]) -> Scores:
        return Scores(*map(combine, zip(*(part.as_tuple() for part in parts), strict=True)))

    return Reading(
        scores=scores([r.scores for r in readings]),
        mean=scores([r.mean for r in readings]),
        over_detections=combine([r.over_detections for r in readings]),
        score_thr=combine([r.score_thr for r in readings]),
    )


def _one_hot(values: np.ndarray, size: int) -> sparse.csr_array:
    # (size, len(values)): sums columns by value.
    columns = np.arange(len(values))
    return sparse.csr_array((np.ones(len(values)), (values, columns)), (size, len(values)))
