"""Which of many 64-bit hashes differ in few bits: exact, without comparing all with all.

The bits are dealt into `max_distance + k` bands. Two hashes that differ in at most
`max_distance` bits agree in `k` whole bands at least, so hashes that are equal in the bits of
some `k` bands (a key) are the only ones to compare (Norouzi et al., arXiv:1307.2982, with
combinations of bands as in Manku et al., WWW 2007). What `k` is cheapest depends on how the
hashes crowd, and is measured on a sample of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

BITS = 64
_BLOCK = 1 << 15  # comparisons at a time; their temporaries stay in the cache
_LONG_RUN = 512  # from this length on, hashes of one key are compared as a matrix
_MOST_PICKED = 5
_SAMPLE = 8192
# Prices in comparisons of the matrix kind (0.6 ns), measured: a scattered comparison, and
# sorting one hash by a key.
_SCATTERED, _SORTING = 8, 80

Pairs = tuple[np.ndarray, np.ndarray]


def close_pairs(hashes: np.ndarray, max_distance: int) -> Iterator[Pairs]:
    """Yield every pair of hashes that differ in at most `max_distance` bits, once.

    Args:
        hashes: (N,) uint64.
    Yields:
        blocks of pairs, indexes (P,) and (P,), in no order; memory stays in the order of N
        and of one block, however many there are.
    """
    if len(hashes) < 2:
        return
    plan = _cheapest_plan(hashes, max_distance)
    for picked in combinations(range(len(plan.bands)), plan.picked):
        yield from _pairs_of_key(hashes, max_distance, plan.bands, picked)


@dataclass(frozen=True)
class _Plan:
    """Masks of the bands, and how many of them make a key; none: compare all with all."""

    bands: tuple[int, ...] = ()
    picked: int = 0


def _pairs_of_key(
    hashes: np.ndarray, max_distance: int, bands: tuple[int, ...], picked: tuple[int, ...]
) -> Iterator[Pairs]:
    key = np.uint64(sum(bands[b] for b in picked))
    order = np.argsort(hashes & key)
    ordered = hashes[order]
    # A pair that agrees in more bands than a key has comes up again: it counts where its
    # first bands that agree are the key, that is, where each band skipped so far differs.
    last = picked[-1] if picked else 0
    skipped = [np.uint64(bands[b]) for b in range(last) if b not in picked]
    for i, j in _close_in_runs(ordered, run_lengths(ordered & key), max_distance):
        differing = ordered[i] ^ ordered[j]
        new = np.ones(len(i), bool)
        for band in skipped:
            new &= (differing & band) != 0
        if new.any():
            yield order[i[new]], order[j[new]]


def _close_in_runs(ordered: np.ndarray, lengths: np.ndarray, max_distance: int) -> Iterator[Pairs]:
    long = lengths >= _LONG_RUN
    starts = np.cumsum(lengths) - lengths
    for start, length in zip(starts[long].tolist(), lengths[long].tolist(), strict=True):
        for i, j in _close_in_matrix(ordered[start : start + length], max_distance):
            yield i + start, j + start
    for i, j in pairs_in_runs(lengths, ~long):
        close = np.bitwise_count(ordered[i] ^ ordered[j]) <= max_distance
        if close.any():
            yield i[close], j[close]


def run_lengths(ordered: np.ndarray) -> np.ndarray:
    """Lengths of the runs of equal values: (N,) sorted -> (R,) int64."""
    edges = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.diff(np.concatenate([[0], edges, [len(ordered)]]))


def pairs_in_runs(lengths: np.ndarray, chosen: np.ndarray) -> Iterator[Pairs]:
    """Yield all pairs of places in the same run, neighbours first, N at a time at most.

    Args:
        lengths: (R,) of runs side by side, N places together.
        chosen: (R,) bool, the runs to go through.
    """
    chosen = chosen & (lengths > 1)
    places = np.flatnonzero(np.repeat(chosen, lengths))
    after = np.repeat(np.cumsum(lengths)[chosen], lengths[chosen]) - 1 - places
    step = 1
    while len(places):
        further = after >= step
        places, after = places[further], after[further]
        yield places, places + step
        step += 1


def _close_in_matrix(hashes: np.ndarray, max_distance: int) -> Iterator[Pairs]:
    start = 0
    while start < len(hashes):
        rest = len(hashes) - start
        rows = min(max(1, _BLOCK // rest), rest)
        block = hashes[start : start + rows, None] ^ hashes[None, start:]  # (rows, rest)
        close = np.bitwise_count(block).ravel() <= max_distance
        i, j = np.divmod(np.flatnonzero(close), rest)  # of one dimension: much the faster
        later = j > i
        if later.any():
            yield i[later] + start, j[later] + start
        start += rows


def _cheapest_plan(hashes: np.ndarray, max_distance: int) -> _Plan:
    count = len(hashes)
    best, lowest = _Plan(), count * count / 2
    sample = hashes
    if count > _SAMPLE:
        sample = np.random.default_rng(0).choice(hashes, _SAMPLE, replace=False)
    for picked in range(1, _MOST_PICKED + 1):
        number = max_distance + picked
        price = comb(number, picked) * count * _SORTING
        if number > BITS or price >= lowest:
            break
        bands = deal_bits(sample, number)
        enlarged = (count / len(sample)) ** 2
        price += _SCATTERED * enlarged * _candidates(sample, bands, picked)
        if price < lowest:
            best, lowest = _Plan(bands, picked), price
    return best


def _candidates(hashes: np.ndarray, bands: tuple[int, ...], picked: int) -> int:
    total = 0
    for key in combinations(bands, picked):
        lengths = run_lengths(np.sort(hashes & np.uint64(sum(key))))
        total += int((lengths * (lengths - 1) // 2).sum())
    return total


def deal_bits(hashes: np.ndarray, number: int) -> tuple[int, ...]:
    """Deal the 64 bits into bands that tell the hashes apart about equally well.

    In perceptual hashes some bits are nearly constant: a band of those would be equal in
    nearly all of them. So the bits are dealt out like cards, the most telling ones first.
    """
    share = [((hashes >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(BITS)]
    telling = np.argsort(np.abs(np.array(share) - 0.5), kind='stable').tolist()
    bands = [0] * number
    for i, bit in enumerate(telling):
        turn, place = divmod(i, number)
        bands[place if turn % 2 == 0 else number - 1 - place] |= 1 << bit
    return tuple(bands)
