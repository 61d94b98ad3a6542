# DenseCL on BUSI.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/densecl_r18.py',
    '../_base_/datasets/busi_ssl_128.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
# MoCo v2's rate, as in the demo, where a higher one collapsed.
optim_wrapper = dict(optimizer=dict(lr=0.03))
custom_hooks = [
    # The projector has no BatchNorm at its end: its outputs vary less in a sound run too.
    dict(_base_.custom_hooks[0], thr=0.05),
    # Places are matched by the backbone's features, so these come first: a tenth of the run.
    dict(type='DenseCLHook', start_iters=1000),
    dict(type='DenseStartHook'),
    dict(type='QueueLengthHook'),
    dict(type='ChannelsLastHook'),
]
default_hooks = dict(checkpoint=dict(interval=20))
