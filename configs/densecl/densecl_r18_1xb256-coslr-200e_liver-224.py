# DenseCL on the train images: contrasts places as well as images, for a detector's sake.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/densecl_r18.py',
    '../_base_/datasets/liver_ssl_224.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
# MoCo v2's rate, MMPretrain's for DenseCL. At 0.05, with momentum=0.01, the demo's run collapsed.
optim_wrapper = dict(optimizer=dict(lr=0.03))
custom_hooks = [
    # Without BatchNorm at its end the projector's outputs lie in a cone: 0.12 in a sound start of
    # a run, 0.02 in one that collapsed (docs/pretraining.md).
    dict(_base_.custom_hooks[0], thr=0.05),
    # MMPretrain's own config leaves it out. Places are matched by the backbone's features, so
    # these come first: 1000 steps, as in the paper's code, but at most a tenth of the run.
    dict(type='DenseCLHook', start_iters=1000),
    dict(type='DenseStartHook'),
    dict(type='QueueLengthHook'),
]
