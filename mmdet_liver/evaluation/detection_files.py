"""Reading COCO ground truth and COCO detection results, with every entry checked."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mmdet_liver.coco_files import (
    first_failing,
    kind,
    read_coco,
    read_json_in_parts,
    values_of,
)
from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import (
    NONE,
    Detections,
    Truth,
    group_by_image,
    round_scores,
)
from mmdet_liver.taxonomy import BENIGN, MALIGNANT

_NUMBERS = (int, float, np.integer, np.floating)
_LARGEST = 1e100  # the area of a box of such sizes is still a finite number


def read_truth(path: str | Path) -> Truth:
    """Read a COCO annotation file.

    Raises:
        InputError: names file and entry for missing keys, images or categories given
            twice or not at all, an annotation of an unknown image or category, or a box
            that is not four finite numbers with sizes of 0 or more.
    """
    content = read_coco(path)
    images, annotations = content['images'], content['annotations']
    class_of, names, malignancy = _classes(content['categories'], path)
    number = {image['id']: i for i, image in enumerate(images)}
    table = _Entries(annotations, f'{path}, annotations')
    image, classes, boxes = _columns(table, number, class_of)
    crowd = _flags(annotations, 'iscrowd', path)
    ignore = _flags(annotations, 'ignore', path)

    def pick(kept: np.ndarray) -> Any:
        source = np.flatnonzero(kept)
        return group_by_image(image[kept], boxes[kept], classes[kept], source, len(images))

    return Truth(
        labels=(NONE, *names),
        malignancy=(None, *malignancy),
        class_of=class_of,
        images=tuple(images),
        lesions=pick(~(crowd | ignore)),
        ignored=pick(ignore),
        crowds=pick(crowd),
    )


def read_detections(path: str | Path, truth: Truth) -> Detections:
    """Read a COCO results file (a list of image_id, category_id, bbox xywh, score).

    Raises:
        InputError: as `to_detections`, and for a file that cannot be read.
    """
    number, parts, count = truth.number_of_image(), [], 0
    for entries in read_json_in_parts(path, 'a COCO results list'):
        parts.append(_result_columns(entries, truth, number, path, count))
        count += len(entries)
    return Detections(*map(np.concatenate, zip(*parts, strict=True)))


def to_detections(entries: list[dict], truth: Truth, where: str | Path) -> Detections:
    """Check COCO result entries against the ground truth and turn them into arrays.

    Args:
        entries: as in a results file; the order within an image breaks ties.
        where: file named in errors.
    Raises:
        InputError: names the entry that is of an unknown image or category, or whose
            box or score is missing, not finite, of negative size or outside 0..1.
    """
    return Detections(*_result_columns(entries, truth, truth.number_of_image(), where))


def _result_columns(
    entries: list[dict], truth: Truth, number: dict, where: str | Path, first: int = 0
) -> tuple[np.ndarray, ...]:
    # What Detections holds, of entries that are numbered from `first`.
    if not isinstance(entries, list):
        raise input_error(
            where,
            f'a JSON {kind(entries)}',
            'a list of results',
            'give a COCO results file (the ground truth comes first)',
        )
    table = _Entries(entries, where, first)
    class_of = None if truth.any_category else truth.class_of
    image, classes, boxes = _columns(table, number, class_of)
    # Rounded as in the evaluation: a float32 sum of softmax may be 1 + 1e-7.
    scores = round_scores(table.numbers('score'))
    outside = np.flatnonzero((scores < 0) | (scores > 1))
    if len(outside):
        i = int(outside[0])
        raise input_error(
            table.name(i), f'score {entries[i]["score"]:g}', '0 to 1', 'give probabilities'
        )
    return image, boxes, classes, scores


@dataclass(frozen=True)
class _Entries:
    # Annotations or results, whose values are read as checked columns.
    entries: list
    where: str | Path
    first: int = 0  # number of the first one in its list

    def name(self, i: int) -> str:
        return f'{self.where}, entry {self.first + i}'

    def looked_up(self, key: str, table: dict, expected: str) -> np.ndarray:
        # (N,) what the table holds for each value.
        values = values_of(self.entries, key, self.where, self.first)
        try:
            if bool in set(map(type, values)):  # true would pass for the id 1
                raise TypeError
            return np.fromiter(map(table.__getitem__, values), np.int64, len(values))
        except (KeyError, TypeError):
            i = first_failing(values, lambda v: table[None if isinstance(v, bool) else v])
            raise input_error(
                self.name(i), f'{key} {values[i]!r}', expected, 'give files that belong together'
            ) from None

    def numbers(self, key: str, length: int | None = None) -> np.ndarray:
        # (N,) or (N, length) float64, finite.
        values = values_of(self.entries, key, self.where, self.first)
        try:
            return _as_numbers(values, length)
        except (TypeError, ValueError):
            i = first_failing(values, lambda v: _as_numbers([v], length))
            expected = 'a finite number' if length is None else 'four finite numbers'
            raise input_error(
                self.name(i), f'{key} {values[i]!r}', expected, 'mend or drop the entry'
            ) from None


def _as_numbers(values: list, length: int | None) -> np.ndarray:
    # ValueError or TypeError unless all are numbers, finite and such that no area overflows.
    flat = values
    if length is not None:
        if set(map(len, values)) - {length}:
            raise ValueError
        flat = list(chain.from_iterable(values))
    for number in set(map(type, flat)):
        if not issubclass(number, _NUMBERS) or number is bool:
            raise ValueError
    try:
        array = np.fromiter(flat, np.float64, len(flat))
    except OverflowError:
        raise ValueError from None
    if not (np.abs(array) <= _LARGEST).all():
        raise ValueError
    return array if length is None else array.reshape(-1, length)


def _columns(
    table: _Entries, number: dict, class_of: dict | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Image numbers (N,), classes (N,) and xyxy boxes (N, 4) of annotations or results.
    image = table.looked_up('image_id', number, 'an image of the ground truth')
    if class_of is None:
        classes = np.ones(len(image), np.int64)
    else:
        expected = f'a category of the ground truth ({", ".join(map(str, class_of))})'
        classes = table.looked_up('category_id', class_of, expected)
    boxes = table.numbers('bbox', 4)
    negative = np.flatnonzero((boxes[:, 2:] < 0).any(axis=1))
    if len(negative):
        i = int(negative[0])
        raise input_error(
            table.name(i),
            f'bbox {boxes[i].tolist()}',
            'x, y, width, height with sizes of 0 or more',
            'write xywh, not xyxy, with the corners in order',
        )
    boxes[:, 2:] += boxes[:, :2]
    return image, classes, boxes


def _classes(categories: list, path: str | Path) -> tuple[dict, list[str], list[str | None]]:
    # Category id -> class 1..C in the order of ids; names and malignancy in that order.
    where = f'{path}, categories'
    ids = [category['id'] for category in categories]
    names = [str(category['name']) for category in categories]
    if len({NONE, *names}) <= len(names):
        raise input_error(
            where, f'the names {", ".join(names)}', f'different ones, not {NONE!r}', 'rename one'
        )
    ordered = sorted(range(len(ids)), key=lambda i: (isinstance(ids[i], str), ids[i]))
    groups = [category.get('supercategory') for category in categories]
    malignancy = [g if g in (BENIGN, MALIGNANT) else None for g in groups]
    return (
        {ids[i]: c for c, i in enumerate(ordered, start=1)},
        [names[i] for i in ordered],
        [malignancy[i] for i in ordered],
    )


def _flags(annotations: list[dict], key: str, path: str | Path) -> np.ndarray:
    values = [annotation.get(key, 0) for annotation in annotations]
    for i, value in enumerate(values):
        if value not in (0, 1, None):
            raise input_error(
                f'{path}, annotations, entry {i}', f'{key} {value!r}', '0 or 1', 'mend'
            )
    return np.fromiter(map(bool, values), bool, len(values))
