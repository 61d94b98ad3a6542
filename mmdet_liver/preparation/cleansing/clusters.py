"""Clusters of images that look alike, in hash and tile, with stable names."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.near_duplicates import Confirm, find_clusters
from mmdet_liver.preparation.cleansing.perceptual_hash import MIN_CONTRAST
from mmdet_liver.preparation.cleansing.tiles import Tiles
from mmdet_liver.preparation.decisions import Decision

# What tiles must correlate to confirm hashes that are NEAR, and those that are farther apart.
# `python benchmarks/hash_distances.py`: frames changed in all ways at once correlate by 0.82 and
# more (all but 2 of 1,000); of 12 pairs of strangers within 8 bits, in twice 2,400 patients
# (`--seed 1` and 2), the best by 0.74, two large cysts in the same place. Hashes that are near
# ask less of the tiles: strangers are rarer there (one pair, 0.59), and a frame of the breast
# set that was cropped and stretched anew correlates by 0.66 only.
NEAR = 4  # bits
MIN_CORRELATION_NEAR, MIN_CORRELATION = 0.63, 0.77


@dataclass(frozen=True)
class Clusters:
    """Attributes:
    members: cluster id -> its two or more image paths, sorted.
    ids: image path -> cluster id, of images in a cluster.
    flat: rows on images too flat to compare.
    """

    members: dict[str, tuple[str, ...]]
    ids: dict[str, str]
    flat: list[Decision]


def distance(a: Facts, b: Facts) -> int:
    """Bits in which two images differ, as they are or without marks, whichever are fewer."""
    return min((x ^ y).bit_count() for x in (a.hash, a.clean_hash) for y in (b.hash, b.clean_hash))


def find_image_clusters(
    paths: Collection[str], facts: Mapping[str, Facts], max_distance: int
) -> Clusters:
    """Images whose hashes are within `max_distance` and whose tiles correlate, chained.

    Hashes are compared of the images as they are and as they will be without their marks,
    tiles without them. Flat images are alike only if the files are equal. A cluster is
    named after its first member, so that it keeps its name when others join.
    """
    ordered = sorted(paths)
    comparable = np.array([facts[p].contrast >= MIN_CONTRAST for p in ordered], dtype=bool)
    both = [[facts[p].hash for p in ordered], [facts[p].clean_hash for p in ordered]]
    hashes = np.array(both, np.uint64).ravel()
    confirm = _confirm_by(Tiles([facts[p].tile for p in ordered]), hashes)
    found = find_clusters(hashes, max_distance, np.tile(comparable, 2), confirm)
    labels = _merged(found.reshape(2, -1))
    together: dict[object, list[str]] = defaultdict(list)
    for path, label, compared in zip(ordered, labels.tolist(), comparable.tolist(), strict=True):
        if not compared:
            together[facts[path].sha256].append(path)
        else:
            together[label].append(path)
    members = {_name(group[0]): tuple(group) for group in together.values() if len(group) > 1}
    return Clusters(
        members,
        {path: name for name, group in members.items() for path in group},
        [
            Decision(
                path,
                'near-duplicates',
                'flagged',
                f'contrast {facts[path].contrast:.2f}: too flat to compare, only with equal files',
                facts[path].contrast,
            )
            for path, compared in zip(ordered, comparable.tolist(), strict=True)
            if not compared
        ],
    )


def _confirm_by(tiles: Tiles, hashes: np.ndarray) -> Confirm:
    # `hashes` (2 * N,): both looks of an image have one tile.
    def confirm(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        found = tiles.correlations(i % len(tiles), j % len(tiles))
        return found >= least_correlation(np.bitwise_count(hashes[i] ^ hashes[j]))

    return confirm


def least_correlation(distances: np.ndarray) -> np.ndarray:
    """How well tiles must correlate to confirm hashes so many bits apart: (P,) -> (P,)."""
    return np.where(distances <= NEAR, MIN_CORRELATION_NEAR, MIN_CORRELATION)


def _merged(labels: np.ndarray) -> np.ndarray:
    """(2, N) labels of the two looks of each image -> (N,), clusters that share one joined.

    Both looks of an image that is like no other may be like each other alone; that is no
    cluster yet, and is one image only.
    """
    images = np.arange(labels.shape[1])
    nodes = np.where(labels >= 0, labels, labels.max(initial=-1) + 1 + images)
    size = int(nodes.max(initial=-1)) + 1
    links = coo_array((np.ones(nodes.shape[1], bool), (nodes[0], nodes[1])), (size, size))
    return connected_components(links, directed=False)[1][nodes[0]]


def _name(path: str) -> str:
    return 'C' + hashlib.sha256(path.encode()).hexdigest()[:12]
