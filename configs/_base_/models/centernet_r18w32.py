# Half the channels of ResNet18 and of the neck: a fifth of the work, for demos on a CPU.
_base_ = ['./centernet_r18.py']
model = dict(
    backbone=dict(base_channels=32),
    neck=dict(in_channels=256, num_deconv_filters=(128, 64, 32)),
    bbox_head=dict(in_channels=32, feat_channels=32),
)
