"""What registers into MODELS, TASK_UTILS and WEIGHT_INITIALIZERS."""

from mmdet_liver.models import dense_heads, losses, selfsup, task_modules

__all__ = ['dense_heads', 'losses', 'selfsup', 'task_modules']
