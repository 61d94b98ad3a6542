# The SimSiam backbone, frozen from first to last.
_base_ = ['./centernet_r18_flex_1xb16-300e_liver4-512.py']
pretrained = 'work_dirs/simsiam_r18_1xb256-coslr-200e_liver-224'
model = dict(
    backbone=dict(frozen_stages=4, init_cfg=dict(type='SelfSupPretrained', checkpoint=pretrained))
)
