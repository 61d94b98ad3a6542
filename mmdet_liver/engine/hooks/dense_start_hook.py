"""A dense loss that begins in time, for DenseCL on few images."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from mmdet_liver.errors import input_error


@HOOKS.register_module()
class DenseStartHook(Hook):
    """Shorten the warm-up of MMPretrain's `DenseCLHook` to a share of the run.

    That hook keeps the dense loss at 0 for its `start_iters`, 1000 steps by default. A run of
    fewer steps would never train it, and no log would say so.

    Args:
        max_share: longest warm-up as a share of the run's iterations, in [0, 1). The default
            is ours.
    Raises:
        InputError: for a share outside its range; when training starts, without `DenseCLHook`.
    """

    def __init__(self, max_share: float = 0.1) -> None:
        if not 0 <= max_share < 1:
            raise input_error(
                'DenseStartHook', f'max_share={max_share}', '0 to below 1', 'correct the config'
            )
        self.max_share = max_share

    def before_train(self, runner: Runner) -> None:
        # Not above: a detector's process, which registers this too, needs no MMPretrain.
        from mmpretrain.engine import DenseCLHook

        hooks = [hook for hook in runner.hooks if isinstance(hook, DenseCLHook)]
        if not hooks:
            raise input_error(
                'DenseStartHook',
                'no DenseCLHook in custom_hooks',
                'the hook whose warm-up is to be shortened',
                "add dict(type='DenseCLHook')",
            )
        for hook in hooks:
            start = dense_start(hook.start_iters, self.max_share, runner.max_iters)
            if start != hook.start_iters:
                runner.logger.info(
                    f'start_iters of the dense loss {hook.start_iters} -> {start}, of '
                    f'{runner.max_iters} iterations'
                )
                hook.start_iters = start


def dense_start(wanted: int, max_share: float, iterations: int) -> int:
    """First iteration with the dense loss: `wanted`, or sooner where the run is short."""
    return min(wanted, int(max_share * iterations))
