"""The images of a COCO file without their labels: what self-supervised pretraining reads."""

from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from mmdet_liver.coco_files import read_images
from mmdet_liver.datasets.image_errors import naming_broken_image, require_images


@DATASETS.register_module()
class CocoImages(BaseDataset):
    """Every image of a COCO file, lesion-free ones included; annotations are not read.

    In MMEngine's root registry, so that MMPretrain's runner finds it; arguments are
    those of MMEngine's `BaseDataset`, `data_prefix=dict(img_path=...)` among them.

    Raises:
        InputError: for a missing or broken annotation file, one without images, or
            images that do not lie where the file says; when an image is read, for one
            that is truncated or damaged.
    """

    def load_data_list(self) -> list[dict]:
        """One `{'img_path', 'sample_idx'}` an image, in the order of the file."""
        folder = Path(self.data_prefix['img_path'])
        paths = [str(folder / image['file_name']) for image in read_images(self.ann_file)]
        require_images(paths, self.ann_file)
        return [{'img_path': path, 'sample_idx': i} for i, path in enumerate(paths)]

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on one image; a broken one is named."""
        with naming_broken_image(self.get_data_info(idx)['img_path']):
            return super().prepare_data(idx)
