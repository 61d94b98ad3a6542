# MMDetection's own CenterNet head, from the same data and schedule as `flex`.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet-stock_r18.py',
    '../_base_/datasets/liver4_512.py',
    '../_base_/schedules/centernet_300e.py',
]
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
