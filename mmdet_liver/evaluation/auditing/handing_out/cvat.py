"""A COCO file and label definitions for CVAT, as its importer "COCO 1.0" takes them.

The importer wants all five sections, `licenses` too, and reads a box only where
`segmentation` is empty. It drops attributes that the label does not define, so the labels
must be made from `labels.json` (constructor, "Raw"); then a suggestion keeps its score.
"""

from collections.abc import Sequence

from mmdet_liver.evaluation.auditing.handing_out.images import ImageToReview
from mmdet_liver.evaluation.auditing.handing_out.label_studio import hex_color, xywh


def instances(
    images: Sequence[ImageToReview], categories: Sequence[dict], class_ids: Sequence
) -> dict:
    """The images with existing boxes and suggestions; `attributes` tell which is which.

    Args:
        categories: of the ground truth, written unchanged.
        class_ids: category id by class, the first of class 1.
    """
    annotations = []
    for image in images:
        for _, existing in image.annotations:
            box, attributes = existing['bbox'], {'suggestion': 'false', 'score': 0}
            annotations.append(_annotation(image, box, existing['category_id'], attributes))
        for item in image.suggestions:
            attributes = {'suggestion': 'true', 'score': round(item.score, 4)}
            category_id = class_ids[item.suggested - 1]
            annotations.append(_annotation(image, xywh(item), category_id, attributes))
    # CVAT puts annotations with the same id into one group.
    for i, annotation in enumerate(annotations, start=1):
        annotation['id'] = i
    return {
        'licenses': [{'id': 0, 'name': '', 'url': ''}],
        'info': {'description': 'written by mmdet_liver for review'},
        'categories': list(categories),
        'images': [_image(image) for image in images],
        'annotations': annotations,
    }


def label_definitions(labels: tuple[str, ...]) -> list[dict]:
    """What the "Raw" view of CVAT's label constructor takes: classes, colours, attributes."""
    attributes = [
        {
            'name': 'suggestion',
            'mutable': False,
            'input_type': 'checkbox',
            'default_value': 'false',
            'values': ['false'],
        },
        {
            'name': 'score',
            'mutable': False,
            'input_type': 'number',
            'default_value': '0',
            'values': ['0', '1', '0.0001'],  # lowest, highest, step
        },
    ]
    return [
        {'name': name, 'color': hex_color(name), 'type': 'rectangle', 'attributes': attributes}
        for name in labels[1:]
    ]


def _annotation(
    image: ImageToReview, bbox: Sequence[float], category_id: object, attributes: dict
) -> dict:
    return {
        'id': 0,
        'image_id': image.entry['id'],
        'category_id': category_id,
        'segmentation': [],
        'area': bbox[2] * bbox[3],
        'bbox': list(bbox),
        'iscrowd': 0,
        'attributes': attributes,
    }


def _image(image: ImageToReview) -> dict:
    width, height = image.size
    return {
        'id': image.entry['id'],
        'width': width,
        'height': height,
        'file_name': image.entry['file_name'],
        'license': 0,
    }
