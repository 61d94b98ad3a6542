"""Hooks: unfreezing, teacher, collapse, heat maps, DenseCL, memory format, input check."""

from mmdet_liver.engine.hooks.channels_last_hook import ChannelsLastHook
from mmdet_liver.engine.hooks.collapse_monitor_hook import CollapseMonitorHook
from mmdet_liver.engine.hooks.dense_start_hook import DenseStartHook
from mmdet_liver.engine.hooks.heatmap_visualization_hook import HeatmapVisualizationHook
from mmdet_liver.engine.hooks.input_check_hook import InputCheckHook
from mmdet_liver.engine.hooks.queue_length_hook import QueueLengthHook
from mmdet_liver.engine.hooks.stepwise_unfreeze_hook import StepwiseUnfreezeHook
from mmdet_liver.engine.hooks.teacher_ignore_hook import TeacherIgnoreHook

__all__ = [
    'ChannelsLastHook',
    'CollapseMonitorHook',
    'DenseStartHook',
    'HeatmapVisualizationHook',
    'InputCheckHook',
    'QueueLengthHook',
    'StepwiseUnfreezeHook',
    'TeacherIgnoreHook',
]
