"""Reading COCO ground truth and COCO detection results, with every entry checked."""

from pathlib import Path
from typing import Any

import numpy as np

from mmdet_liver.coco_files import first_failing, kind, read_coco, read_json, values_of
from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import (
    NONE,
    SCORE_DECIMALS,
    Detections,
    Truth,
    group_by_image,
)
from mmdet_liver.taxonomy import BENIGN, MALIGNANT


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
    image, classes, boxes = _columns(annotations, number, class_of, f'{path}, annotations')
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
            f'a JSON {kind(entries)}',
            'a list of results',
            'give a COCO results file (the ground truth comes first)',
        )
    class_of = None if truth.any_category else truth.class_of
    image, classes, boxes = _columns(entries, truth.number_of_image(), class_of, where)
    scores = _numbers(entries, 'score', (), where)
    # Rounded as in the evaluation: a float32 sum of softmax may be 1 + 1e-7.
    rounded = np.round(scores, SCORE_DECIMALS)
    outside = np.flatnonzero((rounded < 0) | (rounded > 1))
    if len(outside):
        i = int(outside[0])
        raise input_error(
            f'{where}, entry {i}', f'score {scores[i]:g}', '0 to 1', 'give probabilities'
        )
    return Detections(image=image, boxes=boxes, classes=classes, scores=scores)


def _columns(
    entries: list, number: dict, class_of: dict | None, where: str | Path
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Image numbers (N,), classes (N,) and xyxy boxes (N, 4) of annotations or results.
    image = _looked_up(entries, 'image_id', number, where, 'an image of the ground truth')
    if class_of is None:
        classes = np.ones(len(entries), np.int64)
    else:
        expected = f'a category of the ground truth ({", ".join(map(str, class_of))})'
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
    values = values_of(entries, key, where)
    try:
        return np.fromiter((table[v] for v in values), np.int64, len(values))
    except (KeyError, TypeError):
        i = first_failing(values, table.__getitem__)
        raise input_error(
            f'{where}, entry {i}',
            f'{key} {values[i]!r}',
            expected,
            'give files that belong together',
        ) from None


def _numbers(entries: list, key: str, shape: tuple, where: str | Path) -> np.ndarray:
    # (N, *shape) float64, finite.
    values = values_of(entries, key, where)

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
        i = first_failing(values, lambda v: checked([v]))
        expected = 'four finite numbers' if shape else 'a finite number'
        raise input_error(
            f'{where}, entry {i}', f'{key} {values[i]!r}', expected, 'mend or drop the entry'
        ) from None


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
    values = [a.get(key, 0) for a in annotations]
    for i, value in enumerate(values):
        if value not in (0, 1, None):
            raise input_error(
                f'{path}, annotations, entry {i}', f'{key} {value!r}', '0 or 1', 'mend'
            )
    return np.array([bool(v) for v in values], bool)
