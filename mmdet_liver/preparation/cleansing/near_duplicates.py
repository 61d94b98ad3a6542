"""Which images look alike, told from their perceptual hashes.

Hashes are (N,) uint64; a distance is the number of bits in which two differ. Equal hashes are
merged before anything is searched: a frozen image saved ten thousand times is one hash.
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mmdet_liver.preparation.cleansing.hamming import close_pairs, pairs_in_runs

# `python benchmarks/hash_distances.py`: within 8 bits are 98% of frames that were marked,
# brightened, cropped, scaled and compressed all at once (within 6, 95%), and 99% with any one
# of these. Two patients' frames are that near in some cases of a million, which is thousands of
# pairs among 84,000 images: what the hash finds, the tiles must confirm (`clusters`). Within 10
# it would be 99%, at 4 times as many strangers and 3 times the time. Distances are even
# numbers: half of the bits of a hash are set.
MAX_DISTANCE = 8
# Pairs kept before they are merged into the clusters; those that come later and are in one
# cluster already cost no confirmation.
_EDGES = 1 << 19
_MOST_COMPARED = 2048

Confirm = Callable[[np.ndarray, np.ndarray], np.ndarray]


def near_pairs(hashes: np.ndarray, max_distance: int = MAX_DISTANCE) -> np.ndarray:
    """All pairs of images within `max_distance`, none missed.

    Where thousands of images are equal, so are the pairs millions: for clusters ask
    `find_clusters`, which needs no list of them.

    Args:
        hashes: (N,) uint64.
    Returns:
        (P, 2) int64 indexes, i < j, sorted by i and then j.
    """
    distinct, owner, counts = _merge_equal(hashes)
    members = np.argsort(owner, kind='stable')  # of one hash side by side
    starts = np.cumsum(counts) - counts
    count = len(owner)
    codes = [_code(members[i], members[j], count) for i, j in pairs_in_runs(counts, counts > 1)]
    for a, b in close_pairs(distinct, max_distance):
        i, j = _cross(a, b, counts, starts)
        codes.append(_code(members[i], members[j], count))
    ordered = np.sort(np.concatenate(codes)) if codes else np.empty(0, np.int64)
    return np.stack(np.divmod(ordered, max(count, 1)), axis=1)


def find_clusters(
    hashes: np.ndarray,
    max_distance: int = MAX_DISTANCE,
    comparable: np.ndarray | None = None,
    confirm: Confirm | None = None,
) -> np.ndarray:
    """Clusters of images that are linked by pairs within `max_distance`.

    Links chain: if A is like B and B like C, then A and C are in one cluster however little
    they have in common, so that look-alikes never part between train and test.
    `cluster_diameters` tells where that went far. Memory stays in the order of N.

    Args:
        hashes: (N,) uint64.
        comparable: (N,) bool, False for images too flat to compare; all by default.
        confirm: takes indexes (P,) and (P,) of images within `max_distance`, says of each
            pair whether it is a link, (P,) bool. Images of equal hashes are linked
            unasked, and the first of them is asked about for all.
    Returns:
        (N,) int64 labels, counted from 0 in the order of each cluster's first image; -1 for
        an image that is like no other.
    """
    chosen = np.arange(len(hashes)) if comparable is None else np.flatnonzero(comparable)
    labels = np.full(len(hashes), -1)
    distinct, first, owner = np.unique(
        np.asarray(hashes, np.uint64)[chosen], return_index=True, return_inverse=True
    )
    linked = _components(distinct, max_distance, confirm, chosen[first])
    labels[chosen] = _without_singles(linked[owner])
    return labels


def nearest_distances(hashes: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Distance of each sampled image to the nearest other one, which may be equal to it.

    Their histogram shows whether a `max_distance` lies where it should: in the valley between
    the near-duplicates and the crowd.

    Args:
        hashes: (N,) uint64.
        sample: (S,) indexes into them.
    Returns:
        (S,) int64, 0 to 64; -1 if there is no other image.
    """
    hashes = np.asarray(hashes, np.uint64)
    nearest = np.full(len(sample), -1)
    for row, index in enumerate(np.asarray(sample).tolist()):
        distances = np.bitwise_count(hashes ^ hashes[index])
        distances[index] = 255
        if len(hashes) > 1:
            nearest[row] = distances.min()
    return nearest


def cluster_diameters(hashes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Largest distance of two images of each cluster.

    A cluster far wider than the search distance is a chain, and should be looked at. In
    clusters of more than 2048 different hashes each is compared with 2048 of them, evenly
    chosen, and the diameter is a lower bound.

    Args:
        hashes, labels: (N,) each, as given to and returned by `find_clusters`.
    Returns:
        (C,) int64, of the clusters 0 to C - 1.
    """
    hashes, labels = np.asarray(hashes, np.uint64), np.asarray(labels)
    members = np.flatnonzero(labels >= 0)
    members = members[np.argsort(labels[members], kind='stable')]
    groups = np.split(members, np.flatnonzero(np.diff(labels[members])) + 1)
    return np.array([_diameter(hashes[g]) for g in groups if len(g)], np.int64)


def _diameter(hashes: np.ndarray) -> int:
    distinct = np.unique(hashes)
    some = distinct[:: -(-len(distinct) // _MOST_COMPARED)]
    return max(int(np.bitwise_count(distinct ^ one).max()) for one in some)


def _merge_equal(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Different hashes (U,), which of them each image has (N,), how many images have it (U,)."""
    hashes = np.asarray(hashes, np.uint64)
    return np.unique(hashes, return_inverse=True, return_counts=True)


def _components(
    distinct: np.ndarray, max_distance: int, confirm: Confirm | None, images: np.ndarray
) -> np.ndarray:
    # `images` (U,) are those that stand for the hashes when a link is to be confirmed.
    labels = np.arange(len(distinct))
    for i, j in _gathered(close_pairs(distinct, max_distance)):
        new = labels[i] != labels[j]
        i, j = i[new], j[new]
        if confirm is not None:
            sure = confirm(images[i], images[j])
            i, j = i[sure], j[sure]
        size = len(labels)
        links = coo_array((np.ones(len(i), np.int8), (labels[i], labels[j])), (size, size))
        labels = connected_components(links, directed=False)[1][labels]
    return labels


def _gathered(
    blocks: Iterator[tuple[np.ndarray, np.ndarray]],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block[0])
        if count >= _EDGES:
            yield _joined(waiting)
            waiting, count = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(blocks: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.concatenate(side) for side in zip(*blocks, strict=True))


def _without_singles(labels: np.ndarray) -> np.ndarray:
    """(N,) -> labels in the order of the first image, -1 where a label comes up only once."""
    _, first, owner, counts = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    several = np.flatnonzero(counts > 1)
    number = np.full(len(counts), -1)
    number[several[np.argsort(first[several])]] = np.arange(len(several))
    return number[owner]


def _cross(
    a: np.ndarray, b: np.ndarray, counts: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Places of all images of hash a[k] paired with all of hash b[k], for each k."""
    pairs = counts[a] * counts[b]
    k = np.repeat(np.arange(len(a)), pairs)
    nth = np.arange(len(k)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    i, j = np.divmod(nth, counts[b][k])
    return starts[a][k] + i, starts[b][k] + j


def _code(i: np.ndarray, j: np.ndarray, count: int) -> np.ndarray:
    return np.minimum(i, j) * count + np.maximum(i, j)
