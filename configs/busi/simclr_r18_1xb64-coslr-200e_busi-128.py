# SimCLR on BUSI.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/simclr_r18.py',
    '../_base_/datasets/busi_ssl_128.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
default_hooks = dict(checkpoint=dict(interval=20))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
