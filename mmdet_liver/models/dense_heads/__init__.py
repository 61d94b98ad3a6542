"""Detection heads; importing this registers them into MODELS."""

from mmdet_liver.models.dense_heads.lesion_centernet_head import LesionCenterNetHead

__all__ = ['LesionCenterNetHead']
