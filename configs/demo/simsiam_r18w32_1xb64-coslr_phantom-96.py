# The pretraining of `make demo`: the ResNet18 of half the channels that the demo's detector
# has, 2.5 minutes on two CPU cores for 1120 images.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/simsiam_r18.py',
    '../_base_/datasets/phantom_ssl_96.py',
    '../_base_/schedules/simsiam_coslr_200e.py',
]
epochs = 20  # of 17 steps, 0.42 s each on two cores
# Four times what the linear rule gives for batch 64: there are only some 340 steps.
lr = 0.05
model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    # A quarter of the width: its weights would outnumber the backbone's.
    neck=dict(in_channels=256, hid_channels=512, out_channels=512),
    head=dict(predictor=dict(in_channels=512, hid_channels=128, out_channels=512)),
)
optim_wrapper = dict(optimizer=dict(lr=lr))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=epochs, by_epoch=True, end=epochs)]
train_cfg = dict(max_epochs=epochs)
default_hooks = dict(logger=dict(interval=4), checkpoint=dict(interval=epochs))
custom_hooks = [
    dict(type='SimSiamHook', priority='HIGH', fix_pred_lr=True, lr=lr),
    dict(type='CollapseMonitorHook', interval=4),
]
