"""Backbone weights from a pretraining checkpoint: all of them, or an error.

MMEngine's `Pretrained` loads what happens to fit and only logs the rest, so a backbone
of another width trains from random weights unnoticed.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path

from mmengine.logging import print_log
from mmengine.model import update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import CheckpointLoader, find_latest_checkpoint
from torch import Tensor, nn

from mmdet_liver.errors import InputError, input_error
from mmdet_liver.models.state_dicts import mismatches

# Classifiers that a checkpoint may carry beside its backbone; no detector wants them.
HEADS = ('fc.', 'head.', 'classifier.')
SHOWN = 4


@WEIGHT_INITIALIZERS.register_module()
class SelfSupPretrained:
    """`init_cfg=dict(type='SelfSupPretrained', checkpoint=...)`: a strict `Pretrained`.

    Every tensor of the module must be in the checkpoint with the same shape, and the
    checkpoint must hold no others under the prefix, classification heads apart. What
    was loaded stays: initialisers of the module's parts do not run any more.

    Args:
        checkpoint: file of a run of tools/pretrain.py, or its work folder, which stands
            for the last one saved there. A URL or `torchvision://` is downloaded, as by
            `Pretrained`; nothing else is.
        prefix: start of the module's keys in the checkpoint; '' or None for a bare one,
            as torchvision's are.
        map_location: where tensors are read to, as in `torch.load`.
    Raises:
        InputError: when called, naming the file and the first tensors that do not match.
    """

    def __init__(
        self,
        checkpoint: str,
        prefix: str | None = 'backbone.',
        map_location: str = 'cpu',
    ) -> None:
        self.checkpoint = checkpoint
        self.prefix = prefix or ''
        self.map_location = map_location

    def __call__(self, module: nn.Module) -> None:
        _check_is_last(module)
        source = checkpoint_file(self.checkpoint)
        found = tensors_under(read_state_dict(source, self.map_location), self.prefix, source)
        load_all(module, found, source)
        _keep_loaded(module)
        message = f'{len(found)} tensors of {type(module).__name__} loaded from {source}'
        print_log(message, logger='current')
        if hasattr(module, '_params_init_info'):  # only while MMEngine initialises a model
            update_init_info(module, init_info=f'{type(self).__name__}: load from {source}')


def checkpoint_file(checkpoint: str) -> str:
    """The file that `checkpoint` names; a work folder names the last one saved in it."""
    path = Path(checkpoint).expanduser()
    if '://' in str(checkpoint) or path.is_file():
        return str(checkpoint)
    folder = path if path.is_dir() else path.parent
    last = find_latest_checkpoint(str(folder)) if (folder / 'last_checkpoint').is_file() else None
    # By its name only: the folder may have been moved since.
    last = folder / Path(last).name if last else None
    if path.is_dir() and last and last.is_file():
        return str(last)
    remedy = 'run tools/pretrain.py first, or set init_cfg.checkpoint to where its result is'
    if last and last.is_file():
        remedy = f'this folder holds {last.name}: name it, or the folder alone'
    raise input_error(path, 'no checkpoint', 'a file of a pretraining run or its folder', remedy)


def read_state_dict(source: str, map_location: str) -> dict[str, Tensor]:
    """The tensors of a checkpoint of MMEngine, or of a plain state dict.

    Raises:
        InputError: if the file is no checkpoint.
    """
    expected, remedy = 'a checkpoint with tensors by name', 'pretrain again or give another file'
    try:
        content = CheckpointLoader.load_checkpoint(source, map_location=map_location)
    except (RuntimeError, EOFError, pickle.UnpicklingError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        found = f'no readable checkpoint ({reason})'
        raise input_error(source, found, expected, remedy) from None
    tensors = content.get('state_dict', content) if isinstance(content, Mapping) else {}
    if not any(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise input_error(source, 'no tensors', expected, remedy)
    return {
        name.removeprefix('module.'): tensor
        for name, tensor in tensors.items()
        if isinstance(tensor, Tensor)
    }


def tensors_under(tensors: Mapping[str, Tensor], prefix: str, source: str) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix`, without it and without heads' tensors.

    Raises:
        InputError: if there are none; names the prefixes there are.
    """
    found = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    if not found:
        starts = sorted({name.split('.')[0] for name in tensors})
        raise input_error(
            source,
            f'names that start with {", ".join(starts[:8])}',
            f'some that start with {prefix!r}',
            "set init_cfg.prefix (prefix='' for a bare backbone)",
        )
    heads = sorted(name for name in found if name.startswith(HEADS))
    if heads:
        print_log(f'{source}: left out {", ".join(heads)} (a classifier)', logger='current')
    return {name: tensor for name, tensor in found.items() if name not in heads}


def load_all(module: nn.Module, found: Mapping[str, Tensor], source: str) -> None:
    """Load `found` into `module`, which must fit exactly.

    Raises:
        InputError: naming the first tensors that are reshaped, missing or unknown;
            the module is then as it was.
    """
    own = module.state_dict()
    problems = mismatches(found, own)
    if problems:
        shown = '; '.join(problems[:SHOWN]) + ('; ...' if len(problems) > SHOWN else '')
        raise input_error(
            source,
            f'{len(problems)} tensors that do not fit {type(module).__name__} ({shown})',
            f'its {len(own)} tensors, each with its shape',
            'use the same type, depth and base_channels in both configs, or the right prefix',
        )
    module.load_state_dict({**own, **found})


def _keep_loaded(module: nn.Module) -> None:
    # MMEngine runs every initialiser but its own `Pretrained` before those of the
    # module's parts, which would overwrite what was just loaded (ConvModule does).
    for part in module.modules():
        if part is not module and hasattr(part, 'init_weights'):
            part.is_init = True
    # MMPretrain's ResNet zeroes the last norm of each block even later.
    if getattr(module, 'zero_init_residual', False):
        module.zero_init_residual = False


def _check_is_last(module: nn.Module) -> None:
    # MMEngine runs a list of initialisers in its order.
    init_cfg = getattr(module, 'init_cfg', None)
    earlier = init_cfg[:-1] if isinstance(init_cfg, (list, tuple)) else []
    if any(cfg['type'] in ('SelfSupPretrained', SelfSupPretrained) for cfg in earlier):
        raise InputError(
            f'init_cfg of {type(module).__name__}: SelfSupPretrained must be the last of the '
            'list, since the others would overwrite what it loads'
        )
