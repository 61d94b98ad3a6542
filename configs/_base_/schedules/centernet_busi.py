# 60 epochs of BUSI. In batches of 4: at 16 there are 21 steps an epoch, and after 60 epochs the
# network has not even learned its train images (docs/results.md). The demo's rate, scaled by
# the root of the batch.
_base_ = ['./centernet_demo.py']
max_epochs = 60
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'T_max': max_epochs, 'end': max_epochs},
]
optim_wrapper = dict(optimizer=dict(lr=5e-4))
train_cfg = dict(max_epochs=max_epochs)
auto_scale_lr = dict(base_batch_size=4)
