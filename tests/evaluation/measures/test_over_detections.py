import math

import numpy as np
import pytest
from evaluated_cases import IMAGES, PROPERTY, SCORE_THR, TIMES, A, B, C, evaluated, repeated
from hypothesis import given

from mmdet_liver.evaluation.measures.over_detections import over_detection_rates

IMAGES_BY_HAND = [
    ([(1, A)], [(1, A, 0.9), (1, B, 0.4), (2, C, 0.9), (2, C, 0.3)], 7),  # 2 at 0.4
    ([], [(1, A, 0.9)], 7),  # 1
    ([], [], 3),
    ([(1, A, 'ignore')], [(1, A, 0.9), (1, B, 0.9)], -1),  # 1, and no lesion-free image
]


def rates_of(evaluation, score_thr, weights=None, patients=None):
    weights = np.ones((1, len(evaluation.truth.images))) if weights is None else weights
    rates = over_detection_rates(evaluation, np.full(len(weights), score_thr), weights, patients)
    return [float(value[0]) for value in vars(rates).values()]


def test_by_hand(tmp_path):
    evaluation = evaluated(tmp_path, IMAGES_BY_HAND)
    patients = np.array([image[2] for image in IMAGES_BY_HAND])
    assert rates_of(evaluation, 0.4, patients=patients) == [4 / 4, 1 / 2, 3 / 2]


def test_nan_without_lesion_free_images_or_patients(tmp_path):
    rates = rates_of(evaluated(tmp_path, IMAGES_BY_HAND[:1]), 0.4)
    assert rates == pytest.approx([2, math.nan, math.nan], nan_ok=True)


@PROPERTY
@given(IMAGES, TIMES, SCORE_THR, SCORE_THR)
def test_weights_are_repeated_images(tmp_path, images, times, thr, other):
    patients = np.array([image[2] for image in images])
    times = [times[patient] for patient in patients]
    evaluation = evaluated(tmp_path, images)
    thrs = np.array([thr, other, thr])
    weights = np.array([times, [1] * len(images), times])
    rates = vars(over_detection_rates(evaluation, thrs, weights, patients)).values()
    alone = rates_of(evaluation, other, patients=patients)
    assert [float(r[1]) for r in rates] == pytest.approx(alone, nan_ok=True)
    if more := repeated(images, times):
        whole = evaluated(tmp_path, more, score_thr=thr)
        again = np.array([image[2] for image in more])
        expected = rates_of(whole, thr, patients=again)
        assert expected[0] == whole.matrix[0].sum() / len(more)
        for i in (0, 2):
            assert [float(r[i]) for r in rates] == pytest.approx(expected, nan_ok=True)
