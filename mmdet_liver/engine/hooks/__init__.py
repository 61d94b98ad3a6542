"""Hooks: stepwise unfreezing of the backbone, collapse monitor of the pretraining."""

from mmdet_liver.engine.hooks.stepwise_unfreeze_hook import StepwiseUnfreezeHook

__all__ = ['StepwiseUnfreezeHook']
