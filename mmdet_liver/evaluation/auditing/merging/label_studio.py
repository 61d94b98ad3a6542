"""Reading what Label Studio exports as "JSON": finished annotations of each task.

A task without annotation, and a skipped one (`was_cancelled`), is not reviewed; an
annotation without boxes says that there is nothing in the image.
"""

from collections.abc import Iterator
from reprlib import repr as short_repr
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.auditing.merging.comparing import pairwise_iou
from mmdet_liver.evaluation.auditing.merging.reviewed import (
    ImageFinder,
    ReviewedBox,
    ReviewedImage,
    check_box,
    check_rotation,
    check_size,
    look_up,
)
from mmdet_liver.evaluation.auditing.ranking.suggestions import SAME_PLACE_IOU

# Results that draw nothing.
_NOTES = {'choices', 'textarea', 'rating', 'number', 'taxonomy', 'datetime', 'relation', 'pairwise'}


def read_tasks(
    content: list, finder: ImageFinder, category_ids: dict[str, int | str], path: object
) -> Iterator[ReviewedImage]:
    """Each reviewed task as an image.

    Args:
        category_ids: category id by class name.
        path: the file named in errors.
    Raises:
        InputError: names the task, and the box, that cannot be taken.
    """
    for i, task in enumerate(content):
        where = f'{path}, task {i}'
        data = task.get('data') if isinstance(task, dict) else None
        if not isinstance(data, dict):
            raise input_error(
                where, "no 'data'", 'a task of Label Studio', 'export as JSON, not as JSON-MIN'
            )
        annotation = _finished(task, where)
        if annotation is None:
            continue
        entry = finder.find(_file_name(data, where), where)
        boxes = [
            _box(region, data, entry, category_ids, f'{where}, result {j}')
            for j, region in enumerate(_objects(annotation.get('result'), f'{where}, result'))
            if region.get('type') not in _NOTES
        ]
        yield ReviewedImage(entry, tuple(boxes), where)


def _finished(task: dict, where: str) -> dict | None:
    # The annotation that counts; None if nobody has finished one.
    listed = _objects(task.get('annotations'), f'{where}, annotations')
    found = [a for a in listed if not a.get('was_cancelled')]
    chosen = [a for a in found if a.get('ground_truth')] or found
    if len(chosen) > 1:
        raise input_error(
            where,
            f'{len(chosen)} annotations',
            'one',
            'delete the others, or mark the one that counts as ground truth',
        )
    return chosen[0] if chosen else None


def _file_name(data: dict, where: str) -> str:
    if isinstance(data.get('file_name'), str):
        return data['file_name']
    address = data.get('image')
    if not isinstance(address, str):
        raise input_error(
            where, "neither 'file_name' nor 'image' in its data", 'one of them', 'export it again'
        )
    parts = urlsplit(address)
    return parse_qs(parts.query).get('d', [unquote(parts.path)])[0]


def _box(region: dict, data: dict, entry: dict, category_ids: dict, where: str) -> ReviewedBox:
    value = region.get('value')
    names = value.get('rectanglelabels') if isinstance(value, dict) else None
    if region.get('type') != 'rectanglelabels' or not isinstance(names, list) or len(names) != 1:
        raise input_error(
            where,
            f'{region.get("type")!r} with the labels {names}',
            'a rectangle with one label',
            'draw it with the rectangle tool, with one class',
        )
    check_rotation(region.get('image_rotation'), where)
    check_rotation(value.get('rotation'), where)
    size = region.get('original_width'), region.get('original_height')
    check_size(size, entry, where)
    width, height = entry.get('width') or size[0], entry.get('height') or size[1]
    if not (width and height):
        raise input_error(where, 'no size of the image', 'original_width and _height', 'add them')
    percent = [value.get(key) for key in ('x', 'y', 'width', 'height')]
    scale = (width / 100, height / 100) * 2
    x, y, w, h = check_box(percent, where)
    bbox = tuple(v * s for v, s in zip((x, y, w, h), scale, strict=True))
    return ReviewedBox(bbox, look_up(names[0], category_ids, where), _score(bbox, data), where)


def _score(bbox: tuple, data: dict[str, Any]) -> float | None:
    # Regions get new ids when a prediction is taken over; the place tells.
    suggestions = data.get('suggestions') or []
    if not suggestions:
        return None
    places = np.array([s['bbox'] for s in suggestions], np.float64)
    iou = pairwise_iou(np.array([bbox]), places)[0]
    best = int(iou.argmax())
    return suggestions[best]['score'] if iou[best] >= SAME_PLACE_IOU else None


def _objects(entries: Any, where: str) -> list[dict]:
    entries = entries or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise input_error(
            where, short_repr(entries), 'a list of objects', 'export as JSON, with the annotations'
        )
    return entries
