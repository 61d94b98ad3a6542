"""Where groups of pictures stand on a sheet: on shelves, and shelves on pages.

A group is as wide as the sheet allows; one with more pictures than columns takes several
rows of equal length. Groups of as many rows share a shelf.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush


@dataclass(frozen=True)
class Shelf:
    """Groups side by side, by their number; each is `rows` rows of pictures high."""

    rows: int
    groups: list[int]


class _Places:
    """Numbered places of equal room, each filled as far as it goes, the first one first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._count = 0
        self._by_room: dict[int, list[int]] = defaultdict(list)

    def take(self, size: int) -> int:
        """The first place with room for `size`; a new one, with more if needed, if none has."""
        found = [(heap[0], room) for room, heap in self._by_room.items() if heap and room >= size]
        if found:
            place, room = min(found)
            heappop(self._by_room[room])
        else:
            place, room = self._count, max(self._room, size)
            self._count += 1
        heappush(self._by_room[room - size], place)
        return place


def group_shape(size: int, columns: int) -> tuple[int, int]:
    """Columns and rows that a group of `size` pictures takes up."""
    rows = max(1, -(-size // columns))
    return max(1, -(-size // rows)), rows


def fill_shelves(sizes: Sequence[int], columns: int) -> list[Shelf]:
    """Put each group on the first shelf of its height that has room, or on a new one.

    Taken again in the order in which they stand, the groups come to stand so again.
    """
    by_height: dict[int, _Places] = {}
    shelves: dict[tuple[int, int], Shelf] = {}
    for number, size in enumerate(sizes):
        width, rows = group_shape(size, columns)
        place = by_height.setdefault(rows, _Places(columns)).take(width)
        shelves.setdefault((rows, place), Shelf(rows, [])).groups.append(number)
    return list(shelves.values())


def paginate(sizes: Sequence[int], *, columns: int, rows: int) -> list[list[int]]:
    """Share groups out over pages of `rows` rows of pictures.

    A group goes to the first page where there is room; one that is higher than a page has
    a page of its own.

    Args:
        sizes: pictures in each group.
    Returns:
        pages of indices into `sizes`, in the order in which the groups stand.
    """
    pages: dict[int, list[int]] = {}
    places = _Places(rows)
    for shelf in fill_shelves(sizes, columns):
        pages.setdefault(places.take(shelf.rows), []).extend(shelf.groups)
    return list(pages.values())
