# Supervised contrast on BUSI's lesions. An epoch has lesions and backgrounds, about twice the
# images: as many steps in 100 epochs as the other arms in 200.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/supcon_r18.py',
    '../_base_/datasets/busi_lesions_128.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
epochs = 100
train_cfg = dict(max_epochs=epochs)
param_scheduler = [
    dict(_base_.param_scheduler[0], end=5),
    dict(_base_.param_scheduler[1], begin=5, T_max=epochs - 5, end=epochs),
]
# The projector has no BatchNorm at its end: its outputs vary less in a sound run too.
custom_hooks = [
    dict(_base_.custom_hooks[0], thr=0.05),
    *_base_.custom_hooks[1:],
    dict(type='ChannelsLastHook'),
]
default_hooks = dict(checkpoint=dict(interval=20))
