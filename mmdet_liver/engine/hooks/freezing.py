"""Stepwise unfreezing without the runner: what a schedule says, and what a backbone trains.

A schedule is pairs (start, frozen stages). `start` is a 0-based epoch, or a fraction of the
run in [0, 1). Frozen stages count as in MMDetection's backbones: -1 none, 0 the stem alone,
k the stem and stages 1 to k.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmdet_liver.errors import InputError, input_error

Schedule = tuple[tuple[float, int], ...]

UNITS = ('epoch', 'fraction')
NORM_STATS = ('thawed', 'always', 'never')
MOST_STAGES = 4


def checked_schedule(schedule: Sequence[Sequence[float]], unit: str) -> Schedule:
    """Return `schedule` as a tuple of pairs.

    Raises:
        InputError: if `unit` is unknown, an entry is no pair or out of range, the first
            start is not 0, or the starts do not rise.
    """
    if unit not in UNITS:
        raise input_error(
            'StepwiseUnfreezeHook', f'unit={unit!r}', "'epoch' or 'fraction'", 'name one of them'
        )
    if not isinstance(schedule, (list, tuple)) or not schedule:
        raise _schedule_error(schedule, 'a list of pairs (start, frozen stages)')
    for entry in schedule:
        _check_entry(entry, unit)
    starts = [start for start, _ in schedule]
    if starts[0] != 0:
        raise _schedule_error(schedule, 'a first entry that starts at 0')
    if any(later <= earlier for earlier, later in zip(starts, starts[1:], strict=False)):
        raise _schedule_error(schedule, 'starts that rise, none of them twice')
    return tuple((start, frozen) for start, frozen in schedule)


def check_norm_stats(norm_stats: str) -> None:
    """Refuse an unknown name.

    Raises:
        InputError: unless it is one of NORM_STATS.
    """
    if norm_stats not in NORM_STATS:
        raise input_error(
            'StepwiseUnfreezeHook',
            f'norm_stats={norm_stats!r}',
            "'thawed', 'always' or 'never'",
            'name one of them',
        )


def frozen_stages_at(position: float, schedule: Schedule) -> int:
    """Frozen stages at `position` of the run, in the schedule's unit; -1 means none."""
    return [frozen for start, frozen in schedule if start <= position][-1]


def unreached_entries(schedule: Schedule, last_position: float) -> list[tuple[float, int]]:
    """Entries whose start lies beyond the last position that the run takes."""
    return [(start, frozen) for start, frozen in schedule if start > last_position]


def check_backbone(backbone: Any, schedule: Schedule) -> None:
    """Refuse a backbone that cannot be frozen by its `frozen_stages`, or is frozen already.

    Raises:
        InputError: if there is no `frozen_stages`, it is not -1, or the schedule asks for
            more stages than there are.
    """
    name = type(backbone).__name__
    found = getattr(backbone, 'frozen_stages', None)
    if found is None:
        raise input_error(
            f'model.backbone ({name})',
            'no attribute frozen_stages',
            'a backbone that freezes its stages by it in train(), as ResNet does',
            'use such a backbone, or leave StepwiseUnfreezeHook out',
        )
    if found != -1:
        raise input_error(
            f'model.backbone ({name})',
            f'frozen_stages={found}',
            'frozen_stages=-1 beside StepwiseUnfreezeHook, for what is frozen when the model is '
            'built can be missing from the optimizer and from what ranks synchronise',
            'set model.backbone.frozen_stages=-1 and give the schedule the entry '
            f'(0, {found}) instead',
        )
    stages = getattr(backbone, 'num_stages', MOST_STAGES)
    most = max(frozen for _, frozen in schedule)
    if most > stages:
        raise input_error(
            'StepwiseUnfreezeHook.schedule',
            f'{most} frozen stages',
            f'at most {stages}, which {name} has',
            'correct the schedule',
        )


def check_optimized(
    parameters: Iterable[tuple[str, nn.Parameter]], param_groups: Sequence[dict]
) -> None:
    """Refuse an optimizer that leaves out one of the named `parameters`.

    Raises:
        InputError: naming the first parameter that is left out, and how many are.
    """
    known = {id(parameter) for group in param_groups for parameter in group['params']}
    missing = [name for name, parameter in parameters if id(parameter) not in known]
    if missing:
        raise input_error(
            'optim_wrapper',
            f'{len(missing)} backbone parameters left out, first {missing[0]}',
            'every backbone parameter in the optimizer, so that it learns once it is thawed',
            'leave freezing to StepwiseUnfreezeHook: use lr_mult and decay_mult in '
            'paramwise_cfg, and no constructor that drops parameters',
        )


def set_frozen_stages(
    model: nn.Module, backbone: nn.Module, frozen_stages: int, thawable: Sequence[nn.Parameter]
) -> None:
    """Put `model` into training mode with so many stages of its `backbone` frozen.

    MMDetection's backbones freeze in train(): no gradient, BatchNorm in eval mode. They
    never thaw, so `thawable` is given its gradients back first.

    Raises:
        InputError: if the backbone's train() does not heed `frozen_stages`.
    """
    for parameter in thawable:
        parameter.requires_grad_(True)
    backbone.frozen_stages = frozen_stages
    model.train()
    frozen = [parameter for parameter in thawable if not parameter.requires_grad]
    if frozen_stages >= 0 and not frozen:
        raise input_error(
            f'model.backbone ({type(backbone).__name__})',
            f'nothing frozen by its train() with frozen_stages={frozen_stages}',
            'a backbone that freezes in train(), as ResNet does',
            'use such a backbone, or leave StepwiseUnfreezeHook out',
        )
    for parameter in frozen:
        # What gradient accumulation left behind would still be applied at the next step.
        parameter.grad = None


def stages_by_freezing(
    model: nn.Module, backbone: nn.Module, thawable: Sequence[nn.Parameter], most: int
) -> dict[int, int]:
    """Stage of each parameter, by its `id`: the least `frozen_stages` that freezes it.

    The backbone itself is asked, by freezing up to `most` stages in turn, so any layout
    will do. Parameters that stay free are left out. Set what is due afterwards.
    """
    stage_of: dict[int, int] = {}
    for stage in range(most + 1):
        set_frozen_stages(model, backbone, stage, thawable)
        for parameter in thawable:
            if not parameter.requires_grad:
                stage_of.setdefault(id(parameter), stage)
    return stage_of


def norm_layers(backbone: nn.Module, norm_stats: str) -> list[nn.Module]:
    """The BatchNorm layers whose mode `norm_stats` decides; none for 'thawed'.

    Raises:
        InputError: on 'always' beside the backbone's norm_eval.
    """
    if norm_stats == 'always' and getattr(backbone, 'norm_eval', False):
        raise input_error(
            f'model.backbone ({type(backbone).__name__})',
            "norm_eval=True beside norm_stats='always' of StepwiseUnfreezeHook",
            'norm_eval=False',
            'set model.backbone.norm_eval=False, or leave norm_stats out',
        )
    if norm_stats == 'thawed':
        return []
    return [layer for layer in backbone.modules() if isinstance(layer, _BatchNorm)]


def training_parts(backbone: nn.Module) -> list[str]:
    """Names of the backbone's children of which at least one parameter trains."""
    return [
        name
        for name, child in backbone.named_children()
        if any(parameter.requires_grad for parameter in child.parameters())
    ]


def parameter_counts(module: nn.Module) -> tuple[int, int]:
    """Elements that train, and elements in all."""
    sizes = [(p.numel(), p.requires_grad) for p in module.parameters()]
    return sum(size for size, trains in sizes if trains), sum(size for size, _ in sizes)


def learning_rates(
    backbone: nn.Module,
    param_groups: Sequence[dict],
    factor_of: Callable[[nn.Parameter], float] = lambda parameter: 1.0,
) -> dict[str, tuple[float, float]]:
    """The highest learning rate now and at first, for each child that trains.

    A schedule of MMEngine notes the first rate as `initial_lr`; without one it is today's.
    The rate now is times the parameter's factor.
    """
    rate_of = {
        id(parameter): (
            group['lr'] * factor_of(parameter),
            group.get('initial_lr', group['lr']),
        )
        for group in param_groups
        for parameter in group['params']
    }
    return {
        name: max(
            rate_of[id(p)] for p in backbone.get_submodule(name).parameters() if id(p) in rate_of
        )
        for name in training_parts(backbone)
    }


def _check_entry(entry: Any, unit: str) -> None:
    if not isinstance(entry, (list, tuple)) or len(entry) != 2:
        raise _schedule_error(entry, 'a pair (start, frozen stages)')
    start, frozen = entry
    if type(frozen) is not int or not -1 <= frozen <= MOST_STAGES:
        raise _schedule_error(entry, f'-1 to {MOST_STAGES} frozen stages, a whole number')
    if unit == 'epoch' and (type(start) is not int or start < 0):
        raise _schedule_error(entry, 'a start that is a 0-based epoch, a whole number')
    if unit == 'fraction' and (type(start) not in (int, float) or not 0 <= start < 1):
        raise _schedule_error(entry, 'a start that is a fraction of the run, at least 0, below 1')


def _schedule_error(found: Any, expected: str) -> InputError:
    remedy = "correct the schedule, as in schedule=[(0, 4), (10, 3), (20, -1)], unit='epoch'"
    return input_error('StepwiseUnfreezeHook.schedule', repr(found), expected, remedy)
