# `make demo`: the study's line at a size for two CPU cores. A ResNet18 of half the channels,
# 160 px, 45 epochs: enough to see every part at work, not to judge the method.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet_r18w32.py',
    '../_base_/datasets/phantom4_160.py',
    '../_base_/schedules/centernet_demo.py',
]
pretrained = 'work_dirs/demo/seed0/simsiam'
model = dict(backbone=dict(init_cfg=dict(type='SelfSupPretrained', checkpoint=pretrained)))
# All stages are thawed after a quarter of the run: with so few epochs each has to learn long.
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='StepwiseUnfreezeHook',
        unit='fraction',
        schedule=[(0, 4), (0.05, 3), (0.1, 2), (0.15, 1), (0.2, 0), (0.25, -1)],
    ),
    dict(type='HeatmapVisualizationHook', interval=15),
]
find_unused_parameters = True
