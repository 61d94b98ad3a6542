# Ours, where the study's `stepwise` is its own: fresh stages start gently, BatchNorm follows the
# detector's images from the first step, the weights are averaged, and the augmentations are
# those of ultrasound. The schedule of the stages is the same.
_base_ = [
    './centernet_r18_stepwise_1xb16-300e_liver4-512.py',
    '../_base_/schedules/ema.py',
    '../_base_/datasets/ultrasound_augmentation.py',
]
# A parameter group for each parameter, which fresh_lr_factor needs; rates stay as they are.
optim_wrapper = dict(paramwise_cfg=dict(bias_lr_mult=1))
*other_hooks, unfreezing = _base_.custom_hooks
# A quarter of a stage's 20 epochs; docs/unfreezing.md says why norm_stats.
unfreezing.update(fresh_lr_factor=0.1, lr_rise=5, norm_stats='always')
custom_hooks = [*other_hooks, unfreezing, _base_.ema]
plain = _base_.train_pipeline
train_pipeline = [
    *[step for step in plain if step['type'].startswith('Load')],
    *_base_.ultrasound_augmentation,
    *[s for s in plain if not s['type'].startswith(('Load', 'Brightness', 'Contrast'))],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
