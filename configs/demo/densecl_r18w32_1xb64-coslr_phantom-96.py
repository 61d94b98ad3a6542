# DenseCL at the demo's size: nine places an image.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/densecl_r18.py',
    '../_base_/datasets/phantom_ssl_96.py',
    '../_base_/schedules/contrastive_demo.py',
]
model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    neck=dict(in_channels=256, hid_channels=256),
)
# MoCo v2's rate at batch 256. At 0.05, with momentum=0.01, it collapsed.
optim_wrapper = dict(optimizer=dict(lr=0.03))
custom_hooks = [
    # Without BatchNorm at its end the projector's outputs lie in a cone: 0.12 in a sound start of
    # a run, 0.02 in one that collapsed (docs/pretraining.md).
    dict(_base_.custom_hooks[0], thr=0.05),
    dict(type='DenseCLHook', start_iters=40),  # three epochs
    dict(type='QueueLengthHook'),
]
default_hooks = dict(logger=dict(interval=4), checkpoint=dict(interval=_base_.epochs))
