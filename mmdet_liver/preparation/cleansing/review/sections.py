"""A section of the review: pages of one kind, and how many of all they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmdet_liver.preparation.cleansing.review.pages import Layout, Page, PictureGroup


@dataclass(frozen=True)
class Section:
    """Of `total` images or clusters (`unit` is one) the pages show `shown`; `note` says which."""

    folder: str
    title: str
    note: str
    unit: str
    total: int
    shown: int
    pages: tuple[Page, ...]


def lay_out(
    folder: str,
    title: str,
    groups: Sequence[Sequence[PictureGroup]],
    all_pages: int,
    layout: Layout,
) -> tuple[Page, ...]:
    """One page for each sequence of groups; `all_pages` would be needed to show everything."""
    of = f'of {len(groups):,}' + (f' (of {all_pages:,})' if all_pages > len(groups) else '')
    return tuple(
        Page(f'{folder}/page_{i:04d}.png', f'{title}: page {i} {of}', tuple(page), layout)
        for i, page in enumerate(groups, start=1)
    )


def chunks(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def spread(items: Sequence[Any], count: int) -> list[Any]:
    """At most `count` items in their order, evenly spaced, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    places = np.linspace(0, len(items) - 1, count).round().astype(int)
    return [items[i] for i in places]


def folder_name(text: str) -> str:
    return text.replace(' ', '_')
