# The demo's network on BUSI, real breast ultrasound with two classes:
#
#     python tools/prepare_data.py busi BUSI_FOLDER --out data/busi --max-side 256
#     export LIVER_DATA=data/busi/
#     python tools/pretrain.py configs/demo/simsiam_r18w32_1xb64-coslr_phantom-96.py \\
#         --work-dir work_dirs/busi/simsiam
#     python tools/train.py configs/demo/centernet_r18w32_stepwise_1xb16_busi2-160.py
_base_ = ['./centernet_r18w32_stepwise_1xb16_phantom4-160.py']
data_root = '{{$LIVER_DATA:data/busi/}}'
metainfo = dict(classes=('benign', 'malignant'))
model = dict(
    backbone=dict(init_cfg=dict(checkpoint='work_dirs/busi/simsiam')),
    bbox_head=dict(num_classes=len(metainfo['classes'])),
)
train_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
val_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
# BUSI has no fuller truth than its annotations.
test_dataloader = dict(
    dataset=dict(data_root=data_root, ann_file='annotations/test.json', metainfo=metainfo)
)
val_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/val.json'),
    dict(type='CocoMetric', metric='bbox'),
]
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=data_root + 'annotations/test.json'),
    dict(type='CocoMetric', metric='bbox'),
]
