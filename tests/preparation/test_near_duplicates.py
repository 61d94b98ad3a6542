"""The search against slow loops, on hashes that spread, crowd, repeat, or are few."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdet_liver.preparation.cleansing import hamming
from mmdet_liver.preparation.cleansing.near_duplicates import (
    cluster_diameters,
    find_clusters,
    near_pairs,
    nearest_distances,
)

RNG = np.random.default_rng(0)


def spread(count: int) -> np.ndarray:
    return RNG.integers(0, 2**64, count, dtype=np.uint64)


def crowded(count: int, free: int = 16) -> np.ndarray:
    """Near one of four centres: only `free` bits differ, and those seldom."""
    hashes = spread(4)[RNG.integers(0, 4, count)]
    for bit in RNG.choice(64, free, replace=False):
        hashes ^= (RNG.random(count) < 0.2).astype(np.uint64) << np.uint64(bit)
    return hashes


CASES = {
    'none': spread(0),
    'one': spread(1),
    'two': spread(2),
    'spread': spread(150),
    'crowded': crowded(150),
    'repeated': spread(9)[RNG.integers(0, 9, 60)],
    'all equal': np.full(40, 7, np.uint64),
    'nearly constant bits': crowded(120, free=3) | np.uint64(2**63),
    'extremes': np.array([0, 2**64 - 1, 2**63, 1, 2**64 - 1, 0], np.uint64),
}


def slow_pairs(hashes: np.ndarray, max_distance: int) -> list[list[int]]:
    values = [int(h) for h in hashes]
    pairs = combinations(range(len(values)), 2)
    return [[i, j] for i, j in pairs if (values[i] ^ values[j]).bit_count() <= max_distance]


def slow_clusters(count: int, pairs: list[list[int]]) -> list[int]:
    """Labels by walking from each image in turn; -1 for those that lead nowhere."""
    others = {i: {a + b - i for a, b in pairs if i in (a, b)} for i in range(count)}
    labels, number = [-1] * count, 0
    for start in range(count):
        if labels[start] >= 0 or not others[start]:
            continue
        waiting = [start]
        while waiting:
            at = waiting.pop()
            if labels[at] < 0:
                labels[at] = number
                waiting += others[at]
        number += 1
    return labels


@pytest.mark.parametrize('max_distance', [*range(13), 40, 64])
@pytest.mark.parametrize('name', CASES)
def test_pairs_are_those_of_a_slow_loop(name, max_distance):
    found = near_pairs(CASES[name], max_distance)
    assert found.dtype == np.int64 and found.shape[1:] == (2,)
    assert found.tolist() == slow_pairs(CASES[name], max_distance)


@pytest.mark.parametrize('max_distance', [1, 4, 9])
@pytest.mark.parametrize('picked', range(4))
@pytest.mark.parametrize('long_run', [2, 10, 10**9], ids=lambda n: f'long from {n}')
@pytest.mark.parametrize('name', ['spread', 'crowded', 'repeated', 'nearly constant bits'])
def test_every_plan_finds_each_pair_once(monkeypatch, name, max_distance, picked, long_run):
    def plan(hashes: np.ndarray, max_distance: int) -> hamming._Plan:
        bands = hamming.deal_bits(hashes, max_distance + picked) if picked else ()
        return hamming._Plan(bands, picked)

    monkeypatch.setattr(hamming, '_cheapest_plan', plan)
    monkeypatch.setattr(hamming, '_LONG_RUN', long_run)
    monkeypatch.setattr(hamming, '_BLOCK', 64)
    hashes = CASES[name]
    blocks = list(hamming.close_pairs(hashes, max_distance))
    found = sorted(sorted((int(i), int(j))) for a, b in blocks for i, j in zip(a, b, strict=True))
    assert found == slow_pairs(hashes, max_distance)


@given(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 40), max_size=40),
    st.integers(0, 12),
)
@settings(max_examples=80, deadline=None)
def test_any_hashes(values, max_distance):
    hashes = np.array(values, np.uint64)
    pairs = slow_pairs(hashes, max_distance)
    assert near_pairs(hashes, max_distance).tolist() == pairs
    labels = find_clusters(hashes, max_distance)
    assert labels.tolist() == slow_clusters(len(values), pairs)


@pytest.mark.parametrize('max_distance, picked', [(2, 1), (6, 1), (8, 2)])
def test_many_hashes_with_planted_neighbours(max_distance, picked):
    count, planted = 20_000, 500
    hashes = spread(count)
    sources = RNG.choice(count - planted, planted, replace=False)
    for k, source in enumerate(sources):
        flipped = sum(1 << int(bit) for bit in RNG.choice(64, k % max_distance + 1, replace=False))
        hashes[count - planted + k] = hashes[source] ^ np.uint64(flipped)
    assert hamming._cheapest_plan(hashes, max_distance).picked == picked
    expected = []
    for i in range(count):
        near = np.flatnonzero(np.bitwise_count(hashes[i + 1 :] ^ hashes[i]) <= max_distance)
        expected += [(i, i + 1 + int(j)) for j in near]
    found = [tuple(pair) for pair in near_pairs(hashes, max_distance).tolist()]
    assert found == expected
    assert set(zip(sources.tolist(), range(count - planted, count), strict=True)) <= set(found)


def test_bands_hold_each_bit_once_and_share_the_constant_ones():
    hashes = spread(500)
    constant = np.uint64(0xFFFF)
    bands = hamming.deal_bits(hashes | constant, 8)
    assert sum(bands) == 2**64 - 1 and sum(b.bit_count() for b in bands) == 64
    assert [(b & 0xFFFF).bit_count() for b in bands] == [2] * 8


@pytest.mark.parametrize('name', CASES)
@pytest.mark.parametrize('max_distance', [0, 4, 8])
def test_clusters_are_what_pairs_link(name, max_distance):
    hashes = CASES[name]
    labels = find_clusters(hashes, max_distance)
    assert labels.dtype == np.int64
    assert labels.tolist() == slow_clusters(len(hashes), slow_pairs(hashes, max_distance))


def test_edges_gathered_in_portions_give_the_same_clusters(monkeypatch):
    hashes = crowded(300, free=24)
    whole = find_clusters(hashes, 3)
    module = 'mmdet_liver.preparation.cleansing.near_duplicates'
    monkeypatch.setattr(f'{module}._EDGES', 5)
    monkeypatch.setattr('mmdet_liver.preparation.cleansing.hamming._BLOCK', 64)
    assert find_clusters(hashes, 3).tolist() == whole.tolist()
    assert whole.max() > 3 and (whole == -1).any()


@pytest.mark.parametrize('edges', [7, 1 << 19], ids=lambda n: f'{n} pairs at a time')
@pytest.mark.parametrize('agree', [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize('name', ['none', 'spread', 'crowded', 'nearly constant bits', 'repeated'])
def test_only_confirmed_pairs_link(monkeypatch, name, agree, edges):
    monkeypatch.setattr('mmdet_liver.preparation.cleansing.near_duplicates._EDGES', edges)
    hashes = CASES[name]
    count = len(hashes)
    table = np.triu(np.random.default_rng(1).random((count, count)) < agree)
    table |= table.T
    comparable = np.arange(count) % 7 != 3
    places = np.flatnonzero(comparable).tolist()
    first = {}
    for place in places:
        first.setdefault(int(hashes[place]), place)

    def links(i, j):
        one, other = first[int(hashes[i])], first[int(hashes[j])]
        return one == other or table[one, other]

    near = slow_pairs(hashes, 4)
    pairs = [[i, j] for i, j in near if comparable[i] and comparable[j] and links(i, j)]
    found = find_clusters(hashes, 4, comparable, lambda i, j: table[i, j])
    assert found.tolist() == slow_clusters(count, pairs)


def test_pairs_of_one_cluster_are_not_asked_about_again(monkeypatch):
    monkeypatch.setattr('mmdet_liver.preparation.cleansing.near_duplicates._EDGES', 50)
    monkeypatch.setattr('mmdet_liver.preparation.cleansing.hamming._BLOCK', 64)
    hashes, asked = np.arange(256, dtype=np.uint64), []

    def confirm(i, j):
        asked.append(len(i))
        return np.ones(len(i), bool)

    assert (find_clusters(hashes, 8, None, confirm) == 0).all()
    assert sum(asked) < len(near_pairs(hashes, 8)) / 4


def test_links_chain():
    # 0-1-2 and 4-5 are steps of two bits; 3 is far from all.
    hashes = np.array([0b0, 0b11, 0b1111, 0xFF << 40, 0xFFFF << 20, (0xFFFF << 20) | 3], np.uint64)
    labels = find_clusters(hashes, 2)
    assert labels.tolist() == [0, 0, 0, -1, 1, 1]
    assert cluster_diameters(hashes, labels).tolist() == [4, 2]


def test_what_is_not_comparable_is_in_no_cluster_and_links_none():
    hashes = np.array([0b0, 0b11, 0b1111, 0b1111], np.uint64)
    comparable = np.array([True, False, True, True])
    assert find_clusters(hashes, 2, comparable).tolist() == [-1, -1, 0, 0]
    assert find_clusters(hashes, 2, np.zeros(4, bool)).tolist() == [-1] * 4


def test_a_hundred_thousand_equal_images_are_one_cluster():
    hashes = np.full(100_000, 12345, np.uint64)
    hashes[-1] = 2**64 - 1
    labels = find_clusters(hashes, 6)
    assert (labels[:-1] == 0).all() and labels[-1] == -1
    assert cluster_diameters(hashes, labels).tolist() == [0]


@pytest.mark.parametrize('name', CASES)
def test_nearest_other_image(name):
    hashes = CASES[name]
    sample = np.arange(0, len(hashes), 3)
    expected = [
        min(
            ((int(hashes[s]) ^ int(h)).bit_count() for i, h in enumerate(hashes) if i != s),
            default=-1,
        )
        for s in sample
    ]
    assert nearest_distances(hashes, sample).tolist() == expected


def test_diameters_are_the_largest_distances():
    hashes = crowded(120, free=30)
    labels = find_clusters(hashes, 4)
    expected = [
        max((int(a) ^ int(b)).bit_count() for a, b in combinations(hashes[labels == c], 2))
        for c in range(labels.max() + 1)
    ]
    assert len(expected) > 1
    assert cluster_diameters(hashes, labels).tolist() == expected


def test_no_cluster_has_no_diameter():
    assert cluster_diameters(spread(3), np.full(3, -1)).tolist() == []


def test_diameter_of_a_huge_cluster_is_a_lower_bound(monkeypatch):
    monkeypatch.setattr('mmdet_liver.preparation.cleansing.near_duplicates._MOST_COMPARED', 4)
    hashes = np.arange(256, dtype=np.uint64)  # of 8 bits; a quarter of that is compared
    (diameter,) = cluster_diameters(hashes, np.zeros(256, int))
    assert 4 <= diameter <= 8
