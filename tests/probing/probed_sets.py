"""Small data sets for the tests of the probe: bright and dark lesions on grey noise."""

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = (64, 48)  # of each image, width and height
BOX = (20, 12, 16, 16)  # xywh of its lesion
GREY = {1: 230, 2: 20}  # of a lesion by category
NAMES = ('cyst', 'HCC')


def write_set(root: Path, split: str, patients: str, seed: int) -> Path:
    """Write images and a COCO file: for each letter, a patient, one image of either class."""
    rng = np.random.default_rng(seed)
    (root / 'images').mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for number, (patient, category) in enumerate([(p, c) for p in patients for c in GREY]):
        name = f'{patient}{category}.png'
        page = rng.integers(80, 170, SIZE[::-1], dtype=np.uint8)
        x, y, w, h = BOX
        page[y : y + h, x : x + w] = GREY[category]
        cv2.imwrite(str(root / 'images' / name), page)
        images.append({'id': number, 'file_name': name, 'patient_id': patient})
        boxed = {'id': number, 'image_id': number, 'category_id': category, 'bbox': BOX}
        annotations.append({**boxed, 'area': 256, 'iscrowd': 0})
    categories = [
        {'id': 1, 'name': NAMES[0], 'supercategory': 'benign'},
        {'id': 2, 'name': NAMES[1], 'supercategory': 'malignant'},
    ]
    path = root / f'{split}.json'
    content = {'images': images, 'annotations': annotations, 'categories': categories}
    path.write_text(json.dumps(content))
    return path
