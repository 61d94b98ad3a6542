"""Which images of a data set are looked at; the same data give the same choice."""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from mmdet_liver.errors import input_error


def choose_images(labels: Sequence[Sequence[int]], count: int) -> list[int]:
    """Choose images of every class and lesion-free ones, each kind spread over the set.

    An image is of the class that is rarest in the data set among its own. The kinds take
    turns until `count` is reached: the lowest class, lesion-free, the other classes.

    Args:
        labels: for each image the classes of its lesions.
        count: images wanted; fewer are chosen if there are fewer.
    Returns:
        Image numbers by class, lesion-free ones last.
    """
    frequency = Counter(label for found in labels for label in set(found))
    decks: dict[int, list[int]] = {}
    for number, found in enumerate(labels):
        rarest = min(found, key=lambda label: (frequency[label], label), default=-1)
        decks.setdefault(rarest, []).append(number)
    classes = sorted(kind for kind in decks if kind >= 0)
    turns = [*classes[:1], *(kind for kind in (-1,) if kind in decks), *classes[1:]]
    quotas = _deal([len(decks[kind]) for kind in turns], count)
    chosen = {kind: _spread(decks[kind], quota) for kind, quota in zip(turns, quotas, strict=True)}
    return [number for kind in (*classes, -1) for number in chosen.get(kind, [])]


def find_images(paths: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """The image numbers of named files, in the order of `wanted`.

    Args:
        paths: of the data set's images.
        wanted: file names, or the last parts of paths (`P00007/0003.png`).
    Raises:
        InputError: if a name fits no image, or more than one.
    """
    return [_find(paths, name) for name in wanted]


def _find(paths: Sequence[str], name: str) -> int:
    end = PurePath(name).parts
    fits = [i for i, path in enumerate(paths) if PurePath(path).parts[-len(end) :] == end]
    if len(fits) != 1:
        raise input_error(
            f'images: {name}',
            f'{len(fits)} images of that name among {len(paths)}',
            'one',
            'give the last parts of its path, as in P00007/0003.png',
        )
    return fits[0]


def _deal(sizes: Sequence[int], count: int) -> list[int]:
    """How many each deck gives when all take turns and none gives more than it has."""
    quotas = [0] * len(sizes)
    while sum(quotas) < min(count, sum(sizes)):
        for i, size in enumerate(sizes):
            if quotas[i] < size and sum(quotas) < count:
                quotas[i] += 1
    return quotas


def _spread(deck: Sequence[int], count: int) -> list[int]:
    # The middle of each of `count` equal parts.
    return [deck[(2 * i + 1) * len(deck) // (2 * count)] for i in range(count)]
