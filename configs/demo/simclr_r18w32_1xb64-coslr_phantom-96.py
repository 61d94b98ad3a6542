# SimCLR at the demo's size. A batch of 64 has 126 negatives a view; the paper's least is 256.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/simclr_r18.py',
    '../_base_/datasets/phantom_ssl_96.py',
    '../_base_/schedules/contrastive_demo.py',
]
model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    neck=dict(in_channels=256, hid_channels=256),
)
default_hooks = dict(logger=dict(interval=4), checkpoint=dict(interval=_base_.epochs))
