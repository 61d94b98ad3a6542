"""The COCO data set of lesions, crops of them for the pretraining, and pipeline transforms."""

from mmdet_liver.datasets import transforms  # noqa: F401
from mmdet_liver.datasets.class_block_sampler import ClassBlockSampler
from mmdet_liver.datasets.coco_images import CocoImages
from mmdet_liver.datasets.lesion_crops import LesionCrops
from mmdet_liver.datasets.liver_tumor import LiverTumorDataset

__all__ = ['ClassBlockSampler', 'CocoImages', 'LesionCrops', 'LiverTumorDataset']
