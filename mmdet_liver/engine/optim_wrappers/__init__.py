"""Optimizer wrappers: what happens around one step of the optimizer."""

from mmdet_liver.engine.optim_wrappers.bfloat16_optim_wrapper import BFloat16OptimWrapper

__all__ = ['BFloat16OptimWrapper']
