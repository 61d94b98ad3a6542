# The pretrained backbone, thawed from the top to the stem, on BUSI.
_base_ = ['./centernet_r18_fix_1xb4-60e_busi2-256.py']
# Built thawed: MMEngine leaves what is frozen at build time out of the optimizer.
model = dict(backbone=dict(frozen_stages=-1))
# All stages are thawed after a quarter of the run: there are only some 5,000 steps.
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='StepwiseUnfreezeHook',
        unit='fraction',
        schedule=[(0, 4), (0.05, 3), (0.1, 2), (0.15, 1), (0.2, 0), (0.25, -1)],
    ),
]
find_unused_parameters = True
