"""Everything that is measured on one evaluation, once, for table, `metrics.json` and page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Detections
from mmdet_liver.evaluation.measures.average_precision import AveragePrecision, average_precision
from mmdet_liver.evaluation.measures.calibration import Calibration, calibration
from mmdet_liver.evaluation.measures.error_types import ErrorTypes, error_types
from mmdet_liver.evaluation.measures.froc import FrocEvents, froc_events
from mmdet_liver.evaluation.measures.levels import TARGETS, Calls, image_calls, patient_calls
from mmdet_liver.evaluation.measures.malignancy import Evidence, lesion_evidence
from mmdet_liver.evaluation.measures.operating_points import Curves, threshold_curves
from mmdet_liver.evaluation.measures.strata import Stratum, by_image_value, by_lesion_size
from mmdet_liver.evaluation.scoring import Evaluation, evaluate
from mmdet_liver.evaluation.uncertainty.comparison import Comparison, compare
from mmdet_liver.evaluation.uncertainty.intervals import RESAMPLES, Intervals, find_intervals
from mmdet_liver.evaluation.uncertainty.units import (
    PATIENT_KEY,
    Units,
    image_keys,
    patients_of,
    resampling_units,
)

SIZE = 'lesion size'


@dataclass(frozen=True)
class Options:
    """What beyond the study's numbers is asked for.

    `group_by` is the key of the images that names the patient, `strata` are keys of the
    images by whose values the data are also looked at in parts; without `resamples` there
    are no intervals.
    """

    group_by: str = PATIENT_KEY
    strata: tuple[str, ...] = ()
    resamples: int = RESAMPLES
    seed: int = 0


@dataclass(frozen=True)
class Assessment:
    """One evaluation and all that follows from it; None is what the data do not allow."""

    evaluation: Evaluation
    options: Options
    curves: Curves
    average_precision: AveragePrecision
    froc: tuple[FrocEvents, ...]  # any class, then classes 1..C
    evidence: Evidence | None  # of malignancy
    image_level: Mapping[str, Calls | None]  # by target
    patient_level: Mapping[str, Calls | None]
    patients: np.ndarray  # (N,) patient of each image, -1 unknown
    error_types: ErrorTypes
    calibration: Calibration  # of all scores
    calibration_shown: Calibration  # of those that reach the threshold
    strata: Mapping[str, Sequence[Stratum]]  # by what they divide
    units: Units
    intervals: Intervals | None
    comparison: Comparison | None


def assess(
    evaluation: Evaluation, options: Options = Options(), other: Detections | None = None
) -> Assessment:
    """Measure everything; with `other`, also the difference to those predictions.

    Raises:
        InputError: if no image has a key that the options name.
    """
    truth, detections = evaluation.truth, evaluation.detections
    patients = patients_of(truth, options.group_by)
    units = resampling_units(truth, options.group_by)
    return Assessment(
        evaluation=evaluation,
        options=options,
        curves=threshold_curves(evaluation.outcomes),
        average_precision=average_precision(truth, detections),
        froc=froc_events(truth, detections, evaluation.iou_thr),
        evidence=lesion_evidence(evaluation),
        image_level={target: image_calls(evaluation, target) for target in TARGETS},
        patient_level={target: patient_calls(evaluation, target, patients) for target in TARGETS},
        patients=patients,
        error_types=error_types(
            truth, detections, evaluation.iou_thr, score_thr=evaluation.score_thr
        ),
        calibration=calibration(evaluation.outcomes),
        calibration_shown=calibration(evaluation.outcomes, evaluation.score_thr),
        strata=_strata(evaluation, options.strata),
        units=units,
        intervals=_intervals(evaluation, options),
        comparison=_comparison(evaluation, options, units, other),
    )


def _strata(evaluation: Evaluation, keys: Sequence[str]) -> dict[str, Sequence[Stratum]]:
    strata = {SIZE: by_lesion_size(evaluation)}
    for key in keys:
        strata[key] = by_image_value(evaluation, key)
        if not strata[key]:
            raise input_error(
                f'strata by {key!r}',
                'no image of the ground truth that has it',
                f'one of {", ".join(image_keys(evaluation.truth))}',
                'name a key of the image entries',
            )
    return strata


def _intervals(evaluation: Evaluation, options: Options) -> Intervals | None:
    if not options.resamples:
        return None
    return find_intervals(
        evaluation, key=options.group_by, resamples=options.resamples, seed=options.seed
    )


def _comparison(
    evaluation: Evaluation, options: Options, units: Units, other: Detections | None
) -> Comparison | None:
    if other is None:
        return None
    theirs = evaluate(evaluation.truth, other, evaluation.iou_thr)
    return compare(evaluation, theirs, units, resamples=options.resamples, seed=options.seed)
