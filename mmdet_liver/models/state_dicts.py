"""Comparing state dicts: what a checkpoint lacks, has too much, or holds in another shape."""

from collections.abc import Mapping

from torch import Tensor

# A counter that torch adds to BatchNorm and older checkpoints lack; torch fills it in.
COUNTER = 'num_batches_tracked'


def mismatches(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Tensors of `wanted` that `found` lacks or holds in another shape, and those left over.

    A missing `num_batches_tracked` is none: no result depends on it.
    """
    found = {name.removeprefix('module.'): tensor for name, tensor in found.items()}
    missing = [f'{name} missing' for name in wanted if name not in found and COUNTER not in name]
    reshaped = [
        f'{name} {tuple(found[name].shape)} instead of {tuple(tensor.shape)}'
        for name, tensor in wanted.items()
        if name in found and found[name].shape != tensor.shape
    ]
    return reshaped + missing + [f'{name} unknown' for name in found if name not in wanted]
