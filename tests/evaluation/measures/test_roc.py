import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdet_liver.evaluation.measures.roc import auc


def slow_auc(cases):
    positives = [(s, w) for s, positive, w in cases if positive]
    negatives = [(s, w) for s, positive, w in cases if not positive]
    pairs = sum(w for _, w in positives) * sum(w for _, w in negatives)
    if not pairs:
        return math.nan
    wins = 0
    for score, weight in positives:
        for other, times in negatives:
            wins += weight * times * (1 if score > other else 0.5 if score == other else 0)
    return wins / pairs


@pytest.mark.parametrize(
    'positives, negatives, expected',
    [
        pytest.param([0.9, 0.8], [0.1, 0.2], 1, id='apart'),
        pytest.param([0.1], [0.9], 0, id='the wrong way round'),
        pytest.param([0.5], [0.5], 0.5, id='a tie counts half'),
        pytest.param([0.9, 0.5], [0.5, 0.1], 0.875, id='3.5 of 4 pairs'),
        pytest.param([0.9], [], math.nan, id='no negative'),
        pytest.param([], [0.9], math.nan, id='no positive'),
        pytest.param([], [], math.nan, id='neither'),
    ],
)
def test_auc(positives, negatives, expected):
    scores = np.array([*positives, *negatives], float)
    positive = np.arange(len(scores)) < len(positives)
    found = auc(scores, positive, np.ones((1, len(scores))))
    assert found.tolist() == pytest.approx([expected], nan_ok=True)


CASE = st.tuples(
    st.sampled_from([-1.0, 0.0, 0.3, 0.5, 0.9]), st.booleans(), st.integers(0, 3), st.integers(0, 3)
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(CASE, max_size=12))
def test_equals_the_slow_loop_for_every_set_of_weights(cases):
    scores, positive, *weights = np.array(cases, float).reshape(-1, 4).T
    found = auc(scores, positive > 0, np.array(weights).astype(np.uint8))
    slow = [slow_auc([(s, p, w[i]) for s, p, *w in cases]) for i in range(2)]
    assert found.tolist() == pytest.approx(slow, nan_ok=True)


def test_small_integers_do_not_run_over():
    scores = np.arange(1000.0)
    # The first positive is above 1 of 500 negatives, the next above 2, ...
    found = auc(scores, scores % 2 == 1, np.full((1, 1000), 200, np.uint8))
    assert found.tolist() == [501 / 1000]
