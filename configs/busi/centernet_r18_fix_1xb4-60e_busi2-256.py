# The pretrained backbone, frozen from first to last, on BUSI.
_base_ = ['./centernet_r18_flex_1xb4-60e_busi2-256.py']
pretrained = 'work_dirs/busi/simsiam'
model = dict(
    backbone=dict(frozen_stages=4, init_cfg=dict(type='SelfSupPretrained', checkpoint=pretrained))
)
