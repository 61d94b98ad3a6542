# Supervised contrast on BUSI's lesions: an epoch has lesions and backgrounds, some 640 crops.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/supcon_r18.py',
    '../_base_/datasets/busi_lesions_128.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
# The detector's optimizer: with some 600 steps SGD hardly starts. On train images the loss fell
# to 4.51 in 30 epochs, with SGD at 0.05 to 4.75 in 35 (4.84 is that of chance).
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=1e-2))
epochs = 60
train_cfg = dict(max_epochs=epochs)
param_scheduler = [
    dict(_base_.param_scheduler[0], end=3),
    dict(_base_.param_scheduler[1], begin=3, T_max=epochs - 3, end=epochs),
]
# The projector has no BatchNorm at its end: its outputs vary less in a sound run too.
custom_hooks = [
    dict(_base_.custom_hooks[0], thr=0.05),
    *_base_.custom_hooks[1:],
    dict(type='ChannelsLastHook'),
]
default_hooks = dict(checkpoint=dict(interval=20))
