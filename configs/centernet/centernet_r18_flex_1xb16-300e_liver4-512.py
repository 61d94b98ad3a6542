# The plain network: everything trains from the first step.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet_r18.py',
    '../_base_/datasets/liver4_512.py',
    '../_base_/schedules/centernet_300e.py',
]
