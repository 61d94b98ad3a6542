# The SimSiam backbone, thawed from the top to the stem.
_base_ = ['./centernet_r18_fix_1xb16-300e_liver4-512.py']
# Built thawed: MMEngine leaves what is frozen at build time out of the optimizer.
model = dict(backbone=dict(frozen_stages=-1))
# The study gives no epochs. Ours: 25 for each step, so that a stage settles before the next
# one moves, and all are thawed (125) well before the first drop of the rate (193).
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='StepwiseUnfreezeHook',
        schedule=[(0, 4), (25, 3), (50, 2), (75, 1), (100, 0), (125, -1)],
    ),
]
# Two processes or more: parameters without a gradient are no error.
find_unused_parameters = True
