"""95% intervals of everything that an evaluation says, by the bootstrap.

A threshold that was chosen is chosen again in each resample, on the data it was chosen on:
its choice is part of what varies, and with it fixed the intervals are too narrow
(Bornefalk, Medical Physics 32, 2005, doi:10.1118/1.1844433). A threshold that was given,
or read from a file, stays.

The best F1 over thresholds is optimistic on the data that the threshold is chosen on, and
more so in a resample, whose repeated images reward the choice once more: the interval of a
score at the best threshold on this data lies too high. `optimism` estimates by how much
the number itself does (Efron, JASA 78, 1983): averaged over resamples, what the resample
gains by its own threshold over that of the whole data, plus what the whole data would lose
by it. To be free of it, choose on other data.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.scoring import BEST_HERE, GIVEN, Evaluation
from mmdet_liver.evaluation.uncertainty.readings import OPTIMISM, Readings
from mmdet_liver.evaluation.uncertainty.resamples import (
    image_weights,
    rows_at_once,
    with_progress,
)
from mmdet_liver.evaluation.uncertainty.units import (
    PATIENT_KEY,
    Units,
    patients_of,
    resampling_units,
)

RESAMPLES = 2000
LEVEL = 0.95
# More resamples than this without a value, and a report says so.
_UNDEFINED_SHARE = 0.05
CHOSEN_HERE = 'chosen again in each resample'
CHOSEN_THERE = 'chosen again in each resample of the data that it was chosen on ({} {})'
FIXED = 'fixed'
NOT_AT_HAND = 'fixed: the data that it was chosen on are not at hand'


@dataclass(frozen=True)
class Intervals:
    """Intervals by name, and what was done to get them."""

    # Nested as in `metrics.json`: [low, high], a list of such pairs, or None.
    values: dict
    units: Units
    resamples: int
    seed: int
    score_thr: str  # how the threshold was treated
    optimism: float | None  # of the mean F1; None unless the threshold is best on this data
    # 'per_class/HCC/recall' -> share of resamples in which it has no value, if over 5%.
    undefined: dict[str, float]

    def content(self) -> dict:
        """Everything, as plain values for JSON."""
        return {
            'level': LEVEL,
            'resampled': self.units.name,
            'units': self.units.count,
            'note': self.units.note,
            'resamples': self.resamples,
            'seed': self.seed,
            'score_thr_treatment': self.score_thr,
            'optimism': self.optimism,
            'undefined': self.undefined,
            **self.values,
        }


def find_intervals(
    evaluation: Evaluation, key: str = PATIENT_KEY, resamples: int = RESAMPLES, seed: int = 0
) -> Intervals:
    """Percentile intervals over resamples of the evaluation's units.

    Resamples in which a number has no value, for want of anything to divide by, are left
    out of its interval.

    Args:
        key: of the image entries, that names the patient.
    Raises:
        InputError: as `resampling_units`.
    """
    units = resampling_units(evaluation.truth, key)
    chosen_on = evaluation.chosen_on and resampling_units(evaluation.chosen_on.truth, key)
    readings = Readings(evaluation, patients_of(evaluation.truth, key))
    parts = defaultdict(list)
    for weights in _weights(units, chosen_on, resamples, seed):
        for path, values in readings.named(*weights):
            parts[path].append(values)
    values = {path: np.concatenate(arrays) for path, arrays in parts.items()}
    optimism = values.pop(OPTIMISM, None)
    return Intervals(
        values=_nested({path: interval(array) for path, array in values.items()}),
        units=units,
        resamples=resamples,
        seed=seed,
        score_thr=_treatment(evaluation, chosen_on),
        optimism=_mean(optimism),
        undefined=_undefined(values),
    )


def interval(values: np.ndarray) -> list | None:
    """Percentile interval [low, high] of (R,) values; of (R, K) a list of K intervals.

    None where no value is defined.
    """
    if values.ndim > 1:
        return [interval(column) for column in values.T]
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    return np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()


def _weights(
    units: Units, chosen_on: Units | None, resamples: int, seed: int
) -> Iterator[tuple[np.ndarray, ...]]:
    # Of the images, and of those that the threshold is chosen on, if on others: the two
    # data sets are drawn independently.
    drawn = [(units, seed)] if chosen_on is None else [(units, seed), (chosen_on, [seed, 1])]
    at_once = rows_at_once(*(len(u.of_image) for u, _ in drawn))
    chunks = [image_weights(u, resamples, s, at_once) for u, s in drawn]
    return zip(with_progress(chunks[0], resamples, 'intervals'), *chunks[1:], strict=True)


def _treatment(evaluation: Evaluation, chosen_on: Units | None) -> str:
    if chosen_on is not None:
        return CHOSEN_THERE.format(chosen_on.count, chosen_on.name)
    told = {BEST_HERE: CHOSEN_HERE, GIVEN: FIXED}
    return told.get(evaluation.score_thr_source, NOT_AT_HAND)


def _mean(values: np.ndarray | None) -> float | None:
    known = values[~np.isnan(values)] if values is not None else ()
    return float(np.mean(known)) if len(known) else None


def _undefined(values: dict[tuple, np.ndarray]) -> dict[str, float]:
    shares = {}
    for path, array in values.items():
        by_column = np.isnan(array).reshape(len(array), -1).mean(axis=0)
        shares['/'.join(path)] = float(by_column.max(initial=0))
    return {path: share for path, share in shares.items() if share > _UNDEFINED_SHARE}


def _nested(values: dict[tuple, object]) -> dict:
    nested = {}
    for path, value in values.items():
        place = nested
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    return nested
