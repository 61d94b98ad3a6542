# SimSiam on BUSI. Its rate stays, four times what the linear rule gives for batch 64, as
# there are only some 1,000 steps; so in the other pretrainings of this folder.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/simsiam_r18.py',
    '../_base_/datasets/busi_ssl_128.py',
    '../_base_/schedules/simsiam_coslr_200e.py',
]
default_hooks = dict(checkpoint=dict(interval=20))
custom_hooks = [*_base_.custom_hooks, dict(type='ChannelsLastHook')]
