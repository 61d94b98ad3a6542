"""COCO annotations from checked images: pure functions, no file is touched."""

from collections.abc import Mapping, Sequence

from mmdet_liver import taxonomy
from mmdet_liver.preparation.entries import ImageEntry
from mmdet_liver.preparation.manifest import Record

_META = ('patient_id', 'study_id', 'cluster_id', 'age', 'sex', 'mm_per_pixel')


def to_coco(
    entries: Sequence[ImageEntry],
    sizes: Mapping[str, tuple[int, int]],
    image_ids: Mapping[str, int],
    classes: tuple[taxonomy.Diagnosis, ...],
    *,
    info: dict,
    first_annotation_id: int = 1,
) -> dict:
    """One COCO file.

    Args:
        sizes: image path -> (width, height) in pixels.
        image_ids: image path -> id; the same image has the same id in every file.
        classes: the categories, ids from 1 in this order.
        info: as it stands in the file.
    Returns:
        `info`, `images`, `annotations` and `categories`. Besides COCO's fields, an image
        has, where known, `patient_id`, `study_id`, `cluster_id`, `age`, `sex`,
        `mm_per_pixel` and `fully_annotated` (0, 1); an annotation has `ignore` (0, 1).
    """
    category_ids = {c['name']: c['id'] for c in taxonomy.coco_categories(classes)}
    lesions = [(image_ids[entry.path], lesion) for entry in entries for lesion in entry.lesions]
    return {
        'info': info,
        'images': [_image(e.image, image_ids[e.path], sizes[e.path]) for e in entries],
        'annotations': [
            _annotation(lesion, i, image_id, category_ids[lesion.diagnosis])
            for i, (image_id, lesion) in enumerate(lesions, start=first_annotation_id)
        ],
        'categories': taxonomy.coco_categories(classes),
    }


def _image(record: Record, image_id: int, size: tuple[int, int]) -> dict:
    known = {k: getattr(record, k) for k in _META if getattr(record, k) not in (None, '')}
    if record.fully_annotated is not None:
        known['fully_annotated'] = int(record.fully_annotated)
    return {
        'id': image_id,
        'file_name': record.image_path,
        'width': size[0],
        'height': size[1],
        **known,
    }


def _annotation(lesion: Record, annotation_id: int, image_id: int, category_id: int) -> dict:
    x_min, y_min, x_max, y_max = lesion.box
    # Rounded, since 10.1 - 3.3 is 6.8 and not 6.799999999999999.
    width, height = round(x_max - x_min, 6), round(y_max - y_min, 6)
    return {
        'id': annotation_id,
        'image_id': image_id,
        'category_id': category_id,
        'bbox': [x_min, y_min, width, height],
        'area': round(width * height, 6),
        'iscrowd': 0,
        'ignore': int(lesion.ignore),
    }
