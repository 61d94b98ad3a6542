# The plain network on the 1-class task.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/centernet_r18.py',
    '../_base_/datasets/liver1_512.py',
    '../_base_/schedules/centernet_300e.py',
]
model = dict(bbox_head=dict(num_classes=1))
