# The plain loss of the experiment with hidden labels (docs/missing_labels.md): the demo's detector
# with averaged weights, since the teacher's are; half the batch, so that a shorter run still
# takes as many steps.
_base_ = ['./centernet_r18w32_stepwise_1xb16_phantom4-160.py']
train_dataloader = dict(batch_size=8)
max_epochs = 30
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'T_max': max_epochs, 'end': max_epochs},
]
# One validation, at the end: val chooses the threshold, not the epoch. The other arms go on
# from the plain run's 10th epoch, until which they are the same.
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=3, save_best=None))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='ChannelsLastHook'),
    # 0.01: an average over about an epoch. (MMEngine's 0.0002 is for tens of thousands of steps.)
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.01),
]
