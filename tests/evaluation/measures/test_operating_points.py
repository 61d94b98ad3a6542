import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdet_liver.evaluation.confusion import (
    Outcomes,
    confusion_matrices,
    precision_recall_f1,
    sweep,
)
from mmdet_liver.evaluation.measures.operating_points import (
    WorkingPoint,
    best_mean,
    best_per_class,
    precision_recall_curve,
    threshold_curves,
)

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)


def outcomes_of(cells, missed=(0, 0)):
    """`cells`: (row, column, score); `missed`: lesions never found, by class."""
    columns = np.array(cells, np.float64).reshape(-1, 3)
    row, column = columns[:, 0].astype(int), columns[:, 1].astype(int)
    found = np.bincount(row, minlength=len(missed) + 1)[1:]
    return Outcomes(
        image=np.arange(len(row)),
        row=row,
        column=column,
        score=columns[:, 2],
        lesions=np.concatenate([[0], found + missed]),
    )


# Two lesions of class 1, one of class 2 that is called 1 first, one over-detection.
CELLS = [(1, 1, 0.9), (2, 1, 0.8), (0, 2, 0.7), (1, 1, 0.6), (2, 2, 0.5)]


def test_curves_worked_out_by_hand():
    curves = threshold_curves(outcomes_of(CELLS))
    assert curves.score_thr.tolist() == [0.9, 0.6, 0.5]
    # Class 1: 1 of 1, then 2 of 3; class 2: none, then 1 of 2.
    np.testing.assert_allclose(curves.scores.precision, [[1, 0], [2 / 3, 0], [2 / 3, 1 / 2]])
    np.testing.assert_allclose(curves.scores.recall, [[1 / 2, 0], [1, 0], [1, 1 / 2]])
    np.testing.assert_allclose(curves.scores.f1, [[2 / 3, 0], [4 / 5, 0], [4 / 5, 1 / 2]])
    np.testing.assert_allclose(curves.mean.f1, [1 / 3, 2 / 5, 13 / 20])


def test_best_points_worked_out_by_hand():
    curves = threshold_curves(outcomes_of(CELLS))
    best = best_mean(curves)
    assert (best.score_thr, best.f1) == (0.5, pytest.approx(13 / 20))
    assert (best.precision, best.recall) == (pytest.approx(7 / 12), pytest.approx(3 / 4))
    first, second = best_per_class(curves)
    assert (first.score_thr, first.f1) == (0.6, pytest.approx(4 / 5))
    assert second == WorkingPoint(0.5, 1 / 2, 1 / 2, 1 / 2)


@pytest.mark.parametrize(
    'cells, missed, score_thr',
    [
        pytest.param([(1, 1, 0.7), (0, 1, 0.7)], (0, 0), [0.7], id='equal scores enter together'),
        pytest.param([(1, 1, 0.7), (0, 1, 0.6)], (0, 0), [0.7], id='a wrong score is no point'),
        pytest.param([(1, 1, 0.7), (2, 2, 0.7)], (0, 0), [0.7], id='two classes at one score'),
        pytest.param([(1, 2, 0.7), (0, 1, 0.6)], (1, 0), [], id='never right'),
        pytest.param([], (2, 0), [], id='no prediction'),
        pytest.param([(0, 1, 0.5)], (0, 0), [], id='no lesion'),
        pytest.param([], (0, 0), [], id='neither'),
    ],
)
def test_points(cells, missed, score_thr):
    curves = threshold_curves(outcomes_of(cells, missed))
    assert curves.score_thr.tolist() == score_thr
    assert curves.scores.f1.shape == (len(score_thr), 2)
    if not score_thr:
        assert (best_mean(curves), best_per_class(curves)) == (None, (None, None))


def test_of_equal_means_the_lowest_threshold():
    # F1 of class 1: 2 / (1 + 3), then 4 / (5 + 3): both 1 / 2.
    cells = [(1, 1, 0.9), (0, 1, 0.8), (0, 1, 0.8), (0, 1, 0.8), (1, 1, 0.7)]
    curves = threshold_curves(outcomes_of(cells, missed=(1, 0)))
    assert curves.mean.f1.tolist() == [0.5, 0.5]
    assert best_mean(curves).score_thr == 0.7
    assert best_per_class(curves)[0].score_thr == 0.7


def test_a_class_is_tried_at_its_own_scores_only():
    curves = threshold_curves(outcomes_of([(1, 1, 0.9), (2, 2, 0.2)]))
    assert [p.score_thr for p in best_per_class(curves)] == [0.9, 0.2]


def test_means_leave_out_a_class_without_lesions():
    curves = threshold_curves(outcomes_of([(1, 1, 0.9), (0, 2, 0.95)]))
    assert best_mean(curves) == WorkingPoint(0.9, 1, 1, 1)
    assert best_per_class(curves)[1] is None


def test_precision_recall_curve_has_a_point_for_each_rise():
    curves = threshold_curves(outcomes_of(CELLS))
    recall, precision = precision_recall_curve(curves, 1)
    assert (recall.tolist(), precision.tolist()) == ([1 / 2, 1], [1, 2 / 3])
    recall, precision = precision_recall_curve(curves, 2)
    assert (recall.tolist(), precision.tolist()) == ([1 / 2], [1 / 2])


CELL = st.tuples(
    st.integers(0, 2),
    st.integers(1, 2),
    st.sampled_from([1e-6, 0.05, 0.12, 0.3, 0.31, 0.32, 0.77, 1.0]),
)
DATA = st.builds(outcomes_of, st.lists(CELL, max_size=12), st.tuples(*[st.integers(0, 2)] * 2))


def slow_f1(outcomes, score_thr):
    """F1 by class at one threshold, counted one outcome after the other."""
    f1 = []
    for c in (1, 2):
        correct = predicted = 0
        for row, column, score in zip(outcomes.row, outcomes.column, outcomes.score, strict=True):
            if score >= score_thr and column == c:
                predicted += 1
                correct += row == c
        total = predicted + outcomes.lesions[c]
        f1.append(2 * correct / total if total else 0.0)
    return f1


@SETTINGS
@given(DATA)
def test_nothing_beats_the_exact_best(outcomes):
    curves = threshold_curves(outcomes)
    counted = outcomes.lesions[1:] > 0
    tried = {t: slow_f1(outcomes, t) for t in outcomes.score}
    means = [np.mean(np.array(f1)[counted]) for f1 in tried.values() if counted.any()]
    best = best_mean(curves)
    if best is None:
        assert max(means, default=0) == 0
    else:
        assert best.f1 == pytest.approx(max(means))
        assert np.mean(np.array(slow_f1(outcomes, best.score_thr))[counted]) == best.f1
        assert best.f1 >= sweep(outcomes).mean.f1.max() - 1e-12
    for c, point in enumerate(best_per_class(curves)):
        highest = max((f1[c] for f1 in tried.values()), default=0)
        assert highest == (0 if point is None else pytest.approx(point.f1))


@SETTINGS
@given(DATA)
def test_curves_equal_the_matrices(outcomes):
    curves = threshold_curves(outcomes)
    matrices = confusion_matrices(outcomes, curves.score_thr[::-1])[::-1]
    expected = precision_recall_f1(matrices)
    for value, other in zip(curves.scores.as_tuple(), expected.as_tuple(), strict=True):
        assert value.tolist() == other.tolist()
    recall = np.diff(curves.scores.recall, axis=0)
    assert (recall >= 0).all() and (recall.sum(axis=1) > 0).all()
