"""From a CenterNet and its data set to the heat maps of one image, leaving both as they are.

Only public parts of the model are used: its data preprocessor, `extract_feat`, and the
head's `forward`, `get_targets`, `loss_by_feat` and `predict_by_feat`.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from mmdet.models.dense_heads import CenterNetHead
from mmengine.dataset import pseudo_collate
from mmengine.runner import autocast
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdet_liver.errors import input_error
from mmdet_liver.heatmaps.choosing import choose_images, find_images
from mmdet_liver.heatmaps.maps import Boxes, ImageHeatmaps

_Levels = tuple[list[Tensor], list[Tensor], list[Tensor]]


def require_centernet(model: nn.Module) -> None:
    """Refuse a detector (without wrappers) whose head predicts no heat map of centres.

    Raises:
        InputError: naming the head.
    """
    head = getattr(model, 'bbox_head', None)
    if not isinstance(head, CenterNetHead):
        raise input_error(
            f'model ({type(model).__name__})',
            f'the head {type(head).__name__}' if head is not None else 'no bbox_head',
            'LesionCenterNetHead or CenterNetHead, which predict heat maps',
            'use heat maps with a CenterNet only',
        )


def class_names(dataset: Any) -> tuple[str, ...]:
    """The classes of a data set, or of the first part of a joined one."""
    metainfo = dataset.metainfo
    return tuple((metainfo[0] if isinstance(metainfo, list) else metainfo)['classes'])


def chosen_images(dataset: Any, count: int, wanted: Sequence[str] | None = None) -> list[int]:
    """Image numbers: those of the named files, or `count` spread over the data set.

    Raises:
        InputError: if a name fits no image, or more than one.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    if wanted:
        return find_images([info['img_path'] for info in infos], wanted)
    return choose_images([_labels(info['instances']) for info in infos], count)


@torch.no_grad()
def read_heatmaps(
    model: nn.Module, dataset: Any, number: int, *, max_peaks: int, fp16: bool = False
) -> ImageHeatmaps:
    """Run `model` on one image, in the way that validation does.

    Args:
        model: a CenterNet, without wrappers and in eval mode.
        dataset: MMDetection's; a pipeline for testing, which may resize and pad.
        number: of the image.
        max_peaks: peaks kept, the highest ones.
        fp16: under autocast, as a `ValLoop` with `fp16=True`.
    Raises:
        InputError: if the pipeline flips the image.
    """
    with _random_state_kept():
        item, info = dataset[number], dataset.get_data_info(number)
    batch = model.data_preprocessor(pseudo_collate([item]), training=False)
    with autocast(enabled=fp16):
        levels = model.bbox_head(model.extract_feat(batch['inputs']))
    levels = tuple([level.float() for level in kind] for kind in levels)
    meta = {
        'border': (0, 0, 0, 0),  # the stock head demands one
        'fully_annotated': info.get('fully_annotated'),  # the loss may heed it
        **batch['data_samples'][0].metainfo,
    }
    truth, ignored = _truth(info, meta, levels[0][0])
    target, center_loss = _target(model.bbox_head, levels[0][0], truth, meta)
    return ImageHeatmaps(
        name='/'.join(PurePath(info['img_path']).parts[-2:]),
        image=_input_image(item['inputs'], meta['batch_input_shape']),
        content=_content(meta),
        target=target,
        predicted=levels[0][0][0].cpu().numpy(),
        lesions=_boxes(truth),
        ignored=ignored.bboxes.cpu().numpy(),
        peaks=_peaks(model.bbox_head, levels, meta, max_peaks),
        losses=_losses(model.bbox_head, levels, truth, ignored, meta),
        center_loss=center_loss,
    )


@contextmanager
def _random_state_kept() -> Iterator[None]:
    """What a pipeline draws inside is not missing in the training's own sequence."""
    python, numpy, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(torch_state)


def _labels(instances: Sequence[dict]) -> list[int]:
    return [each['bbox_label'] for each in instances if not each.get('ignore_flag')]


def _truth(info: dict, meta: dict, like: Tensor) -> tuple[InstanceData, InstanceData]:
    """Lesions and ignored regions, in input pixels whatever the order of the pipeline.

    From the data info, in original pixels: a data sample's boxes are in those or in input
    pixels, as `LoadAnnotations` comes after or before `Resize`.
    """
    if meta.get('flip'):
        raise input_error(
            f'the pipeline of the data set, {info["img_path"]}',
            'a flipped image',
            'one for testing, without flips',
            'take RandomFlip out of it',
        )
    kinds = []
    for flag in (0, 1):
        found = [each for each in info['instances'] if each.get('ignore_flag', 0) == flag]
        boxes = like.new_tensor([each['bbox'] for each in found]).reshape(-1, 4)
        scale = like.new_tensor(tuple(meta.get('scale_factor', (1, 1)))).repeat(2)
        labels = torch.tensor([each['bbox_label'] for each in found], dtype=torch.long)
        kinds.append(
            InstanceData(
                bboxes=boxes * scale + like.new_tensor(_shift(meta)).repeat(2),
                labels=labels.to(like.device),
            )
        )
    return kinds[0], kinds[1]


def _target(
    head: CenterNetHead, heatmap: Tensor, truth: InstanceData, meta: dict
) -> tuple[np.ndarray, float]:
    """The target heat map (C, h, w), and the heat map's loss at its centres."""
    target, count = head.get_targets(
        [truth.bboxes], [truth.labels], heatmap.shape, tuple(meta['batch_input_shape'])
    )
    target = target['center_heatmap_target']
    loss = head.loss_center_heatmap(heatmap, target, weight=target.eq(1).float(), avg_factor=count)
    return target[0].cpu().numpy(), float(loss)


def _losses(
    head: CenterNetHead, levels: _Levels, truth: InstanceData, ignored: InstanceData, meta: dict
) -> dict[str, float]:
    losses = head.loss_by_feat(
        *levels,
        batch_gt_instances=[truth],
        batch_img_metas=[meta],
        batch_gt_instances_ignore=[ignored],
    )
    return {name: float(value) for name, value in losses.items() if 'loss' in name}


def _peaks(head: CenterNetHead, levels: _Levels, meta: dict, max_peaks: int) -> Boxes:
    """The head's own predictions, so after what its test_cfg suppresses."""
    found = head.predict_by_feat(*levels, batch_img_metas=[meta], rescale=False)[0]
    found = found[found.scores.argsort(descending=True, stable=True)[:max_peaks]]
    # Predictions are without the border, and the pictures with it.
    found.bboxes = found.bboxes + found.bboxes.new_tensor(_shift(meta)).repeat(2)
    return _boxes(found)


def _boxes(instances: InstanceData) -> Boxes:
    scores = instances.scores.cpu().numpy() if 'scores' in instances else None
    return Boxes(instances.bboxes.cpu().numpy(), instances.labels.cpu().numpy(), scores)


def _shift(meta: dict) -> tuple[float, float]:
    top, _, left, _ = meta['border']
    return float(left), float(top)


def _content(meta: dict) -> tuple[float, float, float, float]:
    """xyxy of the image inside the padded input."""
    left, top = _shift(meta)
    height, width = meta['ori_shape'][:2]
    scale_x, scale_y = meta.get('scale_factor', (1, 1))
    return left, top, left + width * scale_x, top + height * scale_y


def _input_image(inputs: Tensor, input_size: Sequence[int]) -> np.ndarray:
    """(1 or 3, h, w) grey or BGR, 0..255 -> (H, W, 3) uint8 RGB, padded to `input_size`."""
    pixels = inputs.float().clamp(0, 255).round().byte().cpu().numpy().transpose(1, 2, 0)
    canvas = np.zeros((*input_size, 3), np.uint8)
    canvas[: pixels.shape[0], : pixels.shape[1]] = pixels[..., ::-1]
    return canvas
