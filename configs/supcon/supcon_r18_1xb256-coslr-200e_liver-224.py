# Supervised contrast on the train lesions: diagnoses, and background, apart from each other.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/supcon_r18.py',
    '../_base_/datasets/liver_lesions_224.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
# Without BatchNorm at its end the projector starts in a narrow cone: a ratio of 0.13 was seen
# before it rose.
custom_hooks = [dict(_base_.custom_hooks[0], thr=0.05)]
