"""Pipeline transforms: loading that refuses broken files, views for the pretraining."""

from mmdet_liver.datasets.transforms.loading import LoadUltrasoundImage
from mmdet_liver.datasets.transforms.ultrasound_views import (
    RandomGamma,
    RandomSpeckle,
    RandomTissueCrop,
)

__all__ = ['LoadUltrasoundImage', 'RandomGamma', 'RandomSpeckle', 'RandomTissueCrop']
