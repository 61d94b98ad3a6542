# SimCLR on the train images: every other image of the batch is a negative.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/simclr_r18.py',
    '../_base_/datasets/liver_ssl_224.py',
    '../_base_/schedules/contrastive_coslr_200e.py',
]
