"""A queue of negatives that fits the data, for DenseCL and MoCo."""

import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn
from torch.nn import functional

from mmdet_liver.engine.hooks.unwrapping import unwrapped
from mmdet_liver.errors import input_error


@HOOKS.register_module()
class QueueLengthHook(Hook):
    """Shorten the model's queue so that few images meet older views of themselves in it.

    MMPretrain's DenseCL and MoCo keep the keys of the last `queue_len` images as
    negatives, 65,536 by default: on a smaller data set every image would be pushed away
    from several stale copies of itself. They also need a whole number of batches.

    Args:
        max_share: longest queue as a share of the images of an epoch. Epochs are shuffled
            anew, so that an image is in a queue of this share s of its data set with the
            chance s * s / 2: 1 in 8 for a half, 1 in 2 for all.
    Raises:
        InputError: before training, if the model has no queue, the data set not one whole
            batch, or batches can be of different size.
    """

    def __init__(self, max_share: float = 0.5) -> None:
        if not 0 < max_share <= 1:
            raise ValueError(
                f'QueueLengthHook: found max_share {max_share}; expected 0 < max_share <= 1; '
                'a longer queue holds copies of every image'
            )
        self.max_share = max_share

    def before_run(self, runner: Runner) -> None:
        # Before a resumed checkpoint is loaded, whose queue has the fitted length.
        loader, model = runner.train_dataloader, unwrapped(runner.model)
        if not hasattr(model, 'queue_len'):
            raise input_error(
                'QueueLengthHook',
                f'{type(model).__name__} without queue_len',
                'a model with a queue, as DenseCL or MoCo',
                'leave the hook out',
            )
        batch, images = loader.batch_size * get_world_size(), len(loader.dataset)
        if images < batch or (images % batch and not loader.drop_last):
            raise input_error(
                'train_dataloader',
                f'{images} images in batches of {batch}, drop_last={loader.drop_last}',
                'whole batches only, at least one',
                'set drop_last=True and a batch_size of at most the images',
            )
        length = queue_length(model.queue_len, images, batch, self.max_share)
        if length != model.queue_len:
            runner.logger.info(
                f'queue_len {model.queue_len} -> {length}: {images} images in batches of {batch}'
            )
            shorten_queues(model, length)


def queue_length(wanted: int, images: int, batch: int, max_share: float) -> int:
    """The largest number of whole batches up to `wanted` and `max_share` of the images.

    At least one batch, whatever the limits say.
    """
    return max(int(min(wanted, max_share * images)) // batch, 1) * batch


def shorten_queues(model: nn.Module, length: int) -> None:
    """Give every queue of the model `length` random columns of length 1, as at its start."""
    for name, buffer in dict(model.named_buffers(recurse=False)).items():
        if name.startswith('queue') and not name.endswith('ptr'):
            columns = functional.normalize(torch.randn(buffer.shape[0], length), dim=0)
            setattr(model, name, columns.to(buffer))
    model.queue_len = length
