# CenterNet on ResNet18 as in the study: MMDetection's CenterNet-R18 without deformable
# convolutions (they need compiled ops), with the head of this project.
#
# No pretrained weights: nothing is downloaded unless the user asks for it. A config that
# wants some sets model.backbone.init_cfg.
_base_ = ['./input_normalisation.py']
model = dict(
    type='CenterNet',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=_base_.pixel_mean,
        std=_base_.pixel_std,
        bgr_to_rgb=True,
        pad_size_divisor=32,
    ),
    backbone=dict(
        type='ResNet', depth=18, norm_cfg=dict(type='BN'), norm_eval=False, frozen_stages=-1
    ),
    neck=dict(
        type='CTResNetNeck',
        in_channels=512,
        num_deconv_filters=(256, 128, 64),
        num_deconv_kernels=(4, 4, 4),
        use_dcn=False,
    ),
    bbox_head=dict(
        type='LesionCenterNetHead',
        num_classes=4,
        in_channels=64,
        feat_channels=64,
        loss_center_heatmap=dict(type='LesionHeatmapFocalLoss'),
        loss_wh=dict(type='L1Loss', loss_weight=0.1),
        loss_offset=dict(type='L1Loss', loss_weight=1.0),
    ),
    train_cfg=None,
    # A lesion has one diagnosis: of peaks of several classes at one place the likeliest stays.
    test_cfg=dict(topk=100, local_maximum_kernel=3, max_per_img=100, cross_class_suppression=True),
)
