# BUSI (breast ultrasound, Al-Dhabyani et al., Data in Brief 28, 2020, 104863) at 256 px, the
# size that its images are prepared at: the pipelines of 512 px with another size.
_base_ = ['./liver4_512.py']
data_root = '{{$LIVER_DATA:data/busi/}}'
metainfo = dict(classes=('benign', 'malignant'))
size = (256, 256)
train_pipeline = [
    {key: size if key in ('scale', 'crop_size', 'size') else value for key, value in step.items()}
    for step in _base_.train_pipeline
]
test_pipeline = [
    {key: size if key in ('scale', 'size') else value for key, value in step.items()}
    for step in _base_.test_pipeline
]
tta_pipeline = [
    *test_pipeline[:2],
    dict(
        type='TestTimeAug',
        transforms=[
            _base_.tta_flip,
            [test_pipeline[2]],
            *[[step] for step in _base_.pack_test],
        ],
    ),
]
of_busi = dict(data_root=data_root, metainfo=metainfo)
# Two workers keep up with two cores; a machine with a GPU sets more.
train_dataloader = dict(
    batch_size=4, num_workers=2, dataset=dict(pipeline=train_pipeline, **of_busi)
)
val_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline, **of_busi))
test_dataloader = dict(num_workers=1, dataset=dict(pipeline=test_pipeline, **of_busi))
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    *_base_.val_evaluator[1:],
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test.json'),
    *_base_.test_evaluator[1:],
]
