"""Contact sheets of the review list: each place close by, and in its whole image.

What the item is about is drawn in magenta, the other annotations in their class's colour.
Boxes are xyxy in original-image pixels.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.arrays import Truth
from mmdet_liver.evaluation.auditing.handing_out.images import describe
from mmdet_liver.evaluation.auditing.ranking.review_list import KINDS, ReviewItem, ReviewList
from mmdet_liver.images import read_image
from mmdet_liver.sheets import Group, Tile, draw_groups, fit_tile, message_image
from mmdet_liver.taxonomy import color_of

_TILE_PX = (240, 200)
_COLUMNS, _PER_PAGE = 6, 12  # pictures across; items on a page, two pictures each
_CONTEXT = 2.5  # side of the close view, in longer sides of the box
_LEAST_VIEW = 64  # pixels; less shows speckle only
_MAGENTA = (255, 0, 255)  # no class has it, and no tissue
_TITLES = {
    'suggested': 'Suggested: labels that may be missing',
    'never_found': 'Never found: boxes that may be wrong, or hard lesions',
    'other_class': 'Other class: diagnoses to check',
}
_OURS = re.compile(rf'({"|".join(KINDS)})_\d{{3,}}\.png')


def write_sheets(truth: Truth, listed: ReviewList, image_root: Path, folder: Path) -> list[Path]:
    """Draw `suggested_001.png`, ... into the folder; pages of an earlier list there go.

    An image that does not open becomes a grey tile that says why.
    """
    pages = [page for kind in KINDS for page in _pages(listed, kind)]
    paths = []
    for kind, number, count, items in pages:
        path = folder / f'{kind}_{number:03}.png'
        groups = [_group(truth, item, listed.models, image_root) for item in items]
        title = (
            f'{_TITLES[kind]} (magenta; other boxes: annotated). '
            f'Page {number} of {count}, {listed.found[kind]} in all'
        )
        draw_groups(groups, path, title=title, columns=_COLUMNS, tile_px=_TILE_PX)
        paths.append(path)
    for path in folder.iterdir() if folder.is_dir() else ():
        if _OURS.fullmatch(path.name) and path not in paths:
            path.unlink()
    return paths


def view_around(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The close view: a square about the box as far as the image goes, xyxy in whole pixels.

    Args:
        box: may lie outside the image, as a prediction's may.
        size: width and height of the image.
    """
    side = max(_CONTEXT * max(box[2] - box[0], box[3] - box[1]), _LEAST_VIEW)
    view = []
    for low, high, extent in zip(box[:2], box[2:], size, strict=True):
        length = round(min(side, extent))
        start = round(min(max((low + high - length) / 2, 0), extent - length))
        view.append((start, start + length))
    (left, right), (top, bottom) = view
    return left, top, right, bottom


def _pages(listed: ReviewList, kind: str) -> list[tuple[str, int, int, list[ReviewItem]]]:
    items = [item for item in listed.items if item.kind == kind]
    starts = range(0, len(items), _PER_PAGE)
    return [
        (kind, number, len(starts), items[start : start + _PER_PAGE])
        for number, start in enumerate(starts, start=1)
    ]


def _group(truth: Truth, item: ReviewItem, models: int, image_root: Path) -> Group:
    name = truth.file_names[item.image]
    patient = truth.images[item.image].get('patient_id')
    heading = f'{item.rank}. {describe(item, truth.labels, models)}'
    caption = (name, f'patient {patient}' if patient not in (None, '') else '')
    try:
        image = _read(image_root / name)
    except InputError as error:
        message = str(error).removeprefix(f'{image_root / name}: ')
        return Group((Tile(message_image(message, _TILE_PX), caption),), heading)
    boxes = _boxes(truth, item)
    left, top, right, bottom = view_around(item.box, image.shape[1::-1])
    close = tuple(
        ((b[0] - left, b[1] - top, b[2] - left, b[3] - top), color)
        for b, color in boxes
        if b[0] < right and b[1] < bottom and b[2] > left and b[3] > top
    )
    tiles = (
        Tile(image[top:bottom, left:right], caption, close),
        Tile(image, ('whole image', ''), boxes),
    )
    return Group(tuple(fit_tile(tile, _TILE_PX) for tile in tiles), heading)


def _boxes(truth: Truth, item: ReviewItem) -> tuple:
    # The item's own box last, so that it lies on top.
    start, stop = truth.lesions.offsets[item.image : item.image + 2]
    others = [
        (tuple(truth.lesions.boxes[i].tolist()), color_of(truth.labels[truth.lesions.classes[i]]))
        for i in range(start, stop)
        if truth.lesions.source[i] != item.source
    ]
    return (*others, (item.box, _MAGENTA))


@lru_cache(maxsize=1)
def _read(path: Path) -> np.ndarray:
    return read_image(path)
