# Ours on BUSI: the pretrained backbone thawed step by step, fresh stages gently, with averaged
# weights and the augmentations of ultrasound.
_base_ = ['./centernet_r18_flex-ema_1xb4-60e_busi2-256.py']
pretrained = 'work_dirs/busi/simsiam'
model = dict(backbone=dict(init_cfg=dict(type='SelfSupPretrained', checkpoint=pretrained)))
# A parameter group for each parameter, which fresh_lr_factor needs; rates stay as they are.
optim_wrapper = dict(paramwise_cfg=dict(bias_lr_mult=1))
*other_hooks, averaging = _base_.custom_hooks
custom_hooks = [
    *other_hooks,
    dict(
        type='StepwiseUnfreezeHook',
        unit='fraction',
        # All stages are thawed after a quarter of the run: there are only some 5,000 steps.
        schedule=[(0, 4), (0.05, 3), (0.1, 2), (0.15, 1), (0.2, 0), (0.25, -1)],
        fresh_lr_factor=0.1,
        lr_rise=0.05,
        norm_stats='always',  # docs/unfreezing.md says why
    ),
    averaging,
]
find_unused_parameters = True
