# Missing labels, by a teacher: where the averaged network finds what no label explains, the
# heat map of its class learns nothing.
_base_ = ['./centernet_r18w32_stepwise-ema_1xb8-30e_phantom4-160.py']
model = dict(bbox_head=dict(class_aware_ignore=True))
# Threshold and warm-up as in the recalibrated arm, so that the two differ in who is sure, not in
# how sure.
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='TeacherIgnoreHook', score_thr=0.2, warmup=1 / 3),
]
