"""Is the pretraining collapsing? Two numbers of the projector's output, logged while it runs.

A collapsed SimSiam maps every image to one point and has a perfect loss of -1, so the
loss does not tell.
"""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor
from torch.nn import functional

from mmdet_liver.engine.hooks.unwrapping import unwrapped

ADVICE = (
    'all images are mapped to nearly one point, and the backbone learns nothing; lower the '
    'learning rate, raise the batch size, take out near-duplicates, or use a method with '
    'negatives (MMPretrain: SimCLR, MoCo v2, DenseCL)'
)


@HOOKS.register_module()
class CollapseMonitorHook(Hook):
    """Log the spread of `model.neck`'s outputs and warn, once a run, when they collapse.

    Written every `interval` iterations, to the log and all visualisation backends:

    - `selfsup/output_std`: `output_std` below; 1 / sqrt(d) is healthy, 0 is collapse;
    - `selfsup/output_std_ratio`: the same times sqrt(d), healthy near 1 whatever d is;
    - `selfsup/effective_rank`: `effective_rank` below, at most min(batch size, d).

    The outputs are those of the training step itself (its last view), no second forward
    pass. Distributed: of each rank's own part of the batch; rank 0's is logged.

    Args:
        interval: iterations between two checks.
        thr: `output_std_ratio` under which a check counts as collapsed. BatchNorm
            at the end of the projector keeps it near 1 in a healthy run.
        patience: consecutive collapsed checks before the warning. A resumed run counts
            anew; nothing else hangs on the past.
    """

    def __init__(self, interval: int = 50, thr: float = 0.3, patience: int = 3) -> None:
        if interval < 1 or patience < 1:
            raise ValueError(
                f'interval and patience must be 1 or more, got {interval} and {patience}'
            )
        self.interval = interval
        self.thr = thr
        self.patience = patience
        self._outputs: Tensor | None = None
        self._handle: Any = None
        self._collapsed = 0  # consecutive checks
        self._warned = False

    def before_train(self, runner: Runner) -> None:
        model = unwrapped(runner.model)
        if getattr(model, 'neck', None) is None:
            raise ValueError(
                f'CollapseMonitorHook watches model.neck, and {type(model).__name__} has none; '
                'take the hook out of custom_hooks'
            )
        self._handle = model.neck.register_forward_hook(self._keep)

    def _keep(self, module: torch.nn.Module, inputs: tuple, outputs: Tensor | tuple) -> None:
        z = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
        self._outputs = z.detach()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        z, self._outputs = self._outputs, None
        if z is None or not self.every_n_train_iters(runner, self.interval):
            return
        std = output_std(z)
        ratio = std * math.sqrt(z.shape[1])
        values = {'output_std': std, 'output_std_ratio': ratio, 'effective_rank': effective_rank(z)}
        for name, value in values.items():
            runner.message_hub.update_scalar(f'train/selfsup/{name}', value)
        self._warn_on_collapse(runner, ratio)

    def _warn_on_collapse(self, runner: Runner, ratio: float) -> None:
        # `not >=`, so that NaN counts as collapsed.
        self._collapsed = self._collapsed + 1 if not ratio >= self.thr else 0
        if self._collapsed >= self.patience and not self._warned:
            self._warned = True
            runner.logger.warning(
                f'the pretraining has collapsed: output_std_ratio {ratio:.3f} is below {self.thr} '
                f'for {self.patience} checks; {ADVICE}'
            )

    def after_train(self, runner: Runner) -> None:
        self._handle.remove()


def output_std(z: Tensor) -> float:
    """Standard deviation over the batch of l2-normalised outputs, mean over dimensions.

    Args:
        z: (N, D) outputs of the projector.
    Returns:
        0 if all outputs are one direction; about 1 / sqrt(D) if they point everywhere.
    Source: Chen and He, arXiv:2011.10566, section 4.1 and figure 2.
    """
    unit = functional.normalize(z.double(), dim=1)
    return float(unit.std(dim=0, correction=0).mean())


def effective_rank(z: Tensor) -> float:
    """How many directions the l2-normalised outputs use: exp of the singular values' entropy.

    Not centred: outputs that crowd around one direction count as few directions.

    Args:
        z: (N, D) outputs of the projector.
    Returns:
        From 1 (one direction) to min(N, D) (orthogonal ones, equally strong); NaN if
        `z` is not finite.
    Source: Roy and Vetterli, "The effective rank", EUSIPCO 2007.
    """
    unit = functional.normalize(z.double(), dim=1)
    if not torch.isfinite(unit).all():
        return math.nan
    singular = torch.linalg.svdvals(unit)
    share = singular / singular.sum().clamp(min=torch.finfo(singular.dtype).tiny)
    return float(torch.exp(torch.special.entr(share).sum()))
