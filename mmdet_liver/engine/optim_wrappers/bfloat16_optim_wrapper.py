"""Training in bfloat16 on a CPU or GPU; MMEngine's AmpOptimWrapper insists on a GPU.

In MMEngine's root registry, so that a pretraining run finds it as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Compute the loss under autocast to bfloat16, on the device that the model is on.

    Weights, gradients and the optimizer's state stay float32. bfloat16 has the range of
    float32, so that there is no loss scale. Validation and testing stay as they were. Pays
    on processors with bfloat16 units (AVX512-BF16, AMX), most with `ChannelsLastHook`; on
    others it is slower than float32 (docs/training_speed.md). Arguments: OptimWrapper's.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, around what OptimWrapper does for the accumulation of gradients."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), autocast(device_type=device, dtype=torch.bfloat16):
            yield
