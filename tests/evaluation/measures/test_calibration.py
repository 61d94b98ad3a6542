import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdet_liver.evaluation.confusion import Outcomes
from mmdet_liver.evaluation.measures.calibration import calibration

NAN = float('nan')


def outcomes_of(cells):
    """`cells`: (row, column, score)."""
    row, column = (np.array([c[i] for c in cells], np.int64) for i in (0, 1))
    score = np.array([c[2] for c in cells], np.float64)
    return Outcomes(np.zeros(len(cells), np.int64), row, column, score, np.array([0, 9, 9]))


# Scores 0.6 and 0.8 with one of two right; 0.1 wrong.
CELLS = [(1, 1, 0.6), (0, 2, 0.8), (1, 2, 0.1)]


@pytest.mark.parametrize(
    'cells, kwargs, count, confidence, accuracy, ece',
    [
        pytest.param(CELLS, {}, [1, 2], [0.1, 0.7], [0, 0.5], (0.1 + 0.4) / 3, id='two bins'),
        pytest.param(
            CELLS, {'score_thr': 0.6}, [0, 2], [NAN, 0.7], [NAN, 0.5], 0.2, id='above a threshold'
        ),
        pytest.param(
            CELLS, {'column': 2}, [1, 1], [0.1, 0.8], [0, 0], 0.45, id='predicted as class 2'
        ),
        pytest.param([(1, 1, 0.5)], {}, [1, 0], [0.5, NAN], [1, NAN], 0.5, id='on an inner edge'),
        pytest.param([(1, 1, 1.0)], {}, [0, 1], [NAN, 1], [NAN, 1], 0, id='certain and right'),
        pytest.param([(2, 1, 1.0)], {}, [0, 1], [NAN, 1], [NAN, 0], 1, id='certain, wrong class'),
        pytest.param(
            [(1, 1, 0.75), (1, 1, 0.75), (1, 1, 0.75), (0, 1, 0.75)],
            {},
            [0, 4],
            [NAN, 0.75],
            [NAN, 0.75],
            0,
            id='three of four at 0.75',
        ),
        pytest.param([(0, 1, 0.0)], {}, [0, 0], [NAN] * 2, [NAN] * 2, NAN, id='score of 0'),
        pytest.param([], {}, [0, 0], [NAN] * 2, [NAN] * 2, NAN, id='nothing'),
    ],
)
def test_reliability(cells, kwargs, count, confidence, accuracy, ece):
    found = calibration(outcomes_of(cells), bins=2, **kwargs)
    assert (found.edges.tolist(), found.count.tolist()) == ([0, 0.5, 1], count)
    np.testing.assert_allclose(found.confidence, confidence)
    np.testing.assert_allclose(found.accuracy, accuracy)
    assert found.ece == pytest.approx(ece, nan_ok=True)


def test_decimals_lie_in_the_bin_below_their_edge():
    tenths = [(1, 1, round(0.1 * i, 6)) for i in range(1, 11)]
    assert calibration(outcomes_of(tenths)).count.tolist() == [1] * 10


CELL = st.tuples(st.integers(0, 2), st.integers(1, 2), st.integers(0, 40).map(lambda i: i / 40))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(CELL, max_size=12), st.integers(1, 10), st.sampled_from([0.0, 0.3]))
def test_equals_a_slow_loop(cells, bins, score_thr):
    found = calibration(outcomes_of(cells), score_thr, bins)
    kept = [c for c in cells if c[2] >= score_thr and c[2] > 0]
    ece = 0.0
    for b in range(bins):
        own = [c for c in kept if b / bins < c[2] <= (b + 1) / bins]
        assert found.count[b] == len(own)
        if own:
            accuracy = sum(row == column for row, column, _ in own) / len(own)
            confidence = sum(score for *_, score in own) / len(own)
            assert found.accuracy[b] == pytest.approx(accuracy)
            assert found.confidence[b] == pytest.approx(confidence)
            ece += len(own) / len(kept) * abs(accuracy - confidence)
    assert found.ece == pytest.approx(ece if kept else NAN, nan_ok=True)
