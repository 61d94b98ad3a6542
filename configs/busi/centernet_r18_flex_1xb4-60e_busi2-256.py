# The plain network on BUSI: everything trains from the first step.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet_r18.py',
    '../_base_/datasets/busi2_256.py',
    '../_base_/schedules/centernet_busi.py',
]
model = dict(bbox_head=dict(num_classes=2))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]  # a quarter faster on a CPU
