# For labels that lack lesions: the stepwise network, whose loss leaves alone the background
# that it is sure is a lesion (docs/missing_labels.md).
_base_ = ['./centernet_r18_stepwise_1xb16-300e_liver4-512.py']
# Not tuned on real data; the phantom's experiment has the same threshold.
model = dict(bbox_head=dict(loss_center_heatmap=dict(ignore_thr=0.3)))
