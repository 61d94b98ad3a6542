# The study's input: 512 px.
_base_ = ['./liver4.py']
size = (512, 512)
train_pipeline = [
    *_base_.load_train,
    dict(type='RandomResize', scale=size, ratio_range=(0.8, 1.25), keep_ratio=True),
    dict(type='RandomCrop', crop_size=size, allow_negative_crop=True),
    dict(type='Pad', size=size),
    *_base_.pack_train,
]
test_pipeline = [
    *_base_.load,
    dict(type='Resize', scale=size, keep_ratio=True),
    dict(type='Pad', size=size),
    *_base_.pack_test,
]
tta_pipeline = [
    *_base_.load,
    dict(type='Resize', scale=size, keep_ratio=True),
    dict(
        type='TestTimeAug',
        transforms=[
            _base_.tta_flip,
            [dict(type='Pad', size=size)],
            *[[step] for step in _base_.pack_test],
        ],
    ),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
