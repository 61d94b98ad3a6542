import math

import numpy as np
import pytest
from evaluated_cases import IMAGES, PROPERTY, SCORE_THR, SIDES, TIMES, A, B, evaluated, repeated
from hypothesis import given

from mmdet_liver.evaluation.measures.levels import (
    TARGETS,
    image_calls,
    level_rates,
    patient_calls,
)
from mmdet_liver.evaluation.measures.roc import auc

MALIGNANCY = (None, *SIDES)


def rates_of(calls, score_thr=0.4, weights=None):
    weights = np.ones((1, len(calls.unit))) if weights is None else weights
    rates = level_rates(calls, np.full(len(weights), score_thr), weights)
    return [float(value[0]) for value in vars(rates).values()]


@pytest.mark.parametrize(
    'image, lesion, malignant',
    [  # positive, score, localised score; None: left out
        pytest.param(([(2, A)], [(2, A, 0.9)]), (1, 0.9, 0.9), (1, 0.9, 0.9), id='hit'),
        pytest.param(([(1, A)], [(2, A, 0.9)]), (1, 0.9, 0.9), (0, 0.9, 0), id='false alarm'),
        pytest.param(([(2, A)], [(1, A, 0.9)]), (1, 0.9, 0.9), (1, 0, 0), id='called benign'),
        pytest.param(([(2, A)], [(2, B, 0.9)]), (1, 0.9, 0), (1, 0.9, 0), id='not localised'),
        pytest.param(
            ([(2, A), (1, B)], [(2, B, 0.9), (2, A, 0.3), (1, A, 0.7)]),
            (1, 0.9, 0.9),
            (1, 0.9, 0.3),
            id='localised on the benign lesion is not on the malignant one',
        ),
        pytest.param(([], [(3, A, 0.5)]), (0, 0.5, 0), (0, 0, 0), id='over-detection'),
        pytest.param(([], [(2, A, 0.0)]), (0, 0, 0), (0, 0, 0), id='a score of 0 is none'),
        pytest.param(([], []), (0, 0, 0), (0, 0, 0), id='neither'),
        pytest.param(([(2, A, 'ignore')], [(2, B, 0.9)]), None, None, id='ignored: left out'),
        pytest.param(([(1, A, 'iscrowd')], []), None, None, id='crowd: left out'),
        pytest.param(
            ([(2, A, 'ignore'), (2, B)], [(2, A, 0.9), (2, B, 0.3)]),
            (1, 0.3, 0.3),
            (1, 0.3, 0.3),
            id='an excused prediction calls nothing',
        ),
        pytest.param(
            ([(2, A, 'ignore'), (1, B)], []), (1, 0, 0), None, id='ignored beside a benign one'
        ),
        pytest.param(([(4, A)], [(2, A, 0.9)]), (1, 0.9, 0.9), None, id='unknown malignancy'),
        pytest.param(
            ([(4, A), (2, B)], [(2, A, 0.9)]),
            (1, 0.9, 0.9),
            (1, 0.9, 0),
            id='unknown beside a malignant one',
        ),
    ],
)
def test_one_image(tmp_path, image, lesion, malignant):
    evaluation = evaluated(tmp_path, [image])
    for target, expected in zip(TARGETS, (lesion, malignant), strict=True):
        calls = image_calls(evaluation, target)
        rows = list(zip(calls.positive, calls.score, calls.localised_score, strict=True))
        assert rows == ([] if expected is None else [expected])
        assert calls.left_out == (expected is None)


IMAGES_BY_HAND = [
    ([(2, A)], [(2, A, 0.9)], 0),  # localised
    ([(2, A)], [(2, B, 0.4)], 0),  # called, not localised, at 0.4
    ([(1, A)], [(1, A, 0.3)], 1),  # below
    ([], [(1, A, 0.5)], 1),  # a false alarm
    ([], [], 2),
    ([], [(2, A, 0.3)], -1),
    ([(2, A, 'ignore')], [(2, B, 0.9)], 2),  # left out
]


def test_image_level_by_hand(tmp_path):
    calls = image_calls(evaluated(tmp_path, IMAGES_BY_HAND), 'lesion')
    # Positives 0.9, 0.4, 0.3; negatives 0.5, 0, 0.3.
    assert rates_of(calls) == pytest.approx([2 / 3, 2 / 3, 1 / 3, (3 + 2 + 1.5) / 9])
    assert calls.left_out == 1


def test_patient_level_by_hand(tmp_path):
    evaluation = evaluated(tmp_path, IMAGES_BY_HAND)
    patients = np.array([image[2] for image in IMAGES_BY_HAND])
    calls = patient_calls(evaluation, 'lesion', patients)
    # Patient 1 is called at 0.5 on the image without the lesion; 2 may have a lesion.
    assert calls.positive.tolist() == [True, True]
    assert (calls.score.tolist(), calls.localised_score.tolist()) == ([0.9, 0.5], [0.9, 0.3])
    assert rates_of(calls) == pytest.approx([1, math.nan, 0.5, math.nan], nan_ok=True)
    calls = patient_calls(evaluation, 'malignant', patients)
    assert rates_of(calls) == [1, 1, 1, 1]


def test_none_where_the_question_cannot_be_asked(tmp_path):
    evaluation = evaluated(tmp_path, IMAGES_BY_HAND, sides=['benign', None, None, None])
    unknown = np.full(len(IMAGES_BY_HAND), -1)
    assert image_calls(evaluation, 'malignant') is None
    assert patient_calls(evaluation, 'lesion', unknown) is None
    assert patient_calls(evaluation, 'malignant', unknown + 1) is None


def test_all_left_out_gives_nan(tmp_path):
    calls = image_calls(evaluated(tmp_path, [([(2, A, 'ignore')], [])]), 'lesion')
    assert all(map(math.isnan, rates_of(calls)))


def test_an_unknown_target_is_refused(tmp_path):
    with pytest.raises(ValueError, match="target: found 'tumor'; expected"):
        image_calls(evaluated(tmp_path, IMAGES_BY_HAND), 'tumor')


def test_images_of_a_patient_must_be_drawn_equally_often(tmp_path):
    calls = patient_calls(evaluated(tmp_path, IMAGES_BY_HAND[:2]), 'lesion', np.array([5, 5]))
    assert rates_of(calls, weights=np.array([[2, 2]]))[0] == 1
    with pytest.raises(ValueError, match='resample patients'):
        rates_of(calls, weights=np.array([[2, 1]]))


def slow_rates(evaluation, units, target, score_thr):
    """`units`: the image numbers of each."""
    truth, detections, matches = evaluation.truth, evaluation.detections, evaluation.matches

    def is_target(c):
        return target == 'lesion' or MALIGNANCY[c] == 'malignant'

    rows = []  # positive, called, localised, score
    for images in units:
        lesions = [i for i, image in enumerate(truth.lesions.image) if image in images]
        positive = any(is_target(truth.lesions.classes[i]) for i in lesions)
        unsure = any(image in images for image in [*truth.ignored.image, *truth.crowds.image])
        if target == 'malignant':
            unsure |= any(MALIGNANCY[truth.lesions.classes[i]] is None for i in lesions)
        if unsure and not positive:
            continue
        called, localised, best = False, False, 0
        for i, image in enumerate(detections.image):
            score, lesion = detections.scores[i], matches.lesion[i]
            if image not in images or score == 0 or matches.excused[i]:
                continue
            if is_target(detections.classes[i]):
                best = max(best, score)
                called |= score >= score_thr
                on_target = lesion >= 0 and is_target(truth.lesions.classes[lesion])
                localised |= on_target and score >= score_thr
        rows.append((positive, called, localised, best))
    positives = [row for row in rows if row[0]]
    negatives = [row for row in rows if not row[0]]
    scores, truths = np.array([r[3] for r in rows], float), np.array([r[0] for r in rows], bool)
    return [
        sum(r[1] for r in positives) / len(positives) if positives else math.nan,
        sum(not r[1] for r in negatives) / len(negatives) if negatives else math.nan,
        sum(r[2] for r in positives) / len(positives) if positives else math.nan,
        float(auc(scores, truths, np.ones((1, len(rows))))[0]),
    ]


@PROPERTY
@given(IMAGES, TIMES, SCORE_THR)
def test_image_weights_are_repeated_images(tmp_path, images, times, thr):
    weights = np.array([times[: len(images)]])
    if not (more := repeated(images, times)):
        return
    evaluation, whole = evaluated(tmp_path, images), evaluated(tmp_path, more)
    for target in TARGETS:
        expected = slow_rates(whole, [[i] for i in range(len(more))], target, thr)
        found = rates_of(image_calls(evaluation, target), thr, weights)
        assert found == pytest.approx(expected, nan_ok=True)


@PROPERTY
@given(IMAGES, TIMES, SCORE_THR)
def test_patient_weights_are_repeated_patients(tmp_path, images, times, thr):
    patients = np.array([image[2] for image in images])
    times = [times[patient] for patient in patients]
    more = repeated(images, times)
    numbers = np.array([image[2] for image in more])
    evaluation = evaluated(tmp_path, images)
    for target in TARGETS:
        calls = patient_calls(evaluation, target, patients)
        assert (calls is None) == (patients < 0).all()
        if calls is None or not more:
            continue
        units = [np.flatnonzero(numbers == p) for p in sorted({*numbers} - {-1})]
        expected = slow_rates(evaluated(tmp_path, more), units, target, thr)
        found = rates_of(calls, thr, np.array([times]))
        assert found == pytest.approx(expected, nan_ok=True)


def test_each_resample_has_its_own_threshold(tmp_path):
    calls = image_calls(evaluated(tmp_path, IMAGES_BY_HAND), 'lesion')
    rates = level_rates(calls, np.array([0.3, 0.95]), np.ones((2, len(IMAGES_BY_HAND)), np.uint8))
    assert (rates.sensitivity.tolist(), rates.specificity[1]) == ([1, 0], 1)
