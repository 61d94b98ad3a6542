"""Reading COCO ground truth and COCO detection results, with every entry checked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import NONE, Detections, Truth, group_by_image


def read_json(path: str | Path, expected: str) -> Any:
    """Parse a JSON file; `expected` says in an error what it should have held."""
    path = Path(path)
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise input_error(path, error.strerror.lower(), expected, 'check the path') from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise input_error(path, f'no JSON ({error})', expected, 'write it again') from None


def read_truth(path: str | Path) -> Truth:
    """Read a COCO annotation file.

    Raises:
        InputError: names file and entry for missing keys, images or categories given
            twice or not at all, an annotation of an unknown image or category, or a box
            that is not four finite numbers with sizes of 0 or more.
    """
    content = read_json(path, 'COCO ground truth')
    images, annotations, categories = (
        _section(content, key, path) for key in ('images', 'annotations', 'categories')
    )
    image_ids = _unique([_get(e, 'id', f'{path}, images[{i}]') for i, e in enumerate(images)], path)
    class_of, names = _classes(categories, path)
    number = {image_id: i for i, image_id in enumerate(image_ids)}
    image, classes, boxes = _columns(annotations, number, class_of, f'{path}, annotations', 'file')
    crowd = _flags(annotations, 'iscrowd', path)
    ignore = _flags(annotations, 'ignore', path)

    def pick(kept: np.ndarray) -> Any:
        return group_by_image(image[kept], boxes[kept], classes[kept], len(images))

    return Truth(
        labels=(NONE, *names),
        class_of=class_of,
        image_ids=tuple(image_ids),
        file_names=tuple(str(e.get('file_name', e['id'])) for e in images),
        lesions=pick(~(crowd | ignore)),
        ignored=pick(ignore),
        crowds=pick(crowd),
    )


def read_detections(path: str | Path, truth: Truth) -> Detections:
    """Read a COCO results file (a list of image_id, category_id, bbox xywh, score)."""
    return to_detections(read_json(path, 'a COCO results list'), truth, path)


def to_detections(entries: list[dict], truth: Truth, where: str | Path) -> Detections:
    """Check COCO result entries against the ground truth and turn them into arrays.

    Args:
        entries: as in a results file; the order within an image breaks ties.
        where: file named in errors.
    Raises:
        InputError: names the entry that is of an unknown image or category, or whose
            box or score is missing, not finite, of negative size or outside 0..1.
    """
    if not isinstance(entries, list):
        raise input_error(
            where,
            f'a JSON {_kind(entries)}',
            'a list of results',
            'give a COCO results file (the ground truth comes first)',
        )
    class_of = None if truth.any_category else truth.class_of
    image, classes, boxes = _columns(entries, truth.number_of_image(), class_of, where, 'truth')
    scores = _numbers(entries, 'score', (), where)
    # Rounded as in the evaluation: a float32 sum of softmax may be 1 + 1e-7.
    outside = np.flatnonzero((np.round(scores, 6) < 0) | (np.round(scores, 6) > 1))
    if len(outside):
        i = int(outside[0])
        raise input_error(
            f'{where}, entry {i}', f'score {scores[i]:g}', '0 to 1', 'give probabilities'
        )
    return Detections(image=image, boxes=boxes, classes=classes, scores=scores)


def _columns(
    entries: list, number: dict, class_of: dict | None, where: str | Path, known_by: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Image numbers (N,), classes (N,) and xyxy boxes (N, 4) of annotations or results.
    source = 'the ground truth' if known_by == 'truth' else 'this file'
    image = _looked_up(entries, 'image_id', number, where, f'an image of {source}')
    if class_of is None:
        classes = np.ones(len(entries), np.int64)
    else:
        expected = f'a category of {source} ({", ".join(map(str, class_of))})'
        classes = _looked_up(entries, 'category_id', class_of, where, expected)
    boxes = _numbers(entries, 'bbox', (4,), where)
    negative = np.flatnonzero((boxes[:, 2:] < 0).any(axis=1))
    if len(negative):
        i = int(negative[0])
        raise input_error(
            f'{where}, entry {i}',
            f'bbox {boxes[i].tolist()}',
            'x, y, width, height with sizes of 0 or more',
            'write xywh, not xyxy, with the corners in order',
        )
    boxes[:, 2:] += boxes[:, :2]
    return image, classes, boxes


def _looked_up(
    entries: list, key: str, table: dict, where: str | Path, expected: str
) -> np.ndarray:
    values = _values(entries, key, where)
    try:
        return np.fromiter((table[v] for v in values), np.int64, len(values))
    except (KeyError, TypeError):
        i = _first(values, lambda v: table[v])
        raise input_error(
            f'{where}, entry {i}',
            f'{key} {values[i]!r}',
            expected,
            'give files that belong together',
        ) from None


def _numbers(entries: list, key: str, shape: tuple, where: str | Path) -> np.ndarray:
    # (N, *shape) float64, finite.
    values = _values(entries, key, where)

    def checked(part: list) -> np.ndarray:
        array = np.asarray(part)
        wrong = array.shape != (len(part), *shape) or array.dtype.kind not in 'iuf'
        if wrong or not np.isfinite(array).all():
            raise ValueError
        return array.astype(np.float64)

    if not values:
        return np.zeros((0, *shape))
    try:
        return checked(values)
    except ValueError:
        i = _first(values, lambda v: checked([v]))
        expected = 'four finite numbers' if shape else 'a finite number'
        raise input_error(
            f'{where}, entry {i}', f'{key} {values[i]!r}', expected, 'mend or drop the entry'
        ) from None


def _values(entries: list, key: str, where: str | Path) -> list:
    try:
        return [entry[key] for entry in entries]
    except (KeyError, TypeError):
        for i, entry in enumerate(entries):
            _get(entry, key, f'{where}, entry {i}')
        raise


def _first(values: list, check: Callable[[Any], Any]) -> int:
    for i, value in enumerate(values):
        try:
            check(value)
        except (KeyError, TypeError, ValueError):
            return i
    raise AssertionError('no value fails alone')


def _get(entry: Any, key: str, where: str) -> Any:
    if not isinstance(entry, dict):
        raise input_error(where, f'a JSON {_kind(entry)}', 'an object', 'mend or drop the entry')
    if key not in entry:
        raise input_error(where, f'no {key!r}', f'the key {key!r}', 'mend or drop the entry')
    return entry[key]


def _section(content: Any, key: str, path: str | Path) -> list:
    section = _get(content, key, str(path))
    if not isinstance(section, list):
        raise input_error(path, f'{key} as a {_kind(section)}', 'a list', 'write COCO ground truth')
    if not section and key != 'annotations':
        raise input_error(path, f'no {key}', 'at least one', 'check what wrote the file')
    return section


def _classes(categories: list, path: str | Path) -> tuple[dict, list[str]]:
    # Category id -> class 1..C in the order of ids, and the names in that order.
    where = f'{path}, categories'
    ids = _unique([_get(c, 'id', f'{where}[{i}]') for i, c in enumerate(categories)], where)
    names = [str(_get(c, 'name', f'{where}[{i}]')) for i, c in enumerate(categories)]
    if len({NONE, *names}) <= len(names):
        raise input_error(
            where, f'the names {", ".join(names)}', f'different ones, not {NONE!r}', 'rename one'
        )
    ordered = sorted(range(len(ids)), key=lambda i: (isinstance(ids[i], str), ids[i]))
    return {ids[i]: c for c, i in enumerate(ordered, start=1)}, [names[i] for i in ordered]


def _unique(ids: list, where: str | Path) -> list:
    seen = set()
    for i, value in enumerate(ids):
        if not isinstance(value, int | str):
            raise input_error(
                f'{where}, entry {i}', f'id {value!r}', 'a number or a text', 'mend the id'
            )
        if value in seen:
            raise input_error(
                f'{where}, entry {i}', f'id {value!r} again', 'each id once', 'drop one of them'
            )
        seen.add(value)
    return ids


def _flags(annotations: list[dict], key: str, path: str | Path) -> np.ndarray:
    values = [a.get(key, 0) for a in annotations]
    for i, value in enumerate(values):
        if value not in (0, 1, None):
            raise input_error(
                f'{path}, annotations, entry {i}', f'{key} {value!r}', '0 or 1', 'mend'
            )
    return np.array([bool(v) for v in values], bool)


def _kind(value: Any) -> str:
    names = {dict: 'object', list: 'list', str: 'string', bool: 'boolean', type(None): 'null'}
    return names.get(type(value), 'number')
