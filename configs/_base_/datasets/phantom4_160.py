# The phantom of `make demo`, at a size that two CPU cores train in minutes: the pipelines of
# 512 px with another size. The test set is every lesion drawn, those left out of the
# annotations included.
_base_ = ['./liver4_512.py']
data_root = '{{$LIVER_DATA:work_dirs/demo/data/}}'
size = (160, 160)
train_pipeline = [
    {key: size if key in ('scale', 'crop_size', 'size') else value for key, value in step.items()}
    for step in _base_.train_pipeline
]
test_pipeline = [
    {key: size if key in ('scale', 'size') else value for key, value in step.items()}
    for step in _base_.test_pipeline
]
train_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root, ann_file='annotations/test_truth.json', pipeline=test_pipeline
    ),
)
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    *_base_.val_evaluator[1:],
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test_truth.json'),
    *_base_.test_evaluator[1:],
]
