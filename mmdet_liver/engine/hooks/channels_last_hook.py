"""Channels-last memory for the model and its inputs; MMEngine has no switch for it.

In MMEngine's root registry, so that a pretraining run finds it as well.
"""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, nn

from mmdet_liver.engine.hooks.unwrapping import unwrapped
from mmdet_liver.errors import input_error


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keep images and convolution weights as (N, H, W, C) in memory; shapes stay (N, C, H, W).

    GPUs with tensor cores want convolutions in half precision so. Results are equal up to
    rounding. Checkpoints fit runs with and without the hook, either way round; it takes
    part in validation and testing too.

    Args:
        training_only: validate and test in the usual layout, for models whose decoder wants
            contiguous maps (MMDetection's CenterNetHead calls `view` on them).
    Raises:
        InputError: if the model has no data_preprocessor, which hands the inputs over.
    """

    priority = 'HIGH'  # before EMAHook copies the model

    def __init__(self, training_only: bool = False) -> None:
        self.training_only = training_only
        self._handle: Any = None

    def before_run(self, runner: Runner) -> None:
        """Convert the weights in place, before a checkpoint is copied into them."""
        model = unwrapped(runner.model)
        preprocessor = getattr(model, 'data_preprocessor', None)
        if not isinstance(preprocessor, nn.Module):
            raise input_error(
                'ChannelsLastHook',
                f'{type(model).__name__} without a data_preprocessor',
                "a model of MMEngine's BaseModel",
                'leave the hook out',
            )
        self._convert(runner)

    def before_train(self, runner: Runner) -> None:
        """Convert what the loading of a checkpoint brought in the other layout."""
        unwrapped(runner.model).to(memory_format=torch.channels_last)
        for optimizer in _optimizers(runner.optim_wrapper):
            convert_optimizer_state(optimizer)

    def before_val_epoch(self, runner: Runner) -> None:
        """With `training_only` back to the usual layout."""
        if self.training_only:
            self.after_run(runner)
            unwrapped(runner.model).to(memory_format=torch.contiguous_format)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """With `training_only` on with the training."""
        if self.training_only:
            self._convert(runner)

    def before_test_epoch(self, runner: Runner) -> None:
        """As before a validation."""
        self.before_val_epoch(runner)

    def after_run(self, runner: Runner) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None

    def _convert(self, runner: Runner) -> None:
        # MMEngine calls before_run for each of train, val and test.
        self.after_run(runner)
        model = unwrapped(runner.model)
        model.to(memory_format=torch.channels_last)
        self._handle = model.data_preprocessor.register_forward_hook(_convert_inputs)


def channels_last(value: Any) -> Any:
    """Images, or lists of them (views), in channels-last memory; what has not 4 axes as it is."""
    if isinstance(value, (list, tuple)):
        return type(value)(channels_last(item) for item in value)
    if isinstance(value, Tensor) and value.ndim == 4:
        return value.contiguous(memory_format=torch.channels_last)
    return value


def convert_optimizer_state(optimizer: torch.optim.Optimizer) -> None:
    """Give momenta the layout of their parameters, which fused optimizers ask for."""
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = channels_last(value)


def _convert_inputs(module: nn.Module, args: tuple, output: Any) -> Any:
    # A plain function: EMAHook deep-copies the model with its forward hooks.
    if isinstance(output, dict) and 'inputs' in output:
        return {**output, 'inputs': channels_last(output['inputs'])}
    return output


def _optimizers(optim_wrapper: Any) -> Iterator[torch.optim.Optimizer]:
    # An OptimWrapperDict holds several wrappers by name.
    wrappers = getattr(optim_wrapper, 'optim_wrappers', None) or {'': optim_wrapper}
    for wrapper in wrappers.values():
        yield wrapper.optimizer
