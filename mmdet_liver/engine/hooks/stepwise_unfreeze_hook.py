"""The hook that thaws a pretrained backbone stage by stage; its rules stand in `freezing`."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmdet_liver.engine.hooks import freezing
from mmdet_liver.engine.hooks.unwrapping import unwrapped
from mmdet_liver.errors import input_error

# A stage that thaws below this share of its first learning rate hardly moves any more.
LOW_LR_SHARE = 0.01


@HOOKS.register_module()
class StepwiseUnfreezeHook(Hook):
    """Freeze as many stages of `model.backbone` as `schedule` says, epoch by epoch.

    Frozen means without gradient and with BatchNorm in eval mode: weights and running
    statistics stay bit-equal. What is frozen follows from the epoch alone, so a resumed
    run agrees with an uninterrupted one.

    Build the backbone with `frozen_stages=-1`: MMEngine leaves parameters that are frozen
    at build time out of an optimizer with `paramwise_cfg`. In distributed training
    put `find_unused_parameters = True` into the config.

    Args:
        schedule: pairs (start, frozen stages), starts rising from 0. Frozen stages:
            4 is the stem and layer1 to layer4, 0 the stem alone, -1 nothing.
        unit: of the starts: 'epoch', 0-based; or 'fraction' of the run in [0, 1), which
            means the first epoch e with e / max_epochs >= start, and in an
            iteration-based loop the first iteration i with i / max_iters >= start.
    Raises:
        InputError: on a malformed schedule; when training starts, on a backbone,
            optimizer, loop or model wrapper with which a thawed stage would not learn.
    """

    def __init__(self, schedule: Sequence[Sequence[float]], unit: str = 'epoch') -> None:
        self.schedule = freezing.checked_schedule(schedule, unit)
        self.unit = unit
        self._thawable: list[nn.Parameter] = []

    def before_train(self, runner: Runner) -> None:
        """Check that the schedule can work in this run, and freeze for its first epoch."""
        self._check_loop(runner)
        self._check_wrapper(runner.model)
        backbone = _backbone(runner)
        freezing.check_backbone(backbone, self.schedule)
        # What the config froze by other means (norm_cfg's requires_grad) stays frozen.
        thawable = [(n, p) for n, p in backbone.named_parameters() if p.requires_grad]
        freezing.check_optimized(thawable, _param_groups(runner))
        self._thawable = [parameter for _, parameter in thawable]
        self._warn_of_unreached(runner)
        due = self._due(runner)
        self._set(runner, due)
        runner.logger.info(self._report(runner, f'{due}'))

    def before_train_epoch(self, runner: Runner) -> None:
        self._follow(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        # An iteration-based loop has a single epoch; in others nothing changes within one.
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            self._follow(runner)

    def _follow(self, runner: Runner) -> None:
        due, backbone = self._due(runner), _backbone(runner)
        if due == backbone.frozen_stages:
            return
        change = f'{backbone.frozen_stages} -> {due}'
        trained = freezing.training_parts(backbone)
        self._set(runner, due)
        runner.logger.info(self._report(runner, change))
        self._warn_of_low_rates(runner, trained)

    def _set(self, runner: Runner, frozen_stages: int) -> None:
        # The loop calls train() again after this; calling it here makes the report true.
        freezing.set_frozen_stages(runner.model, _backbone(runner), frozen_stages, self._thawable)

    def _due(self, runner: Runner) -> int:
        done, total = self._progress(runner)
        position = done if self.unit == 'epoch' else done / total
        return freezing.frozen_stages_at(position, self.schedule)

    @staticmethod
    def _progress(runner: Runner) -> tuple[int, int]:
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            return runner.iter, runner.max_iters
        return runner.epoch, runner.max_epochs

    def _check_loop(self, runner: Runner) -> None:
        if self.unit == 'epoch' and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise input_error(
                'StepwiseUnfreezeHook',
                "unit='epoch' with an iteration-based train loop, which knows no epochs",
                "unit='fraction'",
                "give each start as a fraction of max_iters and set unit='fraction'",
            )

    def _check_wrapper(self, model: nn.Module) -> None:
        if not is_model_wrapper(model) or all(frozen < 0 for _, frozen in self.schedule):
            return
        if not isinstance(model, DistributedDataParallel):
            raise input_error(
                'StepwiseUnfreezeHook',
                f'the model wrapper {type(model).__name__}',
                'MMDistributedDataParallel, or none',
                'change model_wrapper_cfg, or leave the hook out',
            )
        if model.static_graph or not model.find_unused_parameters:
            raise input_error(
                'StepwiseUnfreezeHook in distributed training',
                f'find_unused_parameters={model.find_unused_parameters}, '
                f'static_graph={model.static_graph}',
                'True and False: parameters that are frozen after wrapping give no gradient, '
                'and the second step would fail',
                'put find_unused_parameters = True into the config (with a model_wrapper_cfg: '
                'into that)',
            )

    def _warn_of_unreached(self, runner: Runner) -> None:
        _, total = self._progress(runner)
        last = total - 1 if self.unit == 'epoch' else (total - 1) / total
        for start, frozen in freezing.unreached_entries(self.schedule, last):
            runner.logger.warning(
                f'StepwiseUnfreezeHook: the entry ({start}, {frozen}) is never reached; the last '
                f'{self.unit} of this run begins at {last:g}'
            )

    def _warn_of_low_rates(self, runner: Runner, trained_before: list[str]) -> None:
        rates = freezing.learning_rates(_backbone(runner), _param_groups(runner))
        for part, (now, first) in rates.items():
            if part not in trained_before and now <= LOW_LR_SHARE * first:
                runner.logger.warning(
                    f'StepwiseUnfreezeHook: {part} thaws with learning rate {now:g} of '
                    f'{first:g} at first, too late to learn much; thaw it earlier'
                )

    def _report(self, runner: Runner, change: str) -> str:
        backbone = _backbone(runner)
        done, total = self._progress(runner)
        loop_unit = 'iteration' if isinstance(runner.train_loop, IterBasedTrainLoop) else 'epoch'
        rates = freezing.learning_rates(backbone, _param_groups(runner))
        shown = ', '.join(f'{part} lr {now:g}' for part, (now, _) in rates.items()) or 'nothing'
        trains, size = freezing.parameter_counts(backbone)
        all_train, all_size = freezing.parameter_counts(unwrapped(runner.model))
        return (
            f'StepwiseUnfreezeHook, {loop_unit} {done} of {total} (0-based), frozen_stages '
            f'{change}: {trains:,} of {size:,} backbone parameters train ({shown}), '
            f'{all_train:,} of {all_size:,} in the whole model'
        )


def _backbone(runner: Runner) -> Any:
    model = unwrapped(runner.model)
    if not hasattr(model, 'backbone'):
        raise input_error(
            'StepwiseUnfreezeHook',
            f'{type(model).__name__} without a backbone',
            'a model with model.backbone',
            'leave the hook out',
        )
    return model.backbone


def _param_groups(runner: Runner) -> list[dict]:
    groups = runner.optim_wrapper.param_groups
    # An OptimWrapperDict has a list of groups for each of its optimizers.
    return list(chain(*groups.values())) if isinstance(groups, dict) else groups
