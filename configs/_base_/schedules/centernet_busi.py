# BUSI's 23 steps an epoch: the demo's rate and cosine, for 60 epochs. Two cores need about
# 80 s for an epoch of the whole network at 256 px, so an arm takes an hour or two there.
_base_ = ['./centernet_demo.py']
max_epochs = 60
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'T_max': max_epochs, 'end': max_epochs},
]
train_cfg = dict(max_epochs=max_epochs)
