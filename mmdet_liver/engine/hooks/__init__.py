"""Hooks: stepwise unfreezing, collapse monitor of the pretraining, check of the inputs."""

from mmdet_liver.engine.hooks.collapse_monitor_hook import CollapseMonitorHook
from mmdet_liver.engine.hooks.input_check_hook import InputCheckHook
from mmdet_liver.engine.hooks.stepwise_unfreeze_hook import StepwiseUnfreezeHook

__all__ = ['CollapseMonitorHook', 'InputCheckHook', 'StepwiseUnfreezeHook']
