"""COCO content in short form, for the tests of the evaluation."""

import json
from pathlib import Path

NAMES = ('cyst', 'HCC', 'hemangioma', 'Meta')


def ground_truth(images: dict[int, list], names: tuple = NAMES, ids: tuple | None = None) -> dict:
    """`images`: id -> annotations (class from 1, xywh[, 'ignore' | 'iscrowd' | both])."""
    ids = ids or tuple(range(1, len(names) + 1))
    annotations = [
        {'image_id': image, 'category_id': ids[c - 1], 'bbox': list(box), **dict.fromkeys(flags, 1)}
        for image, boxes in images.items()
        for c, box, *flags in boxes
    ]
    for i, annotation in enumerate(annotations):
        annotation['id'] = i
    return {
        'images': [{'id': i, 'file_name': f'{i}.png', 'width': 640, 'height': 480} for i in images],
        'annotations': annotations,
        'categories': [{'id': i, 'name': n} for i, n in zip(ids, names, strict=True)],
    }


def results(images: dict[int, list], ids: tuple = (1, 2, 3, 4)) -> list[dict]:
    """`images`: id -> predictions (class from 1, xywh, score)."""
    return [
        {'image_id': image, 'category_id': ids[c - 1], 'bbox': list(box), 'score': score}
        for image, boxes in images.items()
        for c, box, score in boxes
    ]


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path
