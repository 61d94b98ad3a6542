"""A reviewed file merged into the ground truth, with what was done to each annotation.

For a reviewed image the reviewed boxes are the truth. An annotation that was kept stays as
it is; one that was moved or reclassified keeps its id and its other keys; new ones get ids
above the highest. Images that were not reviewed, and their annotations, are not touched;
neither is an annotation without area, which no reviewer can see. Boxes are xywh in pixels.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.auditing.boxes import is_visible
from mmdet_liver.evaluation.auditing.merging.comparing import (
    ACTIONS,
    ADDED,
    BOTH,
    KEPT,
    MOVED,
    REMOVED,
    compare,
)
from mmdet_liver.evaluation.auditing.merging.reviewed import ReviewedBox, ReviewedImage

_ROUNDING_PX = 1.0  # a box drawn along the edge may end just beyond it
_DECIMALS = 3  # of a pixel


@dataclass(frozen=True)
class Source:
    """Where a review comes from; `date` as YYYY-MM-DD."""

    file: str
    sha256: str
    date: str
    reviewer: str | None = None

    def entry(self) -> dict:
        """As it stands in the ground truth."""
        known = {'file': self.file, 'sha256': self.sha256, 'date': self.date}
        return known | ({'reviewer': self.reviewer} if self.reviewer else {})


@dataclass(frozen=True)
class Merged:
    """The new ground truth, and how many annotations each of `ACTIONS` was done to."""

    content: dict
    actions: dict[str, int]


def merge_review(
    content: dict,
    reviewed: Sequence[ReviewedImage],
    source: Source,
    *,
    fully_annotated: bool = True,
) -> Merged:
    """Merge into a new content; the old one stays as it was.

    Args:
        content: a whole COCO file, whatever other keys it has.
        reviewed: its images that a person has finished, each once.
        fully_annotated: mark them so, as a person has looked at the whole image.
    Raises:
        InputError: if this file was merged before, or a new box is not inside its image.
    """
    _require_new(content, source)
    own = defaultdict(list)
    for i, annotation in enumerate(content['annotations']):
        if is_visible(annotation):
            own[annotation['image_id']].append(i)
    done = _Done(content, source)
    for image in reviewed:
        done.take(image, own[image.entry['id']])
    marks = {'fully_annotated': 1} if fully_annotated else {}
    marks['reviewed'] = source.entry()
    ids = {image.entry['id'] for image in reviewed}
    images = [e | marks if e['id'] in ids else e for e in content['images']]
    actions = {action: done.count[action] for action in ACTIONS}
    review = source.entry() | {'images': len(ids), 'actions': actions}
    removed = [*content.get('removed_annotations', ()), *done.removed]
    new = content | {'images': images, 'annotations': done.annotations()}
    new['reviews'] = [*content.get('reviews', ()), review]
    return Merged(new | ({'removed_annotations': removed} if removed else {}), actions)


class _Done:
    """What the images reviewed so far have come to."""

    def __init__(self, content: dict, source: Source) -> None:
        self.before = content['annotations']
        self.names = {category['id']: category['name'] for category in content['categories']}
        self.source = source
        self.changed: dict[int, dict] = {}
        self.added: list[dict] = []
        self.removed: list[dict] = []
        self.count: Counter[str] = Counter()
        gone = content.get('removed_annotations', ())
        ids = [a.get('id') for a in (*self.before, *gone)]
        self.next_id = 1 + max((i for i in ids if isinstance(i, int)), default=0)

    def take(self, image: ReviewedImage, own: list[int]) -> None:
        """Take one image; `own` are its annotations' indices."""
        before = [self.before[i] for i in own]
        result = compare(
            np.array([a['bbox'] for a in before], np.float64),
            [a['category_id'] for a in before],
            np.array([b.bbox for b in image.boxes], np.float64),
            [b.category_id for b in image.boxes],
        )
        for old, new, action in result.pairs:
            self.count[action] += 1
            if action != KEPT:
                self.changed[own[old]] = self._changed(before[old], image, new, action)
        for new in result.added:
            self.added.append(self._added(image, image.boxes[new]))
        for old in result.removed:
            self.count[REMOVED] += 1
            self.changed[own[old]] = {}
            self.removed.append(before[old] | {'review': self._review(REMOVED, before[old])})

    def annotations(self) -> list[dict]:
        """The new list: as before, without what was removed, what was added last."""
        changed = (self.changed.get(i, a) for i, a in enumerate(self.before))
        return [*filter(None, changed), *self.added]

    def _changed(self, old: dict, image: ReviewedImage, new: int, action: str) -> dict:
        box = image.boxes[new]
        review = self._review(action, old, box)
        result = old | {'category_id': box.category_id, 'review': review}
        if action in (MOVED, BOTH):
            result |= _shape(inside(box, image.entry))
            result.pop('segmentation', None)  # of the old place; it is in `previous`
        return result

    def _added(self, image: ReviewedImage, box: ReviewedBox) -> dict:
        self.count[ADDED] += 1
        self.next_id += 1
        return {
            'id': self.next_id - 1,
            'image_id': image.entry['id'],
            'category_id': box.category_id,
            **_shape(inside(box, image.entry)),
            'iscrowd': 0,
            'ignore': 0,
            'review': self._review(ADDED, None, box),
        }

    def _review(self, action: str, old: dict | None, box: ReviewedBox | None = None) -> dict:
        review = {'action': action, **self.source.entry()}
        if old is not None:
            kept = ('bbox', 'category_id', 'segmentation', 'review')
            previous = {key: old[key] for key in kept if key in old}
            review['previous'] = previous | {'class': self.names[old['category_id']]}
        if box is not None and box.score is not None:
            review['suggested_score'] = box.score
        return review


def inside(box: ReviewedBox, entry: dict) -> list[float]:
    """The box rounded and, where it goes less than a pixel beyond the image, cut.

    Raises:
        InputError: if it goes further beyond, where the image's size is known.
    """
    x, y, width, height = box.bbox
    right, bottom = entry.get('width') or np.inf, entry.get('height') or np.inf
    beyond = max(-x, -y, x + width - right, y + height - bottom)
    corners = max(x, 0), max(y, 0), min(x + width, right), min(y + height, bottom)
    x, y, right, bottom = (round(v, _DECIMALS) for v in corners)
    if beyond > _ROUNDING_PX or right <= x or bottom <= y:
        raise input_error(
            box.where,
            f'the box {[round(v, _DECIMALS) for v in box.bbox]}',
            f'one inside the {entry.get("width")}x{entry.get("height")} pixels of the image',
            'draw it inside',
        )
    return [x, y, round(right - x, _DECIMALS), round(bottom - y, _DECIMALS)]


def _shape(bbox: list[float]) -> dict:
    return {'bbox': bbox, 'area': round(bbox[2] * bbox[3], 6)}


def _require_new(content: dict, source: Source) -> None:
    for review in content.get('reviews', ()):
        if review.get('sha256') == source.sha256:
            raise input_error(
                source.file,
                f'a review merged before, on {review.get("date")}',
                'one that was not merged yet',
                'nothing is left to do; to redo it, merge into the file from before',
            )
