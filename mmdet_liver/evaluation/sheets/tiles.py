"""Which images a contact sheet shows: a fair mix of every kind of outcome."""

from itertools import zip_longest

import numpy as np

from mmdet_liver.evaluation.scoring import Evaluation

KINDS = ('correct', 'missed', 'over-detected', 'confused', 'lesion-free')


def image_tallies(evaluation: Evaluation) -> np.ndarray:
    """(images, 4) counts at the score threshold: correct, missed, over-detected, confused."""
    outcomes = evaluation.outcomes
    size = len(evaluation.truth.image_ids)
    shown = outcomes.score >= evaluation.score_thr
    found = outcomes.row > 0
    right = outcomes.row == outcomes.column

    def count(which: np.ndarray) -> np.ndarray:
        return np.bincount(outcomes.image[shown & which], minlength=size)

    missed = np.diff(evaluation.truth.lesions.offsets) - count(found)
    return np.stack([count(right), missed, count(~found), count(found & ~right)], axis=1)


def choose_tiles(tallies: np.ndarray, tiles: int) -> list[tuple[int, str]]:
    """A fair mix of images, each with its kind: the kinds take turns until all are dealt.

    An image is of its gravest kind: confused, over-detected, missed, then correct or,
    with nothing in it and nothing found, lesion-free. Within a kind the choice is spread
    evenly over the data set. Same data, same choice.

    Args:
        tallies: (images, 4) of `image_tallies`.
    Returns:
        (image number, kind), in the order of KINDS.
    """
    kinds = np.full(len(tallies), KINDS.index('lesion-free'))
    for k in (0, 1, 2, 3):  # the later ones are graver
        kinds[tallies[:, k] > 0] = k
    decks = [_spread(np.flatnonzero(kinds == k), tiles) for k in range(len(KINDS))]
    dealt = [
        (k, int(number))
        for hand in zip_longest(*decks)
        for k, number in enumerate(hand)
        if number is not None
    ]
    return [(number, KINDS[k]) for k, number in sorted(dealt[:tiles])]


def _spread(numbers: np.ndarray, count: int) -> np.ndarray:
    # At most `count` of them, the first picks being evenly spaced as well as the whole.
    if not len(numbers):
        return numbers
    places = np.unique(np.linspace(0, len(numbers) - 1, min(count, len(numbers))).astype(int))
    order = sorted(range(len(places)), key=lambda i: (f'{i:032b}'[::-1], i))
    return numbers[places[order]]
