"""The COCO data set of lesions, and pipeline transforms."""

from mmdet_liver.datasets import transforms  # noqa: F401
from mmdet_liver.datasets.coco_images import CocoImages
from mmdet_liver.datasets.liver_tumor import LiverTumorDataset

__all__ = ['CocoImages', 'LiverTumorDataset']
