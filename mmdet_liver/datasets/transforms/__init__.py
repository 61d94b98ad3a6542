"""Pipeline transforms: views for the pretraining, ultrasound augmentations for both."""

from mmdet_liver.datasets.transforms.cached_loading import ExpandGrey, LoadCachedImage
from mmdet_liver.datasets.transforms.random_lesion_crop import RandomLesionCrop
from mmdet_liver.datasets.transforms.ultrasound_augmentations import (
    RandomDepthGain,
    RandomGain,
    RandomShadow,
)
from mmdet_liver.datasets.transforms.ultrasound_views import (
    RandomGamma,
    RandomSpeckle,
    RandomTissueCrop,
)

__all__ = [
    'ExpandGrey',
    'LoadCachedImage',
    'RandomDepthGain',
    'RandomGain',
    'RandomGamma',
    'RandomLesionCrop',
    'RandomShadow',
    'RandomSpeckle',
    'RandomTissueCrop',
]
