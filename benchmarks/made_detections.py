"""Made-up truth and detections of the study's kind, in memory or as COCO files.

Nine images in ten have one lesion, the others none, two or three; 4 classes; PREDICTIONS an
image, with low scores for the most part, BESIDE of them near each lesion.
"""

import json
from pathlib import Path

import numpy as np

from mmdet_liver.evaluation.arrays import Annotations, Detections, Truth, group_by_image
from mmdet_liver.taxonomy import LIVER, coco_categories

PREDICTIONS, BESIDE = 100, 2
IMAGES_A_PATIENT = 7
WIDTH, HEIGHT = 800, 600
SHARES = (0.36, 0.16, 0.36, 0.12)  # of the classes, about as in the study


def make_truth(rng: np.random.Generator, images: int) -> Truth:
    """Lesions of 30 to 200 pixels, anywhere in the image."""
    image = np.repeat(np.arange(images), rng.choice(4, images, p=(0.02, 0.9, 0.06, 0.02)))
    size = rng.uniform(30, 200, (len(image), 2))
    corner = rng.uniform(0, 1, (len(image), 2)) * ((WIDTH, HEIGHT) - size)
    boxes = np.concatenate([corner, corner + size], axis=1).round(1)
    classes = rng.choice(len(SHARES), len(image), p=SHARES) + 1
    none = np.zeros(0, np.int64)
    nothing = group_by_image(none, np.zeros((0, 4)), none, none, images)
    return Truth(
        labels=('None', *(d.name for d in LIVER)),
        malignancy=(None, *(d.malignancy for d in LIVER)),
        class_of={i: i for i in range(1, len(LIVER) + 1)},
        images=tuple(
            {'id': i, 'file_name': f'{i:06}.png', 'patient_id': f'P{i // IMAGES_A_PATIENT:05}'}
            for i in range(images)
        ),
        lesions=group_by_image(image, boxes, classes, np.arange(len(image)), images),
        ignored=nothing,
        crowds=nothing,
    )


def make_detections(rng: np.random.Generator, truth: Truth) -> Detections:
    """Boxes anywhere with low scores; the first ones of an image lie near its lesions."""
    images, count = len(truth.images), len(truth.images) * PREDICTIONS
    boxes = np.empty((count, 4))
    rng.random(out=boxes)
    boxes[:, :2] *= (WIDTH - 200, HEIGHT - 200)
    boxes[:, 2:] *= 180
    boxes[:, 2:] += boxes[:, :2] + 20
    scores = rng.beta(0.5, 6, count)
    classes = rng.choice(len(SHARES), count, p=SHARES) + 1
    lesions = truth.lesions
    nth = np.arange(len(lesions.boxes)) - lesions.offsets[lesions.image]  # within its image
    for k in range(BESIDE):
        at = lesions.image * PREDICTIONS + BESIDE * nth + k
        boxes[at] = _shaken(rng, lesions)
        scores[at] = rng.beta(3, 4, len(at))
        classes[at] = np.where(rng.random(len(at)) < 0.8, lesions.classes, classes[at])
    image = np.repeat(np.arange(images), PREDICTIONS)
    return Detections(image=image, boxes=boxes, classes=classes, scores=scores)


def _shaken(rng: np.random.Generator, lesions: Annotations) -> np.ndarray:
    # Each corner moved by a fifth of the size or so, and never past the other.
    size = np.tile(lesions.boxes[:, 2:] - lesions.boxes[:, :2], 2)
    return lesions.boxes + size * rng.normal(0, 0.2, lesions.boxes.shape).clip(-0.49, 0.49)


def write_files(truth: Truth, detections: Detections, folder: Path) -> tuple[Path, Path]:
    """The same data as COCO files; numbers in full, as detectors write them."""
    annotations = [
        {'image_id': i, 'category_id': c, 'bbox': b, 'area': b[2] * b[3], 'iscrowd': 0}
        for i, c, b in _rows(truth.lesions.image, truth.lesions.classes, truth.lesions.boxes)
    ]
    content = {
        'images': [{**image, 'width': WIDTH, 'height': HEIGHT} for image in truth.images],
        'annotations': [{'id': k, **a} for k, a in enumerate(annotations, start=1)],
        'categories': coco_categories(LIVER),
    }
    (folder / 'truth.json').write_text(json.dumps(content))
    rows = _rows(detections.image, detections.classes, detections.boxes)
    entries = [
        {'image_id': i, 'category_id': c, 'bbox': b, 'score': s}
        for (i, c, b), s in zip(rows, detections.scores.tolist(), strict=True)
    ]
    (folder / 'results.json').write_text(json.dumps(entries))
    return folder / 'truth.json', folder / 'results.json'


def _rows(image: np.ndarray, classes: np.ndarray, boxes: np.ndarray) -> zip:
    xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    return zip(image.tolist(), classes.tolist(), xywh.tolist(), strict=True)
