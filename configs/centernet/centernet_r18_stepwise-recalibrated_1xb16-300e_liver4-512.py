# For labels that lack lesions: the stepwise network, whose loss leaves alone the background
# that it is sure is a lesion (docs/missing_labels.md).
_base_ = [
    './centernet_r18_stepwise_1xb16-300e_liver4-512.py',
    '../_base_/datasets/pack_with_mark.py',
]
train_dataloader = dict(dataset=dict(pipeline=[*_base_.train_pipeline[:-1], _base_.pack_with_mark]))
# Not tuned on real data; the phantom's experiment has the same threshold.
model = dict(bbox_head=dict(loss_center_heatmap=dict(ignore_thr=0.3)))
