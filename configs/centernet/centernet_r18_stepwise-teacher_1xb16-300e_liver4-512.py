# For labels that lack lesions: the stepwise network with a teacher, its own average, that finds
# what no label explains (docs/missing_labels.md).
_base_ = [
    './centernet_r18_stepwise_1xb16-300e_liver4-512.py',
    '../_base_/schedules/ema.py',
]
# What is a lesion of one class is none of the others': docs/missing_labels.md.
model = dict(bbox_head=dict(class_aware_ignore=True))
# Not tuned on real data; the phantom's experiment has the same threshold.
custom_hooks = [
    *_base_.custom_hooks,
    _base_.ema,
    dict(type='TeacherIgnoreHook', score_thr=0.3),
]
