"""The COCO data set of liver lesions: classes by name, ignored lesions kept, bad input refused."""

import json
from collections.abc import Sequence
from pathlib import Path

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS

from mmdet_liver import taxonomy
from mmdet_liver.errors import input_error

# What our own preparation adds to COCO's image fields; handed on to the data samples.
PATIENT_FIELDS = ('patient_id', 'age', 'sex', 'mm_per_pixel', 'fully_annotated')


@DATASETS.register_module()
class LiverTumorDataset(CocoDataset):
    """`CocoDataset` for lesions, with what a clinical data set needs beyond it.

    Labels follow `metainfo['classes']` by category name (CocoDataset follows the order
    of the file's categories). Annotations marked `ignore` or `iscrowd` become instances
    with `ignore_flag=1`. Lesion-free images are kept. The patient fields that
    `mmdet_liver.preparation` writes (`patient_id`, `age`, ...) are in each data info.

    Args:
        metainfo: `classes` (and `palette`) of another task than the four diagnoses.
        single_class: merge all classes into `tumor`, label 0.
    Raises:
        InputError: for a missing or broken annotation file, one without images, a
            category that is not in `classes` or a class that is no category, a box
            without area or wholly outside its image.
    """

    METAINFO = {
        'classes': taxonomy.names(taxonomy.LIVER),
        'palette': [d.color for d in taxonomy.LIVER],
    }

    def __init__(
        self,
        *args,
        metainfo: dict | None = None,
        single_class: bool = False,
        filter_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        self._file_classes = tuple((metainfo or self.METAINFO)['classes'])
        self._single_class = single_class
        if single_class:
            metainfo = {'classes': (taxonomy.TUMOR,), 'palette': [taxonomy.TUMOR_COLOR]}
        super().__init__(*args, metainfo=metainfo, filter_cfg=filter_cfg, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the annotation file; one data info an image, in the order of image ids."""
        categories = check_annotation_file(Path(self.ann_file), self._file_classes)
        self._label_of = {
            category['id']: 0 if self._single_class else self._file_classes.index(category['name'])
            for category in categories
        }
        data_list = super().load_data_list()
        # The host's own mapping, by the order in the file, is what filter_data would use.
        self.cat_ids, self.cat2label = list(self._label_of), self._label_of
        return data_list

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Turn one image of the file and its annotations into a data info."""
        image = raw_data_info['raw_img_info']
        return {
            'img_path': str(Path(self.data_prefix['img'], image['file_name'])),
            'img_id': image['img_id'],
            'seg_map_path': None,
            'height': image['height'],
            'width': image['width'],
            **{field: image.get(field) for field in PATIENT_FIELDS},
            'instances': [
                self._instance(annotation, image) for annotation in raw_data_info['raw_ann_info']
            ],
        }

    def _instance(self, annotation: dict, image: dict) -> dict:
        x, y, width, height = annotation['bbox']
        outside = x >= image['width'] or y >= image['height'] or x + width <= 0 or y + height <= 0
        # `not >` instead of `<=`, so that NaN is caught as well.
        if not (width > 0 and height > 0) or outside:
            raise input_error(
                f'{self.ann_file}, annotation {annotation["id"]} of {image["file_name"]}',
                f'the box [x, y, width, height] = {annotation["bbox"]}',
                f'one with area inside {image["width"]}x{image["height"]} pixels',
                'correct the box or drop the annotation',
            )
        return {
            'bbox': [x, y, x + width, y + height],
            'bbox_label': self._label_of[annotation['category_id']],
            'ignore_flag': int(bool(annotation.get('ignore') or annotation.get('iscrowd'))),
        }


def check_annotation_file(path: Path, classes: Sequence[str]) -> list[dict]:
    """Check that `path` is a COCO file with images and exactly the categories `classes`.

    Returns:
        The file's categories.
    Raises:
        InputError: naming what is missing or too much.
    """
    if not path.is_file():
        raise input_error(
            path, 'no such file', 'a COCO annotation file', 'run tools/prepare_data.py or check it'
        )
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise input_error(
            path, f'broken JSON ({error})', 'a COCO annotation file', 'write it again'
        ) from None
    keys = ('images', 'annotations', 'categories')
    if not isinstance(content, dict) or any(not isinstance(content.get(k), list) for k in keys):
        raise input_error(path, 'another layout', f'lists {", ".join(keys)}', 'write it again')
    if not content['images']:
        raise input_error(
            path, 'no images', 'at least one', 'check the split and the filters of the preparation'
        )
    _check_categories(path, content, classes)
    return content['categories']


def _check_categories(path: Path, content: dict, classes: Sequence[str]) -> None:
    found = [category['name'] for category in content['categories']]
    if sorted(found) != sorted(classes):
        raise input_error(
            path,
            f'the categories {", ".join(found) or "none"}',
            f'{", ".join(classes)}',
            "set the data set's metainfo=dict(classes=...) or correct the file",
        )
    known = {category['id'] for category in content['categories']}
    for annotation in content['annotations']:
        if annotation['category_id'] not in known:
            raise input_error(
                f'{path}, annotation {annotation["id"]}',
                f'category_id {annotation["category_id"]}',
                f'one of {sorted(known)}',
                'correct the annotation',
            )
