"""Sheets of val lesions with their nearest train lesions beside them: what counts as alike?"""

from pathlib import Path

import numpy as np

from mmdet_liver.evaluation.figures.fonts import class_label
from mmdet_liver.probing.lesion_crops import LesionCrops
from mmdet_liver.probing.neighbours import NOBODY, Neighbours
from mmdet_liver.sheets import Group, Tile, draw_groups

SHOWN = 7  # neighbours of each lesion
_TILE_PX = (120, 120)
# Told apart in the common forms of colour blindness (Okabe and Ito, 2008).
_RIGHT, _WRONG = (0, 114, 178), (213, 94, 0)


def draw_neighbours(
    train: LesionCrops,
    val: LesionCrops,
    neighbours: Neighbours,
    predicted: np.ndarray,
    path: str | Path,
    *,
    title: str,
    lesions: int = 12,
) -> None:
    """Write a PNG: a row a val lesion, itself on the left, its neighbours by similarity.

    The lesions take turns by class, and within a class come evenly from the whole file, so
    that all arms show the same ones.
    """
    groups = []
    for query in choose_lesions(val.labels, lesions):
        label = val.labels[query]
        tiles = [_query_tile(val, query, int(predicted[query]))]
        pairs = zip(neighbours.index[query], neighbours.similarity[query], strict=True)
        for i, similarity in list(pairs)[:SHOWN]:
            if i != NOBODY:
                tiles.append(_neighbour_tile(train, i, float(similarity), label))
        groups.append(Group(tuple(tiles), heading=f'{val.file_name(query)}'))
    title = f'{title}: lesion, then its nearest train lesions (blue: same class, orange: another)'
    draw_groups(groups, path, title=title, columns=SHOWN + 1, tile_px=_TILE_PX)


def choose_lesions(labels: np.ndarray, count: int) -> list[int]:
    """Indices of `count` lesions, or of all: as many of each class as it has, in its order."""
    of_class = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    shares = [0] * len(of_class)
    while sum(shares) < min(count, len(labels)):
        open_classes = [c for c, rows in enumerate(of_class) if shares[c] < len(rows)]
        shares[min(open_classes, key=lambda c: shares[c])] += 1
    return [
        int(rows[place])
        for rows, share in zip(of_class, shares, strict=True)
        for place in np.linspace(0, len(rows) - 1, share).round().astype(int)
    ]


def _query_tile(val: LesionCrops, query: int, predicted: int) -> Tile:
    label = int(val.labels[query])
    verdict = _name(val, predicted) if predicted != NOBODY else 'nothing'
    color = _RIGHT if predicted == label else _WRONG
    return Tile(val.crops[query], (_name(val, label), f'called {verdict}'), frame=color)


def _neighbour_tile(train: LesionCrops, index: int, similarity: float, label: int) -> Tile:
    own = int(train.labels[index])
    caption = (_name(train, own), f'{similarity:.3f}{"" if own == label else ", other class"}')
    return Tile(train.crops[index], caption, frame=_RIGHT if own == label else _WRONG)


def _name(lesions: LesionCrops, label: int) -> str:
    return class_label(lesions.classes[label], label + 1)
