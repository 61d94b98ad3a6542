# The SimSiam backbone, thawed from the top to the stem.
_base_ = ['./centernet_r18_fix_1xb16-300e_liver4-512.py']
# Built thawed: MMEngine leaves what is frozen at build time out of the optimizer.
model = dict(backbone=dict(frozen_stages=-1))
# The study gives no epochs. Ours: 20 for each step, so that a stage settles before the next
# one moves, and all are thawed (100) well before the first drop of the rate (193).
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='StepwiseUnfreezeHook',
        schedule=[(0, 4), (20, 3), (40, 2), (60, 1), (80, 0), (100, -1)],
    ),
]
# Two processes or more: parameters without a gradient are no error.
find_unused_parameters = True
