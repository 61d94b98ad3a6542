"""Nearest neighbours and their votes, against a slow loop and scikit-learn."""

import math

import numpy as np
import pytest

from mmdet_liver.probing import neighbours as module
from mmdet_liver.probing.neighbours import NOBODY, Neighbours, nearest, unit_rows, votes, winners


def slow_predictions(train, labels, queries, k, temperature, train_groups, query_groups, classes):
    """As the paper says it, one query and one neighbour at a time."""
    found = []
    for query, group in zip(queries, query_groups, strict=True):
        cosines = []
        for i, row in enumerate(train):
            if train_groups[i] != group:
                lengths = math.sqrt(sum(v * v for v in row)) * math.sqrt(sum(v * v for v in query))
                cosines.append((sum(a * b for a, b in zip(row, query, strict=True)) / lengths, i))
        totals = [0.0] * classes
        for cosine, i in sorted(cosines, key=lambda c: (-c[0], c[1]))[:k]:
            totals[labels[i]] += math.exp(cosine / temperature)
        found.append(totals.index(max(totals)))
    return found


@pytest.mark.parametrize('k', [1, 4, 9, 500])
def test_predictions_are_those_of_a_slow_loop(k, monkeypatch):
    monkeypatch.setattr(module, '_QUERIES_AT_ONCE', 7)  # several parts, the last one short
    rng = np.random.default_rng(k)
    labels = rng.integers(0, 3, 60)
    train = rng.normal(size=(60, 5)) + np.eye(5)[labels]
    queries = rng.normal(size=(25, 5))
    groups = rng.integers(0, 6, 60), rng.integers(0, 6, 25)
    summed = votes(nearest(train, queries, k, *groups), labels, 3, 0.07)
    slow = slow_predictions(train, labels, queries, k, 0.07, *groups, 3)
    assert winners(summed).tolist() == slow


def test_unweighted_votes_are_those_of_scikit_learn():
    classifier = pytest.importorskip('sklearn.neighbors').KNeighborsClassifier
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 80)
    train, queries = rng.normal(size=(80, 6)), rng.normal(size=(40, 6))
    peer = classifier(n_neighbors=7, metric='cosine', algorithm='brute').fit(train, labels)
    found = nearest(train, queries, 7)
    distance, index = peer.kneighbors(queries)
    assert (found.index == index).all()
    np.testing.assert_allclose(found.similarity, 1 - distance, atol=1e-5)
    summed = votes(found, labels, 4, temperature=None)
    np.testing.assert_allclose(summed / 7, peer.predict_proba(queries))


def test_a_near_neighbour_outweighs_two_far_ones():
    found = Neighbours(np.array([[0, 1, 2]]), np.array([[0.9, 0.5, 0.5]]))
    labels = np.array([1, 0, 0])
    summed = votes(found, labels, 2, 0.1)
    assert summed[0, 1] / summed[0, 0] == pytest.approx(math.exp(4) / 2)
    assert winners(summed).tolist() == [1]
    assert winners(votes(found, labels, 2, None)).tolist() == [0]
    assert winners(votes(found, labels, 2, 1e-4)).tolist() == [1]  # exp() stays finite


@pytest.mark.parametrize(
    'train_groups, index, winner',
    [
        pytest.param([1, 1, 2], [[0, 1]], 0, id='others'),
        pytest.param([5, 1, 2], [[1, 2]], 0, id='the nearest is of the same patient'),
        pytest.param([5, 5, 2], [[2, NOBODY]], 1, id='fewer than k'),
        pytest.param([5, 5, 5], [[NOBODY, NOBODY]], NOBODY, id='no one else'),
    ],
)
def test_own_group_is_left_out(train_groups, index, winner):
    train = np.array([[1.0, 0.0], [1.0, 0.2], [0.0, 1.0]])
    found = nearest(train, np.array([[2.0, 0.0]]), 2, np.array(train_groups), np.array([5]))
    assert found.index.tolist() == index
    assert winners(votes(found, np.array([0, 0, 1]), 2)).tolist() == [winner]


def test_equals_come_in_the_order_of_the_file():
    train = np.ones((6, 3))
    assert nearest(train, np.ones((2, 3)), 6).index.tolist() == [[0, 1, 2, 3, 4, 5]] * 2


def test_length_does_not_matter():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
