"""Reading the COCO file that CVAT exports ("COCO 1.0"): all its images count as reviewed.

Ids of images and categories are CVAT's own; names tell which is which. Of polygons and
masks the box around them is taken.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from mmdet_liver.coco_files import read_coco, require_keys
from mmdet_liver.evaluation.auditing.merging.reviewed import (
    ImageFinder,
    ReviewedBox,
    ReviewedImage,
    check_box,
    check_rotation,
    check_size,
    look_up,
)


def read_instances(
    path: str | Path, finder: ImageFinder, category_ids: dict[str, int | str]
) -> Iterator[ReviewedImage]:
    """Each image of the file.

    Args:
        category_ids: category id by class name, of the ground truth.
    Raises:
        InputError: names the image or annotation that cannot be taken.
    """
    content = read_coco(path)
    require_keys(content['images'], ('file_name',), f'{path}, images')
    names = {category['id']: category['name'] for category in content['categories']}
    drawn = defaultdict(list)
    for i, annotation in enumerate(content['annotations']):
        where = f'{path}, annotations, entry {i}'
        drawn[annotation['image_id']].append(_box(annotation, names, category_ids, where))
    for i, image in enumerate(content['images']):
        where = f'{path}, images, entry {i}'
        entry = finder.find(str(image['file_name']), where)
        check_size((image.get('width'), image.get('height')), entry, where)
        yield ReviewedImage(entry, tuple(drawn[image['id']]), where)


def _box(annotation: dict, names: dict, category_ids: dict, where: str) -> ReviewedBox:
    attributes = annotation.get('attributes') or {}
    check_rotation(attributes.get('rotation'), where)
    suggested = str(attributes.get('suggestion', '')).lower() in ('true', '1')
    # CVAT writes an attribute of this name among the others or, as datumaro's own, beside them.
    score = attributes.get('score', annotation.get('score')) if suggested else None
    return ReviewedBox(
        bbox=check_box(annotation['bbox'], where),
        category_id=look_up(names[annotation['category_id']], category_ids, where),
        score=float(score) if isinstance(score, int | float) else None,
        where=where,
    )
