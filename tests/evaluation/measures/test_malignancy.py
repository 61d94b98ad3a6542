import math

import numpy as np
import pytest
from evaluated_cases import IMAGES, PROPERTY, SCORE_THR, SIDES, TIMES, A, B, C, evaluated, repeated
from hypothesis import given

from mmdet_liver.evaluation.measures.malignancy import (
    lesion_evidence,
    malignancy_auc,
    malignancy_rates,
    malignancy_table,
)
from mmdet_liver.evaluation.measures.roc import auc

MALIGNANCY = (None, *SIDES)
# Rows and columns None, benign, malignant, benign, unknown.
MATRIX = np.array(
    [
        [0, 9, 3, 9, 9],
        [1, 4, 2, 1, 2],  # 10 benign: 1 missed, 5 called benign, 2 malignant, 2 unknown
        [2, 1, 5, 1, 1],  # 10 malignant: 2 missed, 2 called benign, 5 malignant, 1 unknown
        [0, 0, 0, 10, 0],  # 10 benign, all right
        [7, 7, 7, 7, 7],  # unknown: left out
    ]
)


def numbers(rates):
    return [float(value) for value in vars(rates).values()]


def test_rates_by_hand():
    rates = malignancy_rates(MATRIX, MALIGNANCY)
    # F2: 5 TP = 25, 4 FN = 20, FP = 2 benign lesions and 3 over-detections
    assert numbers(rates) == [5 / 10, 18 / 20, 5 / 8, 15 / 19, 25 / 50]


def test_table_by_hand():
    # The 2 and 1 called a class of unknown malignancy are in no column.
    assert malignancy_table(MATRIX, MALIGNANCY).tolist() == [[15, 2, 1], [2, 5, 2]]


@pytest.mark.parametrize(
    'matrix, expected',
    [
        pytest.param(np.zeros((5, 5)), [math.nan] * 5, id='nothing'),
        pytest.param(
            np.diag([0, 1, 0, 0, 0]), [math.nan, 1, math.nan, 1, math.nan], id='no malignant lesion'
        ),
        pytest.param(
            np.diag([0, 0, 1, 0, 0]), [1, math.nan, 1, math.nan, 1], id='no benign lesion'
        ),
        pytest.param(
            [[0] * 5, [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0] * 5, [0] * 5],
            [0, 1, math.nan, math.nan, 0],
            id='all missed: a missed benign lesion raises no alarm',
        ),
    ],
)
def test_rates_without_a_denominator_are_nan(matrix, expected):
    found = numbers(malignancy_rates(matrix, MALIGNANCY))
    assert found == pytest.approx(expected, nan_ok=True)


def test_rates_of_a_stack_are_those_of_each():
    stack = np.stack([MATRIX, MATRIX.T, np.zeros_like(MATRIX)] * 2).reshape(2, 3, 5, 5)
    rates = malignancy_rates(stack, MALIGNANCY)
    for index in np.ndindex(2, 3):
        one = numbers(malignancy_rates(stack[index], MALIGNANCY))
        assert [v[index] for v in vars(rates).values()] == pytest.approx(one, nan_ok=True)


@pytest.mark.parametrize(
    'sides',
    [
        pytest.param([None] * 4, id='none'),
        pytest.param(['benign', None, None, None], id='only benign'),
        pytest.param(['malignant'] * 4, id='only malignant'),
    ],
)
def test_no_evidence_unless_both_sides_have_a_class(tmp_path, sides):
    assert lesion_evidence(evaluated(tmp_path, [([(1, A)], [])], sides=sides)) is None


def test_evidence_by_hand(tmp_path):
    images = [
        (
            [(4, A), (2, B), (1, C)],  # the first is of unknown malignancy
            [(2, A, 0.9), (1, B, 0.6), (2, B, 0.5), (2, B, 0.3), (4, B, 0.95), (3, C, 0.7)],
        ),
        ([(2, A)], [(2, B, 0.9)]),  # missed
    ]
    evidence = lesion_evidence(evaluated(tmp_path, images))
    assert evidence.image.tolist() == [0, 0, 1]
    assert evidence.malignant.tolist() == [True, False, True]
    assert evidence.malignant_evidence.tolist() == [-0.1, -0.7, 0]
    assert evidence.best_score.tolist() == [0.95, 0.7, 0]


@pytest.mark.parametrize(
    'score_thr, found, everything',
    [
        # Evidence of malignant lesions 0.5, 0, -1; of benign ones 0.5, -0.4.
        pytest.param(0.3, (0.5 + 1 + 0 + 1 + 0 + 0) / 6, (0.5 + 1 + 0 + 1 + 0 + 0) / 6, id='all'),
        pytest.param(0.6, (0.5 + 0) / 2, (0.5 + 1 + 0 + 0.5 + 0 + 0.5) / 6, id='two missed'),
        pytest.param(0.95, math.nan, (0.5 + 0.5 + 0.5 + 0.5 + 0.5 + 0.5) / 6, id='only the -1'),
    ],
)
def test_auc_by_hand(tmp_path, score_thr, found, everything):
    images = [
        ([(2, A)], [(2, A, 0.9), (1, A, 0.4)]),
        ([(2, A)], [(2, A, 0.5), (3, A, 0.5)]),
        ([(2, A)], [(1, A, 1.0)]),
        ([(1, A)], [(2, A, 0.8), (1, A, 0.3)]),  # level with the first, but for rounding
        ([(1, A)], [(1, A, 0.4)]),
    ]
    evidence = lesion_evidence(evaluated(tmp_path, images))
    results = malignancy_auc(evidence, np.array([score_thr]), np.ones((1, 5)))
    assert [float(r[0]) for r in results] == pytest.approx([found, everything], nan_ok=True)


def by_definition(evidence, score_thr):
    # The same from lists of scores, by the plain AUC.
    found = (evidence.best_score >= score_thr) & (evidence.best_score > 0)
    both = np.where(found, evidence.malignant_evidence, -1), evidence.malignant
    return [float(auc(s, m, np.ones((1, len(s))))[0]) for s, m in ([v[found] for v in both], both)]


@PROPERTY
@given(IMAGES, TIMES, SCORE_THR, SCORE_THR)
def test_weights_are_repeated_images(tmp_path, images, times, thr, other):
    evidence = lesion_evidence(evaluated(tmp_path, images))
    weights = np.array([times[: len(images)], [1] * len(images)])
    results = malignancy_auc(evidence, np.array([thr, other]), weights)
    assert [r[1] for r in results] == pytest.approx(by_definition(evidence, other), nan_ok=True)
    if more := repeated(images, times):
        expected = by_definition(lesion_evidence(evaluated(tmp_path, more)), thr)
        assert [r[0] for r in results] == pytest.approx(expected, nan_ok=True)


@PROPERTY
@given(IMAGES, SCORE_THR)
def test_rates_and_table_equal_the_slow_loop(tmp_path, images, thr):
    evaluation = evaluated(tmp_path, images, score_thr=thr)
    lesions = evaluation.truth.lesions.classes
    calls = [None] * len(lesions)  # (score, side) of the best prediction on each lesion
    detections = evaluation.detections
    for i, lesion in enumerate(evaluation.matches.lesion):
        score, side = detections.scores[i], MALIGNANCY[detections.classes[i]]
        if lesion >= 0 and score >= thr and score > (calls[lesion][0] if calls[lesion] else 0):
            calls[lesion] = score, side
    table = np.zeros((2, 3), int)
    unknown = [0, 0]
    for lesion, call in zip(lesions, calls, strict=True):
        if MALIGNANCY[lesion] is None:
            continue
        row = int(MALIGNANCY[lesion] == 'malignant')
        if call is not None and call[1] is None:
            unknown[row] += 1
        else:
            table[row, 2 if call is None else int(call[1] == 'malignant')] += 1
    assert malignancy_table(evaluation.matrix, MALIGNANCY).tolist() == table.tolist()
    (tn, fp, missed_benign), (fn, tp, missed) = table.tolist()
    benign, malignant = tn + fp + unknown[0], fn + tp + unknown[1]
    expected = [
        tp / (malignant + missed) if malignant + missed else math.nan,
        1 - fp / (benign + missed_benign) if benign + missed_benign else math.nan,
        tp / malignant if malignant else math.nan,
        tn / benign if benign else math.nan,
    ]
    rates = numbers(malignancy_rates(evaluation.matrix, MALIGNANCY))
    assert rates[:4] == pytest.approx(expected, nan_ok=True)
