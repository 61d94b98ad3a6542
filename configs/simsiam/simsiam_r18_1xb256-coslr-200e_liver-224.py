# The ultrasound backbone of the study: SimSiam on the train images, 200 epochs.
_base_ = [
    '../_base_/default_runtime_mmpretrain.py',
    '../_base_/models/simsiam_r18.py',
    '../_base_/datasets/liver_ssl_224.py',
    '../_base_/schedules/simsiam_coslr_200e.py',
]
