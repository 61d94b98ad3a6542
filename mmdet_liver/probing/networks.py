"""Backbones of checkpoints, and the features they give: the only module here with torch.

Every tensor of the backbone is loaded or the checkpoint is refused, as `SelfSupPretrained`
does; batch statistics are those of the checkpoint.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from mmdet_liver import compat, config_path
from mmdet_liver.errors import input_error
from mmdet_liver.probing.resnet_shapes import resnet_config

compat.install()  # before anything of mmdet is imported

from mmengine.config import Config  # noqa: E402
from mmengine.logging import MMLogger  # noqa: E402
from mmengine.registry import MODELS  # noqa: E402
from mmengine.runner import CheckpointLoader  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401
from mmdet_liver.models.selfsup.self_sup_pretrained import (  # noqa: E402
    checkpoint_file,
    load_all,
    read_state_dict,
    tensors_under,
)

LAST_STAGE = 4
_PREFIX = 'backbone.'
# What a built backbone starts from, or keeps frozen, has no part in what it computes.
_OF_TRAINING = ('init_cfg', 'frozen_stages', 'norm_eval', 'pretrained')


@dataclass(frozen=True)
class Network:
    """A backbone in eval mode and the pixels it expects."""

    backbone: nn.Module
    config: dict  # that it was built from
    mean: tuple[float, ...]  # of the channels, 0..255, in the order the network sees
    std: tuple[float, ...]
    to_rgb: bool
    stage: int  # whose output is taken, 1 to 4
    source: str

    @property
    def architecture(self) -> str:
        """For the reader: 'ResNet18, 32 channels'."""
        name = self.config['type'].split('.')[-1]
        depth, channels = self.config.get('depth', ''), self.config.get('base_channels', 64)
        return f'{name}{depth}, {channels} channels' if name == 'ResNet' else name


def checkpoint_network(
    checkpoint: str, cfg: str | None = None, prefix: str | None = None, stage: int = LAST_STAGE
) -> Network:
    """Load the backbone of a checkpoint of pretraining or of a detector.

    Args:
        checkpoint: file, or work folder of a run (its last checkpoint).
        cfg: config file that names the backbone; that in the checkpoint if None, or for
            a checkpoint without one a ResNet that fits its tensors.
        prefix: start of the backbone's tensors; if None 'backbone.', or none where no
            tensor begins so.
        stage: whose output is taken, 1 to 4.
    Raises:
        InputError: if there is no checkpoint, or its tensors are not the backbone's.
    """
    source = checkpoint_file(checkpoint)
    tensors = read_state_dict(source, 'cpu')
    if prefix is None:
        prefix = _PREFIX if any(name.startswith(_PREFIX) for name in tensors) else ''
    found = tensors_under(tensors, prefix, source)
    config = _config_file(cfg) if cfg else _own_config(source)
    backbone_cfg = _backbone_config(config, found, source)
    backbone = _build(backbone_cfg, stage, source)
    load_all(backbone, found, source)
    return Network(backbone, backbone_cfg, *_pixels(config), stage=stage, source=source)


def random_network(like: Network, seed: int) -> Network:
    """The same architecture with MMEngine's initial weights, every block's at random.

    A ResNet that is to be trained may start with its blocks switched off by a zero in the
    last norm (`zero_init_residual`); its features are worse, and easier to beat.
    """
    is_switchable = hasattr(like.backbone, 'zero_init_residual')
    config = {**like.config, **({'zero_init_residual': False} if is_switchable else {})}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = _build(config, like.stage, like.source)
        backbone.init_weights()
    return replace(like, backbone=backbone, source=f'seed {seed}')


@torch.no_grad()
def pooled_features(
    network: Network, crops: np.ndarray, batch_size: int, device: str, label: str = ''
) -> np.ndarray:
    """(L, D) means over the map of the network's stage, of (L, S, S, 3) BGR uint8 crops."""
    backbone = network.backbone.to(device)
    mean, std = (torch.tensor(v, device=device)[:, None, None] for v in (network.mean, network.std))
    parts = []
    with tqdm(total=len(crops), desc=label, unit='crop', disable=None, leave=False) as bar:
        for start in range(0, len(crops), batch_size):
            batch = crops[start : start + batch_size]
            rgb = batch[..., ::-1] if network.to_rgb else batch
            pixels = torch.from_numpy(np.ascontiguousarray(rgb)).to(device).permute(0, 3, 1, 2)
            outputs = backbone((pixels.float() - mean) / std)
            parts.append(_last(outputs).mean(dim=(2, 3)).float().cpu().numpy())
            bar.update(len(batch))
    return np.concatenate(parts)


@contextmanager
def quiet() -> Iterator[None]:
    """Within it MMEngine logs warnings only: not every tensor that is initialised."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def default_device() -> str:
    return 'cuda' if torch.cuda.is_available() else 'cpu'


def _last(outputs: Tensor | tuple[Tensor, ...]) -> Tensor:
    return outputs if isinstance(outputs, Tensor) else outputs[-1]


def _own_config(source: str) -> Config | None:
    # The config that MMEngine's runner put into the checkpoint; others have none.
    content = CheckpointLoader.load_checkpoint(source, map_location='cpu')
    meta = content.get('meta') if isinstance(content, Mapping) else None
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    return Config.fromstring(text, '.py') if isinstance(text, str) else None


def _config_file(path: str) -> Config:
    if not Path(path).is_file():
        raise input_error(path, 'no such file', 'a config', 'check --cfg')
    return Config.fromfile(path)


def _backbone_config(config: Config | None, found: Mapping[str, Tensor], source: str) -> dict:
    model = (config or {}).get('model') or {}
    if 'backbone' not in model:
        return resnet_config({name: tuple(t.shape) for name, t in found.items()}, source)
    kept = {key: value for key, value in model['backbone'].items() if key not in _OF_TRAINING}
    scope = config.get('default_scope') or 'mmdet'
    kept['type'] = kept['type'] if '.' in kept['type'] else f'{scope}.{kept["type"]}'
    return kept


def _build(config: dict, stage: int, source: str) -> nn.Module:
    scope, _, name = config['type'].partition('.')
    with MODELS.switch_scope_and_registry(scope) as registry:
        backbone = registry.build({**config, 'type': name})
    if hasattr(backbone, 'res_layers'):
        backbone.out_indices = (stage - 1,)
    elif stage != LAST_STAGE:
        raise input_error(
            source,
            f'a {type(backbone).__name__}, which has no ResNet stages',
            f'a ResNet for stage {stage}',
            f'leave the stage at {LAST_STAGE}, the last output',
        )
    backbone.eval()  # which MMDetection's ResNet does not return
    return backbone


def _pixels(config: Config | None) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
    # Mean, standard deviation and whether RGB: of the checkpoint's config, else of ours.
    config = config or {}
    step: Any = (config.get('model') or {}).get('data_preprocessor')
    step = step or config.get('data_preprocessor')
    if step is None:
        ours = Config.fromfile(config_path('_base_/models/input_normalisation'))
        return tuple(ours.pixel_mean), tuple(ours.pixel_std), True
    mean, std = step.get('mean') or (0.0,) * 3, step.get('std') or (1.0,) * 3
    return tuple(mean), tuple(std), bool(step.get('bgr_to_rgb') or step.get('to_rgb'))
