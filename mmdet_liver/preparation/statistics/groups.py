"""The diagnoses as figures show them: in one order, with one colour and a short name each."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.font_manager import findfont, get_font

from mmdet_liver.preparation.statistics.tables import Tables
from mmdet_liver.taxonomy import color_of

LESION_FREE = 'lesion-free'
_IGNORED = 'ignored only'  # images whose annotations are all marked ignore or iscrowd
_BARE_COLOR = '#d0d0d0'
_LONGEST = 18  # letters beside a figure
# Of a foreign data set with many classes, the rarest are drawn as one.
_MOST = 10


@dataclass(frozen=True)
class Group:
    """Images and lesions of one diagnosis; an image with two diagnoses is in both groups."""

    label: str  # as figures write it
    color: str  # as matplotlib takes it
    images: np.ndarray  # indices, ascending
    lesions: np.ndarray  # indices, ascending


def frequent_classes(tables: Tables, most: int = _MOST) -> list[int]:
    """The classes with most lesions, at most `most` of them, in the classes' own order."""
    counts = np.bincount(tables.lesions.label, minlength=len(tables.classes))
    return sorted(np.argsort(-counts, kind='stable')[:most].tolist())


def diagnosis_groups(tables: Tables, most: int = _MOST) -> list[Group]:
    """The classes in their order; beyond `most` the rarest are the group 'N others', last.

    A class without lesions has an empty group, so that its absence is seen.
    """
    several = len(tables.classes) > most
    shown = frequent_classes(tables, most - several)
    groups = [
        _group(tables, figure_label(tables, i), color_of(tables.classes[i]), [i]) for i in shown
    ]
    if several:
        rest = [i for i in range(len(tables.classes)) if i not in shown]
        groups.append(_group(tables, f'{len(rest)} others', (200, 200, 200), rest))
    return groups


def image_groups(tables: Tables) -> list[Group]:
    """`diagnosis_groups`, then the images without a lesion, of the two kinds that there are."""
    bare = tables.lesions_per_image() == 0
    kinds = {LESION_FREE: tables.free(), _IGNORED: bare & ~tables.free()}
    none = np.zeros(0, np.int64)
    return diagnosis_groups(tables) + [
        Group(label, _BARE_COLOR, np.flatnonzero(which), none)
        for label, which in kinds.items()
        if which.any()
    ]


def figure_label(tables: Tables, label: int) -> str:
    """A class's name, shortened, or `class 3` where it is not drawable."""
    name = tables.classes[label]
    if not is_drawable(name):
        return f'class {label + 1}'
    return name if len(name) <= _LONGEST else f'{name[: _LONGEST - 1]}…'


def is_drawable(text: str) -> bool:
    """Whether the figures' font has all of its letters (it has no Japanese)."""
    return set(text) <= _letters()


def _group(tables: Tables, label: str, color: tuple[int, int, int], classes: list) -> Group:
    lesions = np.flatnonzero(np.isin(tables.lesions.label, classes))
    images = np.unique(tables.lesions.image[lesions])
    return Group(label, '#{:02x}{:02x}{:02x}'.format(*color), images, lesions)


@cache
def _letters() -> frozenset[str]:
    return frozenset(map(chr, get_font(findfont('DejaVu Sans')).get_charmap()))
