# Supervised contrast at the demo's size. With LIVER_DATA=data/busi/ the classes are BUSI's.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/supcon_r18.py',
    '../_base_/datasets/phantom_lesions_96.py',
    '../_base_/schedules/contrastive_demo.py',
]
# An epoch has lesions and backgrounds, about twice the images: as many steps as the other arms.
epochs = 10
train_cfg = dict(max_epochs=epochs)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], T_max=epochs - 1, end=epochs),
]
model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    neck=dict(in_channels=256, hid_channels=256),
)
default_hooks = dict(logger=dict(interval=4), checkpoint=dict(interval=epochs))
# Without BatchNorm at its end the projector starts in a narrow cone: a ratio of 0.13 was seen
# before it rose.
custom_hooks = [dict(_base_.custom_hooks[0], thr=0.05)]
