# The demo's network without pretraining, everything training from the first step.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet_r18w32.py',
    '../_base_/datasets/phantom4_160.py',
    '../_base_/schedules/centernet_demo.py',
]
