# The plain network: everything trains from the first step.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet_r18.py',
    '../_base_/datasets/liver4_512.py',
    '../_base_/schedules/centernet_300e.py',
]
# What the network sees on a few val images: the first thing to look at when it does not learn.
custom_hooks = [*_base_.custom_hooks, dict(type='HeatmapVisualizationHook', interval=25)]
