"""The images on the review list, with everything a reviewer is to see on them."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.auditing.boxes import is_visible
from mmdet_liver.evaluation.auditing.ranking.review_list import (
    NEVER_FOUND,
    SUGGESTED,
    ReviewItem,
    ReviewList,
)
from mmdet_liver.images import image_size


@dataclass(frozen=True)
class ImageToReview:
    """One image of the ground truth; `annotations` are all that have an area, ignored ones too."""

    entry: dict
    size: tuple[int, int]  # width, height in pixels
    annotations: tuple[tuple[int, dict], ...]  # (index in the file's list, entry)
    items: tuple[ReviewItem, ...]

    @property
    def suggestions(self) -> list[ReviewItem]:
        return [item for item in self.items if item.kind == SUGGESTED]

    def item_of(self, source: int) -> ReviewItem | None:
        """The item about the annotation with this index, if there is one."""
        return next((item for item in self.items if item.source == source), None)


def images_to_review(
    content: dict, listed: ReviewList, image_root: str | Path | None, where: object
) -> list[ImageToReview]:
    """Each image of the list once, in the order in which the list first names them.

    Args:
        content: the COCO file that was audited (`read_coco`).
        image_root: to measure images whose entry has no width and height.
        where: the file named in errors.
    Raises:
        InputError: for an image whose size is neither in the file nor to be measured.
    """
    items = defaultdict(list)
    for item in listed.items:
        items[item.image].append(item)
    ids = {content['images'][number]['id'] for number in items}
    annotations = defaultdict(list)
    for i, annotation in enumerate(content['annotations']):
        if annotation['image_id'] in ids and is_visible(annotation):
            annotations[annotation['image_id']].append((i, annotation))
    return [
        ImageToReview(
            entry=content['images'][number],
            size=_size(content['images'][number], image_root, f'{where}, images, entry {number}'),
            annotations=tuple(annotations[content['images'][number]['id']]),
            items=tuple(own),
        )
        for number, own in items.items()
    ]


def describe(item: ReviewItem, labels: tuple[str, ...], models: int) -> str:
    """The item in a few words, such as `suggested HCC 0.83, 2 of 3 models`.

    Args:
        labels: 'None' and the class names, by class.
        models: how many there are.
    """
    agree = f', {item.models} of {models} models' if models > 1 else ''
    if item.kind == SUGGESTED:
        return f'suggested {labels[item.suggested]} {item.score:.2f}{agree}'
    if item.kind == NEVER_FOUND:
        best = f'best score {item.score:.2f}' if item.score else 'at any score'
        return f'{labels[item.annotated]}, not found, {best}'
    return f'{labels[item.annotated]}, called {labels[item.suggested]} {item.score:.2f}{agree}'


def _size(entry: dict, image_root: str | Path | None, where: str) -> tuple[int, int]:
    size = entry.get('width'), entry.get('height')
    if all(isinstance(side, int) and side > 0 for side in size):
        return size
    if image_root is None:
        raise input_error(
            where, 'no width and height', 'both', 'add them, or give the folder of the images'
        )
    return image_size(Path(image_root) / entry['file_name'])
