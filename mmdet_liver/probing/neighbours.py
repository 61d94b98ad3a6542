"""Diagnoses by the k nearest neighbours, weighted by similarity, as pure functions on arrays.

Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination",
CVPR 2018 (arXiv:1805.01978), section 3.4; similarity is the cosine.
"""

from dataclasses import dataclass

import numpy as np

TEMPERATURE = 0.07  # theirs
_QUERIES_AT_ONCE = 1024
NOBODY = -1


@dataclass(frozen=True)
class Neighbours:
    """The nearest of each query, the most similar first.

    Where fewer than k may be neighbours, the rest is NOBODY with similarity -inf.
    """

    index: np.ndarray  # (Q, k) rows of the train features
    similarity: np.ndarray  # (Q, k) cosines


def unit_rows(features: np.ndarray) -> np.ndarray:
    """(N, D) rows of length 1, as float32; a row of zeros stays one."""
    features = np.asarray(features, np.float32)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(length > 0, length, 1)


def nearest(
    train: np.ndarray,
    queries: np.ndarray,
    k: int,
    train_groups: np.ndarray | None = None,
    query_groups: np.ndarray | None = None,
) -> Neighbours:
    """Find the `k` most similar train rows of each query, or all if there are fewer.

    Args:
        train, queries: (N, D) and (Q, D) features of any length.
        train_groups, query_groups: (N,) and (Q,); rows of the query's own group (its
            patient) are no neighbours.
    """
    train, queries = unit_rows(train), unit_rows(queries)
    k = min(k, len(train))
    index = np.empty((len(queries), k), np.int64)
    similarity = np.empty((len(queries), k), np.float32)
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        rows = slice(start, start + _QUERIES_AT_ONCE)
        cosines = queries[rows] @ train.T  # (q, N)
        if train_groups is not None and query_groups is not None:
            cosines[query_groups[rows, None] == train_groups[None]] = -np.inf
        index[rows], similarity[rows] = _highest(cosines, k)
    return Neighbours(np.where(np.isneginf(similarity), NOBODY, index), similarity)


def votes(
    neighbours: Neighbours,
    labels: np.ndarray,
    num_classes: int,
    temperature: float | None = TEMPERATURE,
) -> np.ndarray:
    """(Q, C) sums of the neighbours' votes for each class.

    Args:
        labels: (N,) class of each train row, 0 to C - 1.
        temperature: a vote weighs exp(cosine / temperature), up to a factor that all
            of a query share; None: every neighbour weighs the same.
    """
    present = neighbours.index != NOBODY
    if temperature is None:
        weight = present.astype(np.float64)
    else:
        # Relative to the nearest, whose vote is 1 however low the temperature is.
        cosine = np.where(present, neighbours.similarity, -1).astype(np.float64)
        weight = np.exp((cosine - cosine.max(axis=1, keepdims=True)) / temperature)
    voted = labels[neighbours.index]  # (Q, k)
    return np.stack([(weight * (voted == c) * present).sum(axis=1) for c in range(num_classes)], 1)


def winners(summed: np.ndarray) -> np.ndarray:
    """(Q,) class with most votes (the first of equals); NOBODY where no one voted."""
    return np.where(summed.any(axis=1), summed.argmax(axis=1), NOBODY)


def _highest(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    # Columns and values of the k highest of each row, descending, the earlier of equals first.
    chosen = np.argpartition(-values, k - 1, axis=1)[:, :k] if k < values.shape[1] else None
    if chosen is None:
        chosen = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    found = np.take_along_axis(values, chosen, axis=1)
    order = np.lexsort((chosen, -found), axis=1)
    return np.take_along_axis(chosen, order, axis=1), np.take_along_axis(found, order, axis=1)
