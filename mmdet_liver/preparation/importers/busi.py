"""BUSI, breast ultrasound with masks (Al-Dhabyani et al., Data in Brief 28, 2020, 104863).

Layout: `{benign,malignant,normal}/NAME.png` with `NAME_mask.png`, `NAME_mask_1.png`, ...
The set names no patients. Near-duplicates, often frames of one patient, are what the
cleansing finds.
"""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.images import image_size, read_image
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.manifest import Record
from mmdet_liver.preparation.parallel import map_files

_DIAGNOSES = {'benign': 'benign', 'malignant': 'malignant', 'normal': None}
_MASK = re.compile(r'(.+)_mask(_\d+)?')


def import_busi(folder: str | Path, min_area: int = 25, *, workers: int = 1) -> Imported:
    """One record for each lesion and each lesion-free image, by path; nothing is written.

    Args:
        folder: holds at least one of `benign`, `malignant` and `normal`.
        min_area: a connected part of a mask below this many pixels is a slip of the pen.
        workers: processes to read the masks with.
    Raises:
        InputError: for another layout, a lesion image without mask or with an empty one, a
            normal one with a lesion, a mask of another size, a mask without its image.
    """
    folder = Path(folder)
    present = [name for name in _DIAGNOSES if (folder / name).is_dir()]
    if not present:
        raise input_error(
            folder,
            'none of the folders benign, malignant, normal',
            "BUSI's original layout",
            'give the folder that holds them',
        )
    images = [found for name in present for found in _images_with_masks(folder / name)]
    if not images:
        raise input_error(folder, 'no image', 'NAME.png and NAME_mask.png', 'check the download')
    read = partial(_records_of_image, folder, min_area)
    per_image = map_files(read, images, label='reading masks', workers=workers)
    return Imported([record for records in per_image for record in records])


def _images_with_masks(folder: Path) -> list[tuple[Path, list[Path]]]:
    masks: dict[str, list[Path]] = {}
    images: dict[str, Path] = {}
    for path in sorted(folder.glob('*.png')):
        match = _MASK.fullmatch(path.stem)
        if match:
            masks.setdefault(match[1], []).append(path)
        else:
            images[path.stem] = path
    for name in masks.keys() - images.keys():
        raise input_error(
            masks[name][0], f'no image {name}.png', 'the image of the mask', 'restore or drop it'
        )
    return [(path, masks.get(name, [])) for name, path in sorted(images.items())]


def _records_of_image(
    folder: Path, min_area: int, image_and_masks: tuple[Path, list[Path]]
) -> list[Record]:
    path, masks = image_and_masks
    diagnosis = _DIAGNOSES[path.parent.name]
    image = Record(
        image_path=path.relative_to(folder).as_posix(),
        # Someone looked at a normal image as a whole; of the others only the masks are known.
        fully_annotated=True if diagnosis is None else None,
    )
    size = image_size(path)
    boxes = [box for mask in masks for box in _boxes_of_mask(mask, size, min_area)]
    if bool(boxes) != (diagnosis is not None):
        raise input_error(
            path,
            f'{len(boxes)} lesions in {len(masks)} masks',
            'none in folder normal, one or more in the others',
            'move the image, or mend its mask',
        )
    if diagnosis is None:
        return [image]
    return [replace(image, diagnosis=diagnosis, box=box) for box in boxes]


def _boxes_of_mask(path: Path, size: tuple[int, int], min_area: int) -> list[tuple]:
    mask = read_image(path)
    if mask.shape[1::-1] != size:
        raise input_error(
            path,
            f'a mask of {mask.shape[1]}x{mask.shape[0]} pixels',
            f"the image's {size[0]}x{size[1]}",
            'restore the original file',
        )
    return boxes_of_components(mask if mask.ndim == 2 else mask.max(axis=2), min_area)


def boxes_of_components(mask: np.ndarray, min_area: int) -> list[tuple]:
    """Boxes of the 8-connected parts of a mask that have at least `min_area` pixels.

    Args:
        mask: (H, W) uint8, lesion above 127.
    Returns:
        xyxy in pixels, far edge exclusive, from the top down.
    """
    lesion = (mask > 127).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(lesion, connectivity=8)
    boxes = [
        (float(x), float(y), float(x + width), float(y + height))
        for x, y, width, height, area in stats[1:].tolist()
        if area >= min_area
    ]
    return sorted(boxes, key=lambda box: (box[1], box[0]))
