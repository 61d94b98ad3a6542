"""What brings self-supervised pretraining into a detector."""

from mmdet_liver.models.selfsup.self_sup_pretrained import SelfSupPretrained

__all__ = ['SelfSupPretrained']
