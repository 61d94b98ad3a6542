"""The content of `metrics.json`: plain numbers by name, none of them rounded.

A number that has no value, for want of anything to divide by, is null.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from mmdet_liver.evaluation.measures.froc import RATES, sensitivities
from mmdet_liver.evaluation.measures.levels import Calls, level_rates
from mmdet_liver.evaluation.measures.malignancy import (
    malignancy_auc,
    malignancy_rates,
    malignancy_table,
)
from mmdet_liver.evaluation.measures.operating_points import best_mean, best_per_class
from mmdet_liver.evaluation.measures.over_detections import over_detection_rates
from mmdet_liver.evaluation.report.assessment import Assessment
from mmdet_liver.evaluation.report.inputs import Inputs
from mmdet_liver.evaluation.report.study_table import per_class, sums
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.taxonomy import BENIGN, MALIGNANT

SCORES = ('precision', 'recall', 'f1')


def content(assessment: Assessment, inputs: Inputs) -> dict:
    """Everything, as JSON takes it."""
    return plain(
        {
            **study(assessment.evaluation),
            'inputs': inputs.content(),
            'data': _data(assessment),
            'best_exact': _best_exact(assessment),
            'average_precision': _average_precision(assessment),
            'froc': _froc(assessment),
            'malignancy': _malignancy(assessment),
            'over_detections_per': _over_detections(assessment),
            'image_level': _level(assessment, assessment.image_level),
            'patient_level': _level(assessment, assessment.patient_level),
            'error_types': _error_types(assessment),
            'calibration': {
                'all_scores': asdict(assessment.calibration),
                'at_score_thr': asdict(assessment.calibration_shown),
            },
            'strata': {key: list(map(asdict, rows)) for key, rows in assessment.strata.items()},
            'intervals': assessment.intervals and assessment.intervals.content(),
            'comparison': assessment.comparison and assessment.comparison.content(),
        }
    )


def study(evaluation: Evaluation) -> dict:
    """What the study reports: matrix, table and sweep."""
    swept, matrix = evaluation.sweep, evaluation.matrix
    totals = matrix.sum(axis=1, keepdims=True)
    return {
        'iou_thr': evaluation.iou_thr,
        'score_thr': evaluation.score_thr,
        'score_thr_source': evaluation.score_thr_source,
        'labels': list(evaluation.truth.labels),
        'confusion_matrix': matrix,
        'confusion_matrix_shares': matrix / np.maximum(totals, 1),
        'per_class': per_class(evaluation),
        'mean': dict(zip(SCORES, evaluation.mean.as_tuple(), strict=True)),
        'sums': sums(evaluation),
        'images': len(evaluation.truth.images),
        'sweep': [
            dict(zip(('score_thr', *SCORES), point, strict=True))
            for point in zip(swept.score_thrs, *swept.mean.as_tuple(), strict=True)
        ],
    }


def plain(value: Any) -> Any:
    """Numpy values as Python's own, all the way down; NaN as None."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _data(assessment: Assessment) -> dict:
    truth, patients = assessment.evaluation.truth, assessment.patients
    bare = np.ones(len(truth.images), bool)
    for annotations in (truth.lesions, truth.ignored, truth.crowds):
        bare[annotations.image] = False
    return {
        'lesion_free_images': bare.sum(),
        'ignored_annotations': len(truth.ignored.boxes) + len(truth.crowds.boxes),
        'patients': len(np.unique(patients[patients >= 0])),
        'images_of_unknown_patient': (patients < 0).sum(),
        'predictions': len(assessment.evaluation.detections.scores),
    }


def _best_exact(assessment: Assessment) -> dict:
    points = best_per_class(assessment.curves)
    mean = best_mean(assessment.curves)
    return {
        'mean': mean and asdict(mean),
        'per_class': _by_name(assessment, [point and asdict(point) for point in points]),
    }


def _average_precision(assessment: Assessment) -> dict:
    found = assessment.average_precision

    def named(values: np.ndarray) -> dict:
        return dict(zip(found.names, values, strict=True))

    return {
        'mean': named(found.mean),
        'per_class': _by_name(assessment, map(named, found.per_class)),
    }


def _froc(assessment: Assessment) -> dict:
    weights = _once(assessment)
    values = np.stack([sensitivities(events, weights)[0] for events in assessment.froc])
    counted = assessment.evaluation.outcomes.lesions[1:] > 0
    mean = values[1:][counted].mean(axis=0) if counted.any() else np.full(len(RATES), math.nan)

    def row(sensitivity: np.ndarray) -> dict:
        return {'sensitivity': sensitivity, 'mean': sensitivity.mean()}

    return {
        'false_positives_per_image': RATES,
        'any': row(values[0]),
        'per_class': _by_name(assessment, map(row, values[1:])),
        'mean': row(mean),
    }


def _malignancy(assessment: Assessment) -> dict | None:
    evaluation = assessment.evaluation
    if assessment.evidence is None:
        return None
    malignancy = evaluation.truth.malignancy
    rates = malignancy_rates(evaluation.matrix, malignancy)
    found, of_all = malignancy_auc(assessment.evidence, _thr(assessment), _once(assessment))
    table = malignancy_table(evaluation.matrix, malignancy)
    columns = ('called_benign', 'called_malignant', 'missed')
    return {
        'of_class': _by_name(assessment, malignancy[1:]),
        'table': {
            side: dict(zip(columns, row, strict=True))
            for side, row in zip((BENIGN, MALIGNANT), table, strict=True)
        },
        **asdict(rates),
        'auc': of_all[0],
        'auc_found': found[0],
    }


def _over_detections(assessment: Assessment) -> dict:
    rates = over_detection_rates(
        assessment.evaluation, _thr(assessment), _once(assessment), assessment.patients
    )
    return {
        'image': rates.per_image[0],
        'lesion_free_image': rates.per_lesion_free_image[0],
        'patient': rates.per_patient[0],
    }


def _level(assessment: Assessment, calls_of: Mapping[str, Calls | None]) -> dict:
    return {target: calls and _rates(assessment, calls) for target, calls in calls_of.items()}


def _rates(assessment: Assessment, calls: Calls) -> dict:
    rates = level_rates(calls, _thr(assessment), _once(assessment))
    return {
        'positive': calls.positive.sum(),
        'negative': (~calls.positive).sum(),
        'left_out': calls.left_out,
        **{name: values[0] for name, values in asdict(rates).items()},
    }


def _error_types(assessment: Assessment) -> dict:
    found = assessment.error_types
    rows = zip(found.names, found.counts, found.delta_ap, strict=True)
    return {
        'ap': found.ap,
        'types': {name: {'count': count, 'delta_ap': gain} for name, count, gain in rows},
    }


def _by_name(assessment: Assessment, values: Iterable) -> dict:
    return dict(zip(assessment.evaluation.truth.labels[1:], values, strict=True))


def _once(assessment: Assessment) -> np.ndarray:
    # The data set itself is the resample in which every image was drawn once.
    return np.ones((1, len(assessment.evaluation.truth.images)))


def _thr(assessment: Assessment) -> np.ndarray:
    return np.array([assessment.evaluation.score_thr])
