"""Encoding of targets and decoding of predictions; what registers into TASK_UTILS."""

from mmdet_liver.models.task_modules.center_point_coder import (
    CenterPointCoder,
    CenterTargets,
    DecodedBoxes,
)

__all__ = ['CenterPointCoder', 'CenterTargets', 'DecodedBoxes']
