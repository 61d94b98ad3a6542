"""Made-up images on disk for the benchmark of training, as tools/prepare_data.py leaves them."""

from itertools import chain
from pathlib import Path

import cv2

from mmdet_liver import taxonomy
from mmdet_liver.files import write_json
from mmdet_liver.preparation.phantom.frames import patient_frames


def write_images(folder: Path, count: int, size: int) -> None:
    """`count` frames of the phantom, no side above `size` pixels, and their boxes in COCO."""
    images, annotations = [], []
    frames = chain.from_iterable(patient_frames(0, index)[1] for index in range(count))
    (folder / 'images').mkdir()
    for frame, i in zip(frames, range(count), strict=False):
        scale = min(1.0, size / max(frame.image.shape[:2]))
        pixels = cv2.resize(frame.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f'images/{i}.png'), pixels)
        height, width = pixels.shape[:2]
        images.append({'id': i, 'file_name': f'{i}.png', 'width': width, 'height': height})
        for x1, y1, x2, y2 in frame.boxes:
            box = [x1 * scale, y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale]
            fields = {'image_id': i, 'category_id': 1, 'bbox': box, 'area': box[2] * box[3]}
            annotations.append({'id': len(annotations), 'iscrowd': 0, **fields})
    names = enumerate(taxonomy.names(taxonomy.LIVER), 1)
    categories = [{'id': i, 'name': name} for i, name in names]
    content = {'images': images, 'annotations': annotations, 'categories': categories}
    write_json(folder / 'train.json', content)
