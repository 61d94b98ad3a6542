import json
from pathlib import Path

import numpy as np
import pytest

from mmdet_liver.evaluation.confusion import SCORE_THRS, Outcomes, precision_recall_f1, sweep

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / 'data/published_confusion_matrices.json').read_text('utf-8')
)


@pytest.mark.parametrize('model', PUBLISHED['models'])
def test_published_matrices_give_the_published_scores(model):
    matrix = np.array(PUBLISHED['models'][model]['confusion_matrix'])
    expected = PUBLISHED['models'][model]['from_matrix']
    scores = precision_recall_f1(matrix)
    mean = scores.mean(matrix.sum(axis=1)[1:] > 0)
    assert matrix.sum(axis=1)[1:].tolist() == expected['total']
    for name in ('precision', 'recall', 'f1'):
        assert getattr(scores, name).round(4).tolist() == expected[name]
        assert round(float(getattr(mean, name)), 4) == expected['macro'][name]


def test_scores_are_0_where_a_denominator_is_0():
    scores = precision_recall_f1(np.array([[0, 3, 0], [0, 0, 0], [2, 0, 0]]))
    assert np.stack(scores.as_tuple()).tolist() == [[0, 0], [0, 0], [0, 0]]


def test_mean_leaves_out_classes_without_lesions():
    scores = precision_recall_f1(np.array([[0, 3, 1], [0, 0, 0], [0, 0, 1]]))
    mean = scores.mean(np.array([False, True]))
    assert (mean.precision, mean.recall, mean.f1) == (0.5, 1.0, pytest.approx(2 / 3))
    assert scores.mean(np.array([False, False])).f1 == 0


def test_thresholds_are_decimals():
    decimals = [float(f'{i // 100}.{i % 100:02}') for i in range(0, 101, 5)]
    assert SCORE_THRS.tolist() == decimals


@pytest.mark.parametrize(
    'outcomes, best, f1',
    [
        pytest.param([(1, 1, 0.9)], 0.0, 1.0, id='of equals the lowest'),
        pytest.param([(1, 1, 0.9), (0, 1, 0.32)], 0.35, 1.0, id='above the over-detection'),
        pytest.param([(1, 1, 0.3), (0, 1, 0.299999)], 0.3, 1.0, id='a score at the threshold'),
        pytest.param([(0, 1, 0.5)], 0.0, 0.0, id='nothing found'),
        pytest.param([], 0.0, 0.0, id='no prediction'),
    ],
)
def test_best_threshold(outcomes, best, f1):
    row, column, score = np.array(outcomes).reshape(-1, 3).T
    lesions = np.array([0, 1, 0])
    image = np.zeros(len(row), int)
    swept = sweep(Outcomes(image, row.astype(int), column.astype(int), score, lesions))
    assert (swept.score_thrs[swept.best()], swept.mean.f1[swept.best()]) == (best, f1)
