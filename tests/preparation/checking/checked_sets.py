"""COCO files made up for the tests of the checks: good ones, to be spoilt one thing at a time."""

import json

import numpy as np
from PIL import Image

from mmdet_liver import taxonomy
from mmdet_liver.preparation.checking.reading import CocoFile, read_coco_file

CATEGORIES = taxonomy.coco_categories(taxonomy.LIVER)


def image(number, **fields):
    """A 100x80 image named after its number."""
    return {'id': number, 'file_name': f'{number}.png', 'width': 100, 'height': 80} | fields


def lesion(number, image_id, box=(10, 20, 30, 40), category_id=2, **fields):
    return {
        'id': number,
        'image_id': image_id,
        'category_id': category_id,
        'bbox': list(box),
    } | fields


def coco(images, annotations=(), categories=CATEGORIES, **info):
    return {
        'info': info,
        'images': list(images),
        'annotations': list(annotations),
        'categories': list(categories),
    }


def read(folder, content, name='a.json') -> CocoFile:
    (folder / name).write_text(json.dumps(content))
    return read_coco_file(folder / name)


def kinds(findings):
    return [finding.kind for finding in findings]


def picture(path, seed, size=(100, 80), **save):
    """A grey PNG of its own kind for each seed, with coarse structure that a hash can hold."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, **save)
