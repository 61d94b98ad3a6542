# The phantom of `make demo` at a size that two CPU cores train in minutes. The demo's test
# set is scored on every lesion drawn, those left out of the annotations included.
_base_ = ['./liver4.py']
data_root = 'work_dirs/demo/data/'
size = (160, 160)
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
train_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    dict(type='CocoMetric', metric='bbox'),
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test_truth.json'),
    dict(type='CocoMetric', metric='bbox'),
]
