# MMDetection's YOLOX-s unchanged, the study's first baseline: its own 300 epochs at batch 64,
# here on one device; our data and metrics, 512 px.
#
# Its augmentations are its own too, YOLOXHSVRandomAug with its shift of the hue among them,
# which our other configs leave out: colour in B-mode is no tissue.
_base_ = ['mmdet::yolox/yolox_s_8xb8-300e_coco.py']
custom_imports = dict(imports=['mmdet_liver.plugin'], allow_failed_imports=False)
vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(vis_backends=vis_backends)

model = dict(
    # 480 to 800 at 640 px, in proportion.
    data_preprocessor=dict(
        batch_augments=[dict(type='BatchSyncRandomResize', random_size_range=(384, 640),
                             size_divisor=32, interval=10)]),
    bbox_head=dict(num_classes=4),
)  # fmt: skip

data_root = '{{$LIVER_DATA:data/liver4/}}'
dataset_type = 'LiverTumorDataset'
size = (512, 512)
of_size = dict(img_scale=size, scale=size, border=(-size[0] // 2, -size[1] // 2))
train_pipeline = [
    {key: of_size.get(key, value) for key, value in step.items()} for step in _base_.train_pipeline
]
test_pipeline = [
    *[
        {key: of_size.get(key, value) for key, value in step.items()}
        for step in _base_.test_pipeline[:-1]
    ],
    # CocoMetric takes the ground truth from the data set.
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'instances'),
    ),
]
images = dict(type=dataset_type, data_root=data_root, data_prefix=dict(img='images/'))
train_dataset = dict(
    dataset=dict(ann_file='annotations/train.json', **images), pipeline=train_pipeline
)
train_dataloader = dict(batch_size=64, num_workers=8, dataset=train_dataset)
val_dataloader = dict(
    dataset=dict(ann_file='annotations/val.json', pipeline=test_pipeline, **images)
)
test_dataloader = dict(
    dataset=dict(ann_file='annotations/test.json', pipeline=test_pipeline, **images)
)
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    dict(type='CocoMetric', metric='bbox'),
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test.json'),
    dict(type='CocoMetric', metric='bbox'),
]
default_hooks = dict(checkpoint=dict(save_best='lesion/f1_mean', rule='greater'))
custom_hooks = [*_base_.custom_hooks, dict(type='InputCheckHook')]
