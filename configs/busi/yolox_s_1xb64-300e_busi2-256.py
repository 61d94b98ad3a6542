# YOLOX-s, its own 300 epochs, on BUSI at 256 px: of 5 or 6 steps each.
_base_ = ['../yolox/yolox_s_1xb64-300e_liver4-512.py']
model = dict(
    data_preprocessor=dict(
        batch_augments=[dict(type='BatchSyncRandomResize', random_size_range=(192, 320),
                             size_divisor=32, interval=10)]),
    bbox_head=dict(num_classes=2),
)  # fmt: skip
data_root = '{{$LIVER_DATA:data/busi/}}'
size = (256, 256)
of_size = dict(img_scale=size, scale=size, border=(-size[0] // 2, -size[1] // 2))
train_pipeline = [
    {key: of_size.get(key, value) for key, value in step.items()} for step in _base_.train_pipeline
]
test_pipeline = [
    {key: of_size.get(key, value) for key, value in step.items()} for step in _base_.test_pipeline
]
images = dict(data_root=data_root, metainfo=dict(classes=('benign', 'malignant')))
train_dataloader = dict(dataset=dict(dataset=images, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, **images))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline, **images))
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    *_base_.val_evaluator[1:],
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test.json'),
    *_base_.test_evaluator[1:],
]
