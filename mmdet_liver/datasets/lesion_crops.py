"""Lesions of a COCO file one by one, and places without any: for contrasting diagnoses.

The data set says which lesion or which free place; `RandomLesionCrop` cuts it out of the
image. Boxes are xyxy in pixels of the image.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.registry import DATASETS

from mmdet_liver.coco_files import read_coco, require_keys
from mmdet_liver.datasets.image_errors import naming_broken_image, require_images
from mmdet_liver.errors import input_error

BACKGROUND = 'background'
Box = tuple[float, float, float, float]
Square = tuple[int, int, int]  # left, top, side


@DATASETS.register_module()
class LesionCrops(BaseDataset):
    """Every lesion of a COCO file, and background as a class of its own.

    Classes are the file's categories in its order, then `background`.
    Annotations marked `ignore` or `iscrowd` are no lesions, and no background either.
    In MMEngine's root registry, so that MMPretrain's runner finds it; arguments are
    those of MMEngine's `BaseDataset`, `data_prefix=dict(img_path=...)` among them.

    A data info has `img_path`, `height`, `width`, `gt_label`, `patient` (a number; images
    of unknown patients have one each) and `box`. A background's `box` is None; it has
    `side`, the longer side of some lesion in pixels, lest magnification tell it from
    lesions, `avoid`, the boxes of its image, and `free`, its largest square
    without any.

    Args:
        backgrounds_per_image: of each image that has room, lesion-free ones included.
        min_side: least side of a free square in pixels that counts as room.
        certified_backgrounds: only of images marked `fully_annotated`: where labels lack,
            some places without any are lesions.
    Raises:
        InputError: for a missing or broken annotation file, one without lesions, without a
            marked image where `certified_backgrounds` asks for them, a box
            without area inside its image, or images that do not lie where the file says;
            when an image is read, for one that is truncated or damaged.
    """

    def __init__(
        self,
        *args,
        backgrounds_per_image: int = 1,
        min_side: int = 32,
        certified_backgrounds: bool = False,
        **kwargs,
    ) -> None:
        if backgrounds_per_image < 0 or min_side < 1:
            raise ValueError(
                f'LesionCrops: found backgrounds_per_image={backgrounds_per_image}, '
                f'min_side={min_side}; expected at least 0 and at least 1; correct the config'
            )
        self.backgrounds_per_image = backgrounds_per_image
        self.min_side = min_side
        self.certified_backgrounds = certified_backgrounds
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """The lesions in the order of the file, then the backgrounds image by image."""
        coco = read_coco(self.ann_file)
        require_keys(coco['images'], ('file_name', 'width', 'height'), f'{self.ann_file}, images')
        images = self._images(coco)
        self._metainfo['classes'] = (*(str(c['name']) for c in coco['categories']), BACKGROUND)
        label_of = {category['id']: label for label, category in enumerate(coco['categories'])}
        lesions = [
            {**images[a['image_id']]['info'], 'gt_label': label_of[a['category_id']], 'box': box}
            for a, box in self._boxes(coco['annotations'], images)
            if not (a.get('ignore') or a.get('iscrowd'))
        ]
        if not lesions:
            raise input_error(
                self.ann_file, 'no lesions', 'at least one', 'give the annotations of the train set'
            )
        backgrounds = self._backgrounds(self._background_images(images), lesions)
        self._log([*lesions, *backgrounds])
        return [*lesions, *backgrounds]

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one crop; a broken image is named."""
        with naming_broken_image(self.get_data_info(idx)['img_path']):
            return super().prepare_data(idx)

    def _images(self, coco: dict) -> dict:
        # What all crops of an image share, by image id, and a list for its boxes.
        folder = Path(self.data_prefix['img_path'])
        numbers: dict = {}
        images = {}
        for image in coco['images']:
            known = image.get('patient_id') is not None
            key = ('patient', image['patient_id']) if known else ('image', image['id'])
            info = {
                'img_path': str(folder / image['file_name']),
                'height': image['height'],
                'width': image['width'],
                'patient': numbers.setdefault(key, len(numbers)),
            }
            certified = bool(image.get('fully_annotated'))
            images[image['id']] = {'info': info, 'boxes': [], 'certified': certified}
        require_images([image['info']['img_path'] for image in images.values()], self.ann_file)
        return images

    def _boxes(self, annotations: Sequence[dict], images: dict) -> list[tuple[dict, Box]]:
        # Each annotation with its box; notes every box, ignored ones too, with its image.
        pairs = []
        for annotation in annotations:
            image = images[annotation['image_id']]
            size = image['info']['width'], image['info']['height']
            box = box_inside(annotation['bbox'], size)
            if box is None:
                raise input_error(
                    f'{self.ann_file}, annotation {annotation.get("id")}',
                    f'the box [x, y, width, height] = {annotation["bbox"]}',
                    f'one with area inside {size[0]}x{size[1]} pixels',
                    'correct the box or drop the annotation',
                )
            image['boxes'].append(box)
            pairs.append((annotation, box))
        return pairs

    def _background_images(self, images: dict) -> list[dict]:
        if not self.certified_backgrounds:
            return list(images.values())
        certified = [image for image in images.values() if image['certified']]
        if not certified:
            raise input_error(
                self.ann_file,
                'no image marked fully_annotated',
                'some, of which certified_backgrounds=True takes its backgrounds',
                'mark those that lack no label, or leave certified_backgrounds out',
            )
        return certified

    def _backgrounds(self, images: Sequence[dict], lesions: Sequence[dict]) -> list[dict]:
        sides = [max(x1 - x0, y1 - y0) for x0, y0, x1, y1 in (info['box'] for info in lesions)]
        drawn = random.Random(0)  # the same in every process and every run
        label = len(self._metainfo['classes']) - 1
        backgrounds = []
        for image in images:
            info, boxes = image['info'], image['boxes']
            free = largest_free_square((info['width'], info['height']), boxes)
            if free[2] < self.min_side:
                continue
            place = {'gt_label': label, 'box': None, 'avoid': boxes, 'free': free}
            backgrounds += [
                {**info, **place, 'side': drawn.choice(sides)}
                for _ in range(self.backgrounds_per_image)
            ]
        return backgrounds

    def _log(self, crops: Sequence[dict]) -> None:
        counts = Counter(self._metainfo['classes'][crop['gt_label']] for crop in crops)
        named = ', '.join(f'{name} {count}' for name, count in counts.items())
        patients = len({crop['patient'] for crop in crops})
        print_log(f'crops of {self.ann_file}: {named}; {patients} patients', logger='current')


def box_inside(box: Any, size: tuple[int, int]) -> Box | None:
    """The part of an xywh box that lies in the image, as xyxy; None if there is none.

    Args:
        box: of a COCO file, so that it may be anything.
        size: width and height of the image.
    """
    try:
        x, y, width, height = map(float, box)
    except (TypeError, ValueError):
        return None
    if not (width > 0 and height > 0 and all(map(math.isfinite, (x, y, width, height)))):
        return None
    inside = max(x, 0.0), max(y, 0.0), min(x + width, size[0]), min(y + height, size[1])
    return inside if inside[0] < inside[2] and inside[1] < inside[3] else None


def largest_free_square(size: tuple[int, int], boxes: Sequence[Box]) -> Square:
    """The largest square of whole pixels in an image of `size` that overlaps no box.

    Any such square can slide left and up until it meets the image's edge or a box's far
    edge, so only those corners need to be tried.

    Returns:
        left, top, side; side 0 if the boxes fill the image.
    """
    lefts = {0, *(math.ceil(box[2]) for box in boxes)}
    tops = {0, *(math.ceil(box[3]) for box in boxes)}
    squares = [(left, top, _side_at(left, top, size, boxes)) for left in lefts for top in tops]
    return max(squares, key=lambda square: (square[2], -square[0], -square[1]))


def _side_at(left: int, top: int, size: tuple[int, int], boxes: Sequence[Box]) -> int:
    # A box that is not left of the corner or above it ends the square at its near edge.
    ends = [
        max(math.floor(box[0]) - left, math.floor(box[1]) - top)
        for box in boxes
        if box[2] > left and box[3] > top
    ]
    return max(0, min(size[0] - left, size[1] - top, *ends))
