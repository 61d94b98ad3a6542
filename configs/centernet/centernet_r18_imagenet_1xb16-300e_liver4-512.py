# ImageNet's backbone, trained whole. The first run downloads it (45 MB) unless torch's cache
# or the path given as model.backbone.init_cfg.checkpoint holds it.
_base_ = ['./centernet_r18_flex_1xb16-300e_liver4-512.py']
model = dict(
    backbone=dict(
        # torchvision's names have no prefix.
        init_cfg=dict(type='SelfSupPretrained', checkpoint='torchvision://resnet18', prefix='')
    )
)
