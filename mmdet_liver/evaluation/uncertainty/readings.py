"""Everything that gets an interval, computed on many resamples at once.

Numbers are named by paths as in `metrics.json`: ('per_class', 'HCC', 'recall'), ...
COCO's AP is not among them: it would have to be accumulated anew from all predictions in
each resample.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from mmdet_liver.evaluation.confusion import SCORE_THRS
from mmdet_liver.evaluation.measures.froc import froc_events, sensitivities
from mmdet_liver.evaluation.measures.levels import (
    TARGETS,
    Calls,
    first_images,
    image_calls,
    level_rates,
    patient_calls,
    units_of,
)
from mmdet_liver.evaluation.measures.malignancy import (
    lesion_evidence,
    malignancy_auc,
    malignancy_rates,
)
from mmdet_liver.evaluation.measures.rates import rate
from mmdet_liver.evaluation.scoring import BEST_HERE, Evaluation
from mmdet_liver.evaluation.uncertainty.runs import Reading, Run

Named = Iterator[tuple[tuple[str, ...], np.ndarray]]
# What the choice of the threshold on the same data adds to the mean F1: no number of a report.
OPTIMISM = ('optimism',)


class Readings:
    """An evaluation, made ready for many resamples.

    Its threshold is chosen again in each: on the resampled data, if it is the best on
    them, or on resampled other data, if it was chosen there. Else it is fixed.

    Args:
        patients: (N,) number of each image's patient, -1 where unknown.
    """

    def __init__(self, evaluation: Evaluation, patients: np.ndarray) -> None:
        truth = evaluation.truth
        self.evaluation = evaluation
        self.is_best_here = evaluation.score_thr_source == BEST_HERE
        self.chosen_on = None if evaluation.chosen_on is None else Run(evaluation.chosen_on)
        is_fixed = not self.is_best_here and self.chosen_on is None
        self.run = Run(evaluation, np.array([evaluation.score_thr]) if is_fixed else SCORE_THRS)
        self.patients, self.first_images = patients, first_images(units_of(patients))
        annotations = (truth.lesions, truth.ignored, truth.crowds)
        self.is_lesion_free = ~np.any([np.diff(a.offsets) for a in annotations], axis=0)  # (N,)
        self.froc = froc_events(truth, evaluation.detections, evaluation.iou_thr)
        self.evidence = lesion_evidence(evaluation)
        self.image_level = {t: image_calls(evaluation, t) for t in TARGETS}
        self.patient_level = {t: patient_calls(evaluation, t, patients) for t in TARGETS}

    def named(self, weights: np.ndarray, chosen_on: np.ndarray | None = None) -> Named:
        """Yield path and values (R, ...) of every number.

        Args:
            weights: (R, N) of the images.
            chosen_on: (R, N') of the images of the data that the threshold is chosen on,
                where it is chosen on others.
        """
        matrices = self.run.grid.matrices(weights)
        index = self._thresholds(matrices, chosen_on)
        if self.is_best_here:
            yield OPTIMISM, self._optimism(matrices, index)
        matrices = matrices[np.arange(len(index)), index]  # (R, C+1, C+1)
        reading = self.run.read(matrices, self.run.score_thrs[index])
        yield from self._study(reading)
        yield from self._over_detections(reading.over_detections, index, weights)
        yield from self._froc(weights)
        yield from self._malignancy(matrices, reading.score_thr, weights)
        yield from _levels('image_level', self.image_level, reading.score_thr, weights)
        yield from _levels('patient_level', self.patient_level, reading.score_thr, weights)

    def _thresholds(self, matrices: np.ndarray, chosen_on: np.ndarray | None) -> np.ndarray:
        if self.chosen_on is not None:
            return self.chosen_on.best(self.chosen_on.grid.matrices(chosen_on))
        if self.is_best_here:
            return self.run.best(matrices)
        return np.zeros(len(matrices), np.int64)

    def _optimism(self, matrices: np.ndarray, index: np.ndarray) -> np.ndarray:
        # (R,): what each resample gains by its own threshold over that of the whole data,
        # and what the whole data would lose by it.
        swept = self.evaluation.sweep
        best, rows = swept.best(), np.arange(len(index))
        own, whole = (
            self.run.read(m, index).mean.f1 for m in (matrices[rows, index], matrices[:, best])
        )
        return own - whole + swept.mean.f1[best] - swept.mean.f1[index]

    def _study(self, reading: Reading) -> Named:
        yield ('score_thr',), reading.score_thr
        for score, values in vars(reading.mean).items():
            yield ('mean', score), values
        for c, name in enumerate(self.evaluation.truth.labels[1:]):
            for score, values in vars(reading.scores).items():
                yield ('per_class', name, score), values[:, c]

    def _over_detections(self, of_all: np.ndarray, index: np.ndarray, weights: np.ndarray) -> Named:
        # As `measures.over_detections`, but from the counts that are there for the grid.
        def of(kept: np.ndarray) -> np.ndarray:
            matrices = self.run.grid.matrices(weights * kept)
            return matrices[np.arange(len(index)), index, 0].sum(axis=1)

        free, known = self.is_lesion_free, self.patients >= 0
        patients = weights[:, self.first_images].sum(axis=1)
        path = 'over_detections_per'
        yield (path, 'image'), rate(of_all, weights.sum(axis=1))
        yield (path, 'lesion_free_image'), rate(of(free), (weights * free).sum(axis=1))
        yield (path, 'patient'), rate(of(known), patients)

    def _froc(self, weights: np.ndarray) -> Named:
        values = np.stack([sensitivities(events, weights) for events in self.froc])
        labels = self.evaluation.truth.labels[1:]
        paths = [('froc', 'any'), *(('froc', 'per_class', name) for name in labels)]
        rows = dict(zip(paths, values, strict=True))  # (R, rates) each
        if self.run.counted.any():
            rows['froc', 'mean'] = values[1:][self.run.counted].mean(axis=0)
        for path, sensitivity in rows.items():
            yield (*path, 'sensitivity'), sensitivity
            yield (*path, 'mean'), sensitivity.mean(axis=1)

    def _malignancy(
        self, matrices: np.ndarray, score_thr: np.ndarray, weights: np.ndarray
    ) -> Named:
        if self.evidence is None:
            return
        rates = malignancy_rates(matrices, self.evaluation.truth.malignancy)
        for name, values in vars(rates).items():
            yield ('malignancy', name), values
        found, all_lesions = malignancy_auc(self.evidence, score_thr, weights)
        yield ('malignancy', 'auc_found'), found
        yield ('malignancy', 'auc'), all_lesions


def _levels(
    level: str, calls_of: Mapping[str, Calls | None], score_thr: np.ndarray, weights: np.ndarray
) -> Named:
    for target, calls in calls_of.items():
        if calls is not None:
            for name, values in vars(level_rates(calls, score_thr, weights)).items():
                yield (level, target, name), values
