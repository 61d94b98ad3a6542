# What every pretraining of ResNet18 shares: the pixels and the backbone, whose weights fit the
# detector's. Plain BN for one device; for several, set sync_bn='torch'.
_base_ = ['./input_normalisation.py']
model = dict(
    data_preprocessor=dict(
        type='SelfSupDataPreprocessor',
        mean=_base_.pixel_mean,
        std=_base_.pixel_std,
        to_rgb=True,
    ),
    backbone=dict(type='ResNet', depth=18, norm_cfg=dict(type='BN'), zero_init_residual=True),
)
