"""The hook that thaws a pretrained backbone stage by stage.

Its rules stand in `freezing` (what trains) and `stage_rates` (at which learning rate).
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmdet_liver.engine.hooks import freezing, stage_rates
from mmdet_liver.engine.hooks.unwrapping import unwrapped
from mmdet_liver.errors import input_error

# A stage that thaws below this share of its first learning rate hardly moves any more.
LOW_LR_SHARE = 0.01


@HOOKS.register_module()
class StepwiseUnfreezeHook(Hook):
    """Freeze as many stages of `model.backbone` as `schedule` says, epoch by epoch.

    Frozen means without gradient and, but for `norm_stats`, with BatchNorm in eval mode:
    weights and running statistics stay bit-equal. What is frozen, and the factors on
    learning rates, follow from the epoch alone, so a resumed run agrees with an
    uninterrupted one.

    Build the backbone with `frozen_stages=-1`: MMEngine leaves parameters that are frozen
    at build time out of an optimizer with `paramwise_cfg`. In distributed training
    put `find_unused_parameters = True` into the config.

    Args:
        schedule: pairs (start, frozen stages), starts rising from 0. Frozen stages:
            4 is the stem and layer1 to layer4, 0 the stem alone, -1 nothing.
        unit: of the starts: 'epoch', 0-based; or 'fraction' of the run in [0, 1), which
            means the first epoch e with e / max_epochs >= start, and in an
            iteration-based loop the first iteration i with i / max_iters >= start.
        fresh_lr_factor: on the learning rate of a stage when it thaws, above 0, at most 1.
            Below 1 the optimizer needs a parameter group for each parameter, as any
            `paramwise_cfg` gives, `dict(bias_lr_mult=1)` for one.
        lr_rise: how long, in the `unit`, that factor rises in a straight line to 1.
        norm_stats: when BatchNorm normalises by the batch and its running statistics
            follow: 'thawed', as its stage trains and unless the backbone's norm_eval is
            set; 'always', also in frozen stages, whose weights alone then stay; 'never'.
    Raises:
        InputError: on a malformed schedule; when training starts, on a backbone,
            optimizer, loop or model wrapper with which a thawed stage would not learn.
    """

    def __init__(
        self,
        schedule: Sequence[Sequence[float]],
        unit: str = 'epoch',
        fresh_lr_factor: float = 1.0,
        lr_rise: float = 0,
        norm_stats: str = 'thawed',
    ) -> None:
        self.schedule = freezing.checked_schedule(schedule, unit)
        stage_rates.check_rise(fresh_lr_factor, lr_rise, unit)
        freezing.check_norm_stats(norm_stats)
        self.unit = unit
        self.fresh_lr_factor, self.lr_rise = fresh_lr_factor, lr_rise
        self.norm_stats = norm_stats
        # Found anew at the start of each training.
        self._thawable: list[nn.Parameter] = []
        self._norm_layers: list[nn.Module] = []
        self._rates: stage_rates.StageRates | None = None

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
        self._norm_layers = freezing.norm_layers(backbone, self.norm_stats)
        self._warn_of_unreached(runner)
        self._detach_rates()  # of a training that was interrupted
        if self.fresh_lr_factor < 1:
            self._rates = self._attached_rates(runner)
        due = self._due(runner)
        self._set(runner, due)
        self._set_factors(runner)
        runner.logger.info(self._report(runner, f'{due}'))

    def after_train(self, runner: Runner) -> None:
        self._detach_rates()

    def _detach_rates(self) -> None:
        if self._rates:
            self._rates.detach()
            self._rates = None

    def before_train_epoch(self, runner: Runner) -> None:
        self._follow(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        # An iteration-based loop has a single epoch; in others nothing changes within one.
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            self._follow(runner)
        # Not before: the loop calls train() between before_train_epoch and this.
        for layer in self._norm_layers:
            layer.train(self.norm_stats == 'always')

    def _follow(self, runner: Runner) -> None:
        due, backbone = self._due(runner), _backbone(runner)
        self._set_factors(runner)
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

    def _set_factors(self, runner: Runner) -> None:
        if self._rates:
            self._rates.factors = stage_rates.lr_factors_at(
                self._position(runner), self.schedule, self.fresh_lr_factor, self.lr_rise
            )

    def _attached_rates(self, runner: Runner) -> stage_rates.StageRates:
        most = max(frozen for _, frozen in self.schedule)
        stage_of = freezing.stages_by_freezing(
            runner.model, _backbone(runner), self._thawable, most
        )
        wrapper = runner.optim_wrapper
        wrappers = wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]
        return stage_rates.StageRates([w.optimizer for w in wrappers], stage_of)

    def _due(self, runner: Runner) -> int:
        return freezing.frozen_stages_at(self._position(runner), self.schedule)

    def _position(self, runner: Runner) -> float:
        done, total = self._progress(runner)
        return done if self.unit == 'epoch' else done / total

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
        factor_of = {'factor_of': self._rates.factor_of} if self._rates else {}
        rates = freezing.learning_rates(backbone, _param_groups(runner), **factor_of)
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
