"""The lesions of a data set, each cut out with some of its surroundings.

A crop is a square about the lesion, resized to one size: how large the lesion was is lost,
so what is probed is how it looks. Boxes are xyxy in image pixels; crops are BGR, 8 bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Truth
from mmdet_liver.evaluation.detection_files import read_truth
from mmdet_liver.evaluation.uncertainty.units import CLUSTER_KEY, resampling_units
from mmdet_liver.images import read_image


@dataclass(frozen=True)
class LesionCrops:
    """All lesions of one file, in the order of its images; ignored ones are none."""

    truth: Truth
    crops: np.ndarray  # (L, S, S, 3) uint8
    labels: np.ndarray  # (L,) 0 to C - 1
    image: np.ndarray  # (L,) number of the image
    groups: np.ndarray  # (L,) of `shared_groups`

    @property
    def classes(self) -> tuple[str, ...]:
        return self.truth.labels[1:]

    def file_name(self, lesion: int) -> str:
        return self.truth.file_names[self.image[lesion]]


def read_lesions(
    train: str | Path, val: str | Path, image_root: str | Path, crop_size: int, context: float
) -> tuple[LesionCrops, LesionCrops]:
    """Read both annotation files and cut their lesions; each image is read once.

    Args:
        image_root: folder that `file_name` starts from.
        crop_size: side of a crop in pixels, as the network will see it.
        context: side of what is cut out, in longer sides of the lesion.
    Raises:
        InputError: if a file has no lesions, their classes differ, or an image is
            missing or damaged.
    """
    truths = read_truth(train), read_truth(val)
    if truths[0].labels != truths[1].labels:
        raise input_error(
            val,
            f'the classes {", ".join(truths[1].labels[1:])}',
            f'those of {train}: {", ".join(truths[0].labels[1:])}',
            'give two files of one data set',
        )
    for path, truth in zip((train, val), truths, strict=True):
        if not len(truth.lesions.boxes):
            raise input_error(path, 'no lesion', 'one or more', 'give a file with annotations')
    groups = shared_groups(*truths)
    return tuple(
        _cut_all(truth, of_image, Path(image_root), crop_size, context, label)
        for truth, of_image, label in zip(truths, groups, ('train', 'val'), strict=True)
    )


def shared_groups(train: Truth, val: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Number of each image's patient, cluster of near-duplicates or else file, as in both files.

    So an image that is in both is not its own neighbour.
    """
    images = [
        {**image, CLUSTER_KEY: image.get(CLUSTER_KEY) or f'file {image.get("file_name")}'}
        for image in (*train.images, *val.images)
    ]
    groups = resampling_units(replace(train, images=tuple(images))).of_image
    return groups[: len(train.images)], groups[len(train.images) :]


def square_around(box: np.ndarray, context: float) -> tuple[int, int, int]:
    """Left, top and side, in whole pixels, of the square about a box; it may leave the image."""
    x0, y0, x1, y1 = box
    side = max(2, round(context * max(x1 - x0, y1 - y0)))
    return round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), side


def cut_square(image: np.ndarray, square: tuple[int, int, int], size: int) -> np.ndarray:
    """(size, size, 3) of the square, what lies outside the image black.

    Args:
        image: (H, W) or (H, W, 3) uint8.
    """
    left, top, side = square
    page = np.zeros((side, side, 3), np.uint8)
    height, width = image.shape[:2]
    x0, x1 = max(0, left), min(width, left + side)
    y0, y1 = max(0, top), min(height, top + side)
    if x0 < x1 and y0 < y1:
        part = image[y0:y1, x0:x1]
        inside = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
        page[inside] = part if part.ndim == 3 else part[..., None]
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(page, (size, size), interpolation=how)


def _cut_all(
    truth: Truth, of_image: np.ndarray, root: Path, size: int, context: float, label: str
) -> LesionCrops:
    lesions = truth.lesions
    crops = np.empty((len(lesions.boxes), size, size, 3), np.uint8)
    with tqdm(total=len(crops), desc=f'{label} lesions', disable=None, leave=False) as bar:
        for name, rows in _images_with_lesions(truth):
            image = read_image(root / name)
            for row in rows:
                crops[row] = cut_square(image, square_around(lesions.boxes[row], context), size)
                bar.update()
    return LesionCrops(truth, crops, lesions.classes - 1, lesions.image, of_image[lesions.image])


def _images_with_lesions(truth: Truth) -> Iterator[tuple[str, range]]:
    offsets = truth.lesions.offsets
    for number, name in enumerate(truth.file_names):
        if offsets[number] < offsets[number + 1]:
            yield name, range(offsets[number], offsets[number + 1])
