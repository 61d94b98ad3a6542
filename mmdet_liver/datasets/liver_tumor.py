"""The COCO data set of liver lesions: classes by name, ignored lesions kept, bad input refused.

Other classes need no change here: name them in the data set's `metainfo` and in the model's
`num_classes`. Another field of an image: add it to `PATIENT_FIELDS`, and to the `meta_keys`
of the pipeline that is to hand it on.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS

from mmdet_liver import taxonomy
from mmdet_liver.coco_files import read_coco, require_keys, require_unique_ids
from mmdet_liver.datasets.image_errors import naming_broken_image, require_images
from mmdet_liver.errors import input_error

# What our own preparation adds to COCO's image fields. They are in each data info (None where
# unknown); a data sample has those that the pipeline's `PackDetInputs` names in `meta_keys`.
PATIENT_FIELDS = ('patient_id', 'study_id', 'age', 'sex', 'mm_per_pixel', 'fully_annotated')


@DATASETS.register_module()
class LiverTumorDataset(CocoDataset):
    """`CocoDataset` for lesions, with what a clinical data set needs beyond it.

    Labels follow `metainfo['classes']` by category name (CocoDataset follows the order
    of the file's categories). Annotations marked `ignore` or `iscrowd` become instances
    with `ignore_flag=1`. Lesion-free images are kept. The patient fields that
    `mmdet_liver.preparation` writes (`patient_id`, `age`, ...) are in each data info.

    Args:
        metainfo: `classes` of another task than the four diagnoses, or another `palette`.
        single_class: merge all classes into `tumor`, label 0.
    Raises:
        InputError: for a missing or broken annotation file, one without images, a
            category that is not in `classes` or a class that is no category, a box
            without area or wholly outside its image, or some images missing; when an
            image is read, for one that is missing, truncated or damaged.
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
        self._merged_classes = None
        if single_class:
            self._merged_classes = (metainfo or {}).get('classes', self.METAINFO['classes'])
            metainfo = {'classes': (taxonomy.TUMOR,), 'palette': [taxonomy.TUMOR_COLOR]}
        super().__init__(*args, metainfo=metainfo, filter_cfg=filter_cfg, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the annotation file; one data info an image, in the order of image ids."""
        merged = self._merged_classes is not None
        classes = list(self._merged_classes if merged else self.metainfo['classes'])
        self._label_of = {
            category['id']: 0 if merged else classes.index(category['name'])
            for category in check_annotation_file(Path(self.ann_file), classes)
        }
        data_list = super().load_data_list()
        # The host's own mapping, by the order in the file, is what filter_data would use.
        self.cat_ids, self.cat2label = list(self._label_of), self._label_of
        require_images([info['img_path'] for info in data_list], self.ann_file, allow_none=True)
        return data_list

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one image; a broken one is named."""
        with naming_broken_image(self.get_data_info(idx)['img_path'], self.backend_args):
            return super().prepare_data(idx)

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Turn one image of the file and its annotations into a data info."""
        image = raw_data_info['raw_img_info']
        return {
            # Not pathlib, which takes a slash out of a URL.
            'img_path': os.path.join(self.data_prefix['img'], image['file_name']),  # noqa: PTH118
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
        if not _has_area_inside(annotation['bbox'], image['width'], image['height']):
            raise input_error(
                f'{self.ann_file}, annotation {annotation["id"]} of {image["file_name"]}',
                f'the box [x, y, width, height] = {annotation["bbox"]}',
                f'one with area inside {image["width"]}x{image["height"]} pixels',
                'correct the box or drop the annotation',
            )
        x, y, width, height = annotation['bbox']
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
    content = read_coco(path)
    require_keys(content['images'], ('file_name', 'width', 'height'), f'{path}, images')
    require_unique_ids(content['annotations'], f'{path}, annotations')
    found = [str(category['name']) for category in content['categories']]
    if sorted(found) != sorted(classes):
        raise input_error(
            path,
            f'the categories {", ".join(found)}',
            f'{", ".join(classes)}',
            "name all categories of the file, and no others, in the data set's "
            'metainfo=dict(classes=...), or correct the file',
        )
    return content['categories']


def _has_area_inside(box: Any, width: float, height: float) -> bool:
    # Whether an xywh box is four finite numbers and some of it lies in the image.
    try:
        x, y, w, h = map(float, box)
    except (TypeError, ValueError):
        return False
    area = w > 0 and h > 0 and all(map(math.isfinite, (x, y, w, h)))
    return area and x < width and y < height and x + w > 0 and y + h > 0
