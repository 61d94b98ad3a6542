"""What is wrong with the annotations and classes of COCO files; no image is opened.

Boxes are xywh in pixels, as COCO has them.
"""

import math
from collections.abc import Iterator, Sequence
from reprlib import repr as short_repr
from typing import Any

from mmdet_liver import taxonomy
from mmdet_liver.preparation.checking.findings import Finding
from mmdet_liver.preparation.checking.reading import CocoFile, path_of

# As far as the preparation cuts a box without being asked: it was rounded there.
_ROUNDING_PX = 1.0
_WHOLE_IMAGE = 0.9
_MALIGNANCIES = sorted({d.malignancy for d in taxonomy.LIVER})


def check_annotations(file: CocoFile) -> Iterator[Finding]:
    """Annotations of what is not there, boxes that cannot be, boxes to look at."""
    images = {image['id']: image for image in file.images if 'id' in image}
    categories = {c['id']: c.get('name', '') for c in file.categories if 'id' in c}
    drawn: dict[tuple, dict] = {}
    for annotation in file.annotations:
        image = images.get(annotation.get('image_id'), {})
        place = {'image': image.get('file_name', ''), 'annotation': str(annotation.get('id', ''))}
        for key, table in (('image', images), ('category', categories)):
            value = annotation.get(f'{key}_id')
            if value is not None and value not in table:
                message = f'{key}_id {short_repr(value)}'
                yield Finding(f'unknown {key}', file.name, message, **place)
        box = annotation.get('bbox')
        problem = box_problem(box, (image.get('width'), image.get('height')))
        if problem is not None:
            yield Finding(problem[0], file.name, problem[1], **place)
        elif image:
            first = drawn.setdefault((image['id'], *box), annotation)
            if first is not annotation:
                name = categories.get(first.get('category_id'), 'unknown')
                message = f'{box} as annotation {first.get("id")} ({name})'
                yield Finding('equal boxes', file.name, message, **place)


def box_problem(box: Any, size: tuple[int | None, int | None]) -> tuple[str, str] | None:
    """Kind and message of what is wrong with one box, or None.

    Args:
        size: width and height of the image in pixels; None where unknown, and then the
            box is not compared with it.
    """
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        return 'no box', f'bbox {short_repr(box)}'
    said = f'[x, y, width, height] = {box}'
    if not all(map(_is_finite, box)):
        return 'box not finite', said
    x, y, width, height = box
    if width <= 0 or height <= 0:
        return 'box without area', said
    if None in size:
        return None
    said += f' in an image of {size[0]}x{size[1]} pixels'
    left, top, right, bottom = (
        max(x, 0),
        max(y, 0),
        min(x + width, size[0]),
        min(y + height, size[1]),
    )
    beyond = max(left - x, top - y, x + width - right, y + height - bottom)
    if beyond > _ROUNDING_PX or right <= left or bottom <= top:
        as_corners = x < width <= size[0] and y < height <= size[1] and x >= 0 and y >= 0
        return 'box outside', said + ('; inside if read as corners (xyxy)' if as_corners else '')
    share = (right - left) * (bottom - top) / (size[0] * size[1])
    return ('box of the whole image', f'{said}: {share:.0%}') if share > _WHOLE_IMAGE else None


def check_images_listed(file: CocoFile) -> Iterator[Finding]:
    """A file without images, and an image under two entries."""
    if not file.images:
        yield Finding('no images', file.name, 'the list of images is empty')
    seen: set[str] = set()
    for image in file.images:
        path = path_of(image)
        if path in seen:
            message = f'again as image {short_repr(image.get("id"))}'
            yield Finding('image named twice', file.name, message, image['file_name'])
        elif path:
            seen.add(path)


def check_classes(files: Sequence[CocoFile]) -> Iterator[Finding]:
    """Classes that nobody here knows, and ids that mean one class here and another there."""
    first_ids: dict[str, tuple[Any, str]] = {}
    for file in files:
        if not file.categories:
            yield Finding('no categories', file.name, 'the list of categories is empty')
        names: set[str] = set()
        for category in file.categories:
            name = category.get('name')
            if name is None:
                continue
            if name in names:
                yield Finding('class named twice', file.name, repr(name))
                continue
            names.add(name)
            yield from _unknown(category, file.name)
            number = category.get('id')
            if number is None:
                continue
            first, where = first_ids.setdefault(name, (number, file.name))
            if number != first:
                message = f'{name!r} has id {number!r} here and {first!r} in {where}'
                yield Finding('class ids differ', file.name, message)


def _unknown(category: dict, file: str) -> Iterator[Finding]:
    name, malignancy = category['name'], category.get('supercategory')
    if name == taxonomy.TUMOR:  # all diagnoses in one, so neither benign nor malignant
        return
    known = taxonomy.is_known(name)
    if not known:
        expected = ', '.join((*taxonomy.known_names(), taxonomy.TUMOR))
        yield Finding('unknown class', file, f'{short_repr(name)}; known are {expected}')
    allowed = [taxonomy.diagnosis(name).malignancy] if known else _MALIGNANCIES
    if malignancy not in allowed:
        message = f'{short_repr(malignancy)} of {name!r}; expected {" or ".join(allowed)}'
        yield Finding('wrong supercategory', file, message)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond any float
        return False
