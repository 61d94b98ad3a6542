"""A reviewed file, whichever program wrote it: the boxes that a person left on each image.

Boxes are xywh in pixels of the original image, as COCO has them.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from mmdet_liver.errors import input_error


@dataclass(frozen=True)
class ReviewedBox:
    """One box; `score` is that of the suggestion it comes from, None for any other."""

    bbox: tuple[float, float, float, float]
    category_id: int | str
    score: float | None
    where: str


@dataclass(frozen=True)
class ReviewedImage:
    """`entry` is the image's own in the ground truth."""

    entry: dict
    boxes: tuple[ReviewedBox, ...]
    where: str


class ImageFinder:
    """Finds the images of the ground truth by file name, with or without folders."""

    def __init__(self, images: Sequence[dict]) -> None:
        self._by_path = defaultdict(list)
        self._by_name = defaultdict(list)
        for image in images:
            path = PurePosixPath(str(image.get('file_name', '')))
            self._by_path[path].append(image)
            self._by_name[path.name].append((path, image))

    def find(self, file_name: str, where: str) -> dict:
        """The image with this path; else the only one whose path ends as this one does.

        Folders may be missing on either side: `a.png`, `P1/a.png` and `images/P1/a.png`
        can be the same image, `P2/a.png` is another.

        Raises:
            InputError: if there is none, or more than one.
        """
        path = PurePosixPath(file_name.replace('\\', '/').lstrip('/'))
        found = self._by_path.get(path) or [
            image
            for other, image in self._by_name.get(path.name, ())
            if _ends_alike(path.parts, other.parts)
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            raise input_error(
                where,
                f'the image {file_name!r}',
                'an image of the ground truth',
                'merge into the file that was handed out for review',
            )
        names = ', '.join(str(image['file_name']) for image in found[:3])
        raise input_error(
            where,
            f'the image {file_name!r}, which may be any of {names}',
            'a name that fits one image',
            'export it with its folders',
        )


def check_box(values: Sequence, where: str) -> tuple[float, float, float, float]:
    """x, y, width, height as floats; InputError unless finite and with an area."""
    try:
        bbox = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        bbox = ()
    if len(bbox) != 4 or not all(map(math.isfinite, bbox)) or min(bbox[2:]) <= 0:
        raise input_error(
            where,
            f'the box {list(values)}',
            'x, y, width, height, finite and with an area',
            'draw it again',
        )
    return bbox


def check_size(size: tuple, entry: dict, where: str) -> None:
    """InputError if width or height, where both sides know it, is not the ground truth's."""
    expected = entry.get('width'), entry.get('height')
    if any(a and b and a != b for a, b in zip(size, expected, strict=True)):
        raise input_error(
            where,
            f'an image of {size[0]}x{size[1]} pixels',
            f'{expected[0]}x{expected[1]}, as in the ground truth',
            'review the same version of the images',
        )


def check_rotation(angle: object, where: str) -> None:
    """InputError for a turned rectangle or image."""
    if angle:
        raise input_error(
            where, f'a rotation of {angle} degrees', 'an upright one', 'draw it without rotation'
        )


def look_up(name: object, known: dict, where: str) -> int | str:
    """The category id of a class name; InputError for an unknown one."""
    try:
        return known[name]
    except (KeyError, TypeError):
        raise input_error(
            where,
            f'the class {name!r}',
            f'one of {", ".join(map(str, known))}',
            'use the classes of the ground truth',
        ) from None


def require_each_once(images: Iterable[ReviewedImage]) -> list[ReviewedImage]:
    """The images as a list; InputError if one comes twice, as whose boxes would count?"""
    first = {}
    for image in images:
        earlier = first.setdefault(image.entry['id'], image)
        if earlier is not image:
            raise input_error(
                image.where,
                f'the image {image.entry["file_name"]!r} again, after {earlier.where}',
                'each image once',
                'export one review of it',
            )
    return list(first.values())


def _ends_alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shared = min(len(one), len(other))
    return one[-shared:] == other[-shared:]
