"""The heat maps of a trained network, from its config and checkpoint."""

from collections.abc import Sequence
from pathlib import Path

from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from torch import nn

from mmdet_liver.errors import input_error
from mmdet_liver.heatmaps.maps import ImageHeatmaps
from mmdet_liver.heatmaps.reading import (
    chosen_images,
    class_names,
    read_heatmaps,
    require_centernet,
)
from mmdet_liver.models.state_dicts import mismatches


def read_config(path: str | Path, options: dict | None = None) -> Config:
    """Read a config and change it by `options`, as `--cfg-options` gives them.

    Raises:
        InputError: if there is no such file.
    """
    if not Path(path).is_file():
        raise input_error(path, 'no such file', 'a config', 'check the path')
    config = Config.fromfile(str(path))
    config.merge_from_dict(options or {})
    return config


def checkpoint_heatmaps(
    config: Config,
    checkpoint: str | Path,
    *,
    num_images: int = 6,
    images: Sequence[str] | None = None,
    max_peaks: int = 5,
    device: str = 'cpu',
) -> tuple[list[ImageHeatmaps], tuple[str, ...]]:
    """Read the heat maps of some images of the config's val set.

    Args:
        config: of the training, as `Config.fromfile` reads it.
        checkpoint: file; of a run with EMA it holds the averaged weights.
        num_images: chosen by `choose_images`, unless `images` names them.
        images: file names, or the last parts of paths.
        max_peaks: peaks of an image.
        device: as torch names it.
    Returns:
        The images' maps, and the names of the classes.
    Raises:
        InputError: if the model is no CenterNet, the checkpoint is missing or does not
            fit, or an image is not found.
    """
    init_default_scope(config.get('default_scope', 'mmdet'))
    model = MODELS.build(config.model)
    require_centernet(model)
    _load(model, checkpoint)
    dataset = DATASETS.build(config.val_dataloader.dataset)
    numbers = chosen_images(dataset, num_images, images)
    model = model.to(device).eval()
    maps = [read_heatmaps(model, dataset, n, max_peaks=max_peaks) for n in numbers]
    return maps, class_names(dataset)


def _load(model: nn.Module, checkpoint: str | Path) -> None:
    if '://' not in str(checkpoint) and not Path(checkpoint).is_file():
        raise input_error(checkpoint, 'no such file', 'a checkpoint', 'check the path')
    content = load_checkpoint(model, str(checkpoint), map_location='cpu')
    problems = mismatches(content.get('state_dict', content), model.state_dict())
    if problems:
        raise input_error(
            checkpoint,
            f'{len(problems)} tensors that do not fit, first {problems[0]}',
            'the architecture of the config',
            'give the config that the checkpoint was trained with',
        )
