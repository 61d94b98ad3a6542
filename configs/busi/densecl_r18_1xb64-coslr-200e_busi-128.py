# DenseCL on BUSI.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/densecl_r18.py',
    '../_base_/datasets/busi_ssl_128.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
# 0.999 would keep a third of the random key encoder after the run's 1,000 steps.
model = dict(momentum=0.01)
custom_hooks = [
    *_base_.custom_hooks,
    # Places are matched by the backbone's features, so these come first: a tenth of the run.
    dict(type='DenseCLHook', start_iters=100),
    dict(type='QueueLengthHook'),
]
default_hooks = dict(checkpoint=dict(interval=20))
