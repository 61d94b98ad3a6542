"""The images of a COCO file without their labels: what self-supervised pretraining reads."""

import json
from pathlib import Path

from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from mmdet_liver.errors import input_error


@DATASETS.register_module()
class CocoImages(BaseDataset):
    """Every image of a COCO file, lesion-free ones included; annotations are not read.

    In MMEngine's root registry, so that MMPretrain's runner finds it; arguments are
    those of MMEngine's `BaseDataset`, `data_prefix=dict(img_path=...)` among them.

    Raises:
        InputError: for a missing or broken annotation file, one without images, or
            images that do not lie where the file says.
    """

    def load_data_list(self) -> list[dict]:
        """One `{'img_path', 'sample_idx'}` an image, in the order of the file."""
        folder = Path(self.data_prefix['img_path'])
        paths = [folder / name for name in image_names(Path(self.ann_file))]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise input_error(
                self.ann_file,
                f'{len(missing)} of {len(paths)} images that do not exist, first {missing[0]}',
                'every image on disk',
                "check the data set's data_root and data_prefix",
            )
        return [{'img_path': str(path), 'sample_idx': i} for i, path in enumerate(paths)]


def image_names(ann_file: Path) -> list[str]:
    """`file_name` of every image of a COCO file, in its order."""
    remedy = 'write it with tools/prepare_data.py'
    if not ann_file.is_file():
        raise input_error(ann_file, 'no such file', 'a COCO annotation file', remedy)
    try:
        names = [image['file_name'] for image in json.loads(ann_file.read_bytes())['images']]
    except (ValueError, KeyError, TypeError) as error:
        raise input_error(
            ann_file, f'broken content ({error!r})', 'a COCO file with images', remedy
        ) from None
    if not names:
        raise input_error(ann_file, 'no images', 'at least one', 'check the split')
    return names
