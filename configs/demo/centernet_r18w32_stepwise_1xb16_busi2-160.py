# The demo's network on BUSI, real breast ultrasound with two classes, as
# `tools/prepare_data.py busi` writes it. It has no patients, no full truth and few images:
# the demo's schedule, all else as on the phantom.
_base_ = ['./centernet_r18w32_stepwise_1xb16_phantom4-160.py']
data_root = 'data/busi/'
metainfo = dict(classes=('benign', 'malignant'), palette=[(86, 180, 233), (213, 94, 0)])
model = dict(
    backbone=dict(init_cfg=dict(checkpoint='work_dirs/busi/simsiam')),
    bbox_head=dict(num_classes=2),
)
train_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
val_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
test_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    dict(type='CocoMetric', metric='bbox'),
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test.json'),
    dict(type='CocoMetric', metric='bbox'),
]
