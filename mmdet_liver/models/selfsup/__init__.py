"""Pretraining: supervised contrast of lesion crops, and what brings a backbone into a detector."""

from mmdet_liver.models.selfsup.self_sup_pretrained import SelfSupPretrained
from mmdet_liver.models.selfsup.sup_con import SupCon, SupConHead

__all__ = ['SelfSupPretrained', 'SupCon', 'SupConHead']
