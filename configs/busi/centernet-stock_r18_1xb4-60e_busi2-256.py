# MMDetection's own CenterNet head on BUSI, from the same data and schedule as `flex`.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet-stock_r18.py',
    '../_base_/datasets/busi2_256.py',
    '../_base_/schedules/centernet_busi.py',
]
model = dict(bbox_head=dict(num_classes=2))
test_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    _base_.test_pipeline[1],
    _base_.test_pipeline[2],
    dict(test_pad_mode=('size_divisor', _base_.size[0]), **_base_.border_pad),
    _base_.pack_test[0],
    {**_base_.pack_test[1], 'meta_keys': (*_base_.pack_test[1].meta_keys, 'border')},
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
# Its decoder takes contiguous maps only.
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook', training_only=True)]
