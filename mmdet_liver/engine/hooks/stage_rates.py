"""Learning rates of freshly thawed stages: the rule, and the scaling of an optimizer's step.

A stage that thaws begins at a share of its learning rate, which then rises in a straight
line to the whole (a warm-up of its own; Howard and Ruder, arXiv:1801.06146, thaw layer by
layer under a slanted rate). The optimizer knows nothing of a stage before it thaws, and
Adam's first steps are as long as the rate whatever the gradient.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from torch.optim import Optimizer

from mmdet_liver.engine.hooks.freezing import MOST_STAGES, Schedule
from mmdet_liver.errors import InputError, input_error

Factors = tuple[float, ...]


def lr_factors_at(
    position: float, schedule: Schedule, fresh_lr_factor: float, lr_rise: float
) -> Factors:
    """Factor on the learning rate of the stem and of stages 1 to 4; 0 where frozen.

    A stage that trains from the start has 1. One that thaws (or thaws again) has
    `fresh_lr_factor` at that start and 1 from `lr_rise` later on.

    Args:
        position: of the run, in the schedule's unit, as `lr_rise`.
    """
    passed = [entry for entry in schedule if entry[0] <= position]
    starts = (_training_since(stage, passed) for stage in range(MOST_STAGES + 1))
    return tuple(_factor(position, start, fresh_lr_factor, lr_rise) for start in starts)


def check_rise(fresh_lr_factor: float, lr_rise: float, unit: str) -> None:
    """Refuse factors that mean nothing.

    Raises:
        InputError: unless 0 < fresh_lr_factor <= 1 and lr_rise is above 0 (0 goes with a
            factor of 1), and at most 1 where the unit is a fraction.
    """
    if not isinstance(fresh_lr_factor, Real) or not 0 < fresh_lr_factor <= 1:
        raise _error('fresh_lr_factor', fresh_lr_factor, 'a factor above 0, at most 1')
    most = 1 if unit == 'fraction' else float('inf')
    if not isinstance(lr_rise, Real) or not 0 <= lr_rise <= most:
        raise _error('lr_rise', lr_rise, f'a length in the unit {unit!r}, 0 to {most:g}')
    if (fresh_lr_factor < 1) != (lr_rise > 0):
        raise _error(
            'fresh_lr_factor and lr_rise',
            (fresh_lr_factor, lr_rise),
            'a factor below 1 and a rise above 0, or neither',
        )


class StageRates:
    """Multiplies the learning rate by the factor of the stage, while the optimizer steps.

    MMEngine's schedulers compute each rate from the one that stands in the group, so a
    factor left there would be scheduled along with it. Here the groups hold the schedule's
    rate at all times but within `Optimizer.step`; schedulers, logs and checkpoints never
    see the factor. Skipped steps (gradient accumulation, mixed precision) need no care.

    Args:
        optimizers: PyTorch's, each group of which holds parameters of one stage alone.
        stage_of: stage by `id` of the parameter; what is not in it keeps its rate.
    Raises:
        InputError: if a group mixes stages.
    """

    def __init__(self, optimizers: Sequence[Optimizer], stage_of: Mapping[int, int]) -> None:
        self.factors: Factors = (1.0,) * (MOST_STAGES + 1)
        self.stage_of = stage_of
        self._stages = {
            id(optimizer): [_stage_of_group(group, stage_of) for group in optimizer.param_groups]
            for optimizer in optimizers
        }
        self._plain: dict[int, list[Any]] = {}
        self._handles = [o.register_step_pre_hook(self._scale) for o in optimizers]
        self._handles += [o.register_step_post_hook(self._restore) for o in optimizers]

    def factor_of(self, parameter: object) -> float:
        """Today's factor on the rate of `parameter`."""
        stage = self.stage_of.get(id(parameter))
        return 1.0 if stage is None else self.factors[stage]

    def detach(self) -> None:
        """Leave the optimizers alone from now on."""
        for handle in self._handles:
            handle.remove()

    def _scale(self, optimizer: Optimizer, *_: Any) -> None:
        groups = optimizer.param_groups
        self._plain[id(optimizer)] = [group['lr'] for group in groups]
        for group, stage in zip(groups, self._stages[id(optimizer)], strict=True):
            if stage is not None:
                group['lr'] = group['lr'] * self.factors[stage]

    def _restore(self, optimizer: Optimizer, *_: Any) -> None:
        plain = self._plain.pop(id(optimizer))
        for group, rate in zip(optimizer.param_groups, plain, strict=True):
            group['lr'] = rate  # the same bits, which dividing would not give back


def _training_since(stage: int, passed: Sequence[tuple[float, int]]) -> float | None:
    # Start of the span of entries, up to now, over which the stage has trained; None if frozen.
    since = None
    for start, frozen in reversed(passed):
        if frozen >= stage:
            break
        since = start
    return since


def _factor(position: float, start: float | None, fresh_lr_factor: float, lr_rise: float) -> float:
    if start is None:
        return 0.0
    age = position - start
    if start == 0 or age >= lr_rise:
        return 1.0
    return fresh_lr_factor + (1 - fresh_lr_factor) * age / lr_rise


def _stage_of_group(group: dict, stage_of: Mapping[int, int]) -> int | None:
    stages = {stage_of.get(id(parameter)) for parameter in group['params']}
    if len(stages) > 1:
        raise input_error(
            'optim_wrapper',
            f'one parameter group of {len(group["params"])} parameters over several stages',
            'groups of one stage each, as fresh_lr_factor of StepwiseUnfreezeHook scales their '
            'learning rates',
            'add paramwise_cfg=dict(bias_lr_mult=1) to optim_wrapper: with a paramwise_cfg '
            'MMEngine gives each parameter its own group, and this one changes nothing else',
        )
    return stages.pop() if stages else None


def _error(name: str, found: object, expected: str) -> InputError:
    return input_error(
        f'StepwiseUnfreezeHook.{name}',
        repr(found),
        expected,
        'correct it, as in fresh_lr_factor=0.1, lr_rise=5',
    )
