"""Pipeline transforms: views for the pretraining."""

from mmdet_liver.datasets.transforms.ultrasound_views import (
    RandomGamma,
    RandomSpeckle,
    RandomTissueCrop,
)

__all__ = ['RandomGamma', 'RandomSpeckle', 'RandomTissueCrop']
