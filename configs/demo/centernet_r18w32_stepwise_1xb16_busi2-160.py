# The demo's network on BUSI, real breast ultrasound with two classes:
#
#     python tools/import_data.py busi BUSI_FOLDER --key-file busi.key --out data/busi_raw
#     python tools/prepare_data.py data/busi_raw/manifest.csv --out data/busi --max-side 256
#     export LIVER_DATA=data/busi/
#     python tools/pretrain.py configs/demo/simsiam_r18w32_1xb64-coslr_phantom-96.py \
#         --work-dir work_dirs/busi/simsiam
#     python tools/train.py configs/demo/centernet_r18w32_stepwise_1xb16_busi2-160.py
_base_ = ['./centernet_r18w32_stepwise_1xb16_phantom4-160.py']
metainfo = dict(classes=('benign', 'malignant'))
model = dict(
    backbone=dict(init_cfg=dict(checkpoint='work_dirs/busi/simsiam')),
    bbox_head=dict(num_classes=len(metainfo['classes'])),
)
train_dataloader = dict(dataset=dict(metainfo=metainfo))
val_dataloader = dict(dataset=dict(metainfo=metainfo))
# BUSI has no fuller truth than its annotations.
test_file = 'annotations/test.json'
test_dataloader = dict(dataset=dict(metainfo=metainfo, ann_file=test_file))
test_evaluator = [
    dict(type='LesionF1Metric', ann_file=_base_.data_root + test_file),
    *_base_.test_evaluator[1:],
]
