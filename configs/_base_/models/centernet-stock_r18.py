# MMDetection's own CenterNet head and loss on the backbone and neck that ours has, for
# comparison; loss and decoding as in its centernet_r18_8xb16-crop512-140e_coco.py.
_base_ = ['./centernet_r18.py']
model = dict(
    bbox_head=dict(
        _delete_=True,
        type='CenterNetHead',
        num_classes=4,
        in_channels=64,
        feat_channels=64,
        loss_center_heatmap=dict(type='GaussianFocalLoss', loss_weight=1.0),
        loss_wh=dict(type='L1Loss', loss_weight=0.1),
        loss_offset=dict(type='L1Loss', loss_weight=1.0),
    ),
    test_cfg=dict(_delete_=True, topk=100, local_maximum_kernel=3, max_per_img=100),
)
# Its decoder wants to know the border that was padded, which only this step tells. After `Pad` in
# a test pipeline, on float images, with test_pad_mode=('size_divisor', side): it then adds
# nothing. Alone it would pad on all sides, which networks trained with `Pad` have not seen.
border_pad = dict(
    type='RandomCenterCropPad',
    ratios=None,
    border=None,
    mean=[0, 0, 0],
    std=[1, 1, 1],
    to_rgb=True,
    test_mode=True,
)
