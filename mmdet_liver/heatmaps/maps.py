"""The heat maps of one image as arrays, and the numbers that are read off them.

Boxes are xyxy in pixels of the network's input; C classes, maps of h x w cells.
"""

from dataclasses import dataclass

import numpy as np
import torch

from mmdet_liver.models.task_modules.gaussian_targets import cells_covered

# What the losses of CenterNet's head are called on a picture.
LOSS_NAMES = {'loss_center_heatmap': 'heat map', 'loss_wh': 'size', 'loss_offset': 'offset'}
_MOST_LESIONS = 6  # whose values a line of text holds


@dataclass(frozen=True)
class Boxes:
    """N boxes, their classes, and scores where they are predictions (descending)."""

    xyxy: np.ndarray  # (N, 4)
    labels: np.ndarray  # (N,)
    scores: np.ndarray | None = None  # (N,)

    def __len__(self) -> int:
        return len(self.xyxy)


@dataclass(frozen=True)
class ImageHeatmaps:
    """One image as the network sees it, its truth and its prediction.

    `losses` are those of the head on this image alone; `center_loss` is the part of the
    heat map's that arises at the centres of lesions.
    """

    name: str
    image: np.ndarray  # (H, W, 3) uint8 RGB, padding black
    content: tuple[float, float, float, float]  # xyxy of the image inside the padding
    target: np.ndarray  # (C, h, w) in [0, 1], 1 at centres
    predicted: np.ndarray  # (C, h, w) probabilities; NaN where training diverged
    lesions: Boxes
    ignored: np.ndarray  # (M, 4) regions without heat-map loss
    peaks: Boxes
    losses: dict[str, float]
    center_loss: float


@dataclass(frozen=True)
class Response:
    """The highest predicted probability on each lesion and off all of them."""

    on_lesions: tuple[float, ...]  # of any class, in the cells that the lesion's box touches
    own_class: tuple[float, ...]  # of the lesion's own class, in the same cells
    off_lesions: float  # of any class; NaN if there is no such cell


def response_of(maps: ImageHeatmaps) -> Response:
    """Read the response off the predicted map.

    A cell is off the lesions if no lesion and no ignored region touches it and the target
    is 0 there. Padding counts as off. A NaN in the cells looked at gives NaN.
    """
    any_class = maps.predicted.max(axis=0)
    touched = _cells_of(maps.lesions.xyxy, maps)  # (N, h, w)
    own = maps.predicted[maps.lesions.labels]  # (N, h, w)
    known = touched.any(axis=0) | _cells_of(maps.ignored, maps).any(axis=0)
    off = any_class[~known & (maps.target.max(axis=0) == 0)]
    return Response(
        tuple(_highest(any_class[cells]) for cells in touched),
        tuple(_highest(values[cells]) for values, cells in zip(own, touched, strict=True)),
        _highest(off),
    )


def caption(maps: ImageHeatmaps) -> str:
    """The numbers of one image as one line of text."""
    found = response_of(maps)
    return f'{_response_text(found)}; {_loss_text(maps)}'


def _response_text(found: Response) -> str:
    off = f'{found.off_lesions:.2f}'
    if not found.on_lesions:
        return f'no lesion; highest value {off}'
    values = list(map(_lesion_text, found.on_lesions, found.own_class))
    more = f' and {len(values) - _MOST_LESIONS} more' if len(values) > _MOST_LESIONS else ''
    return f'highest value on lesions {", ".join(values[:_MOST_LESIONS])}{more}, off lesions {off}'


def _lesion_text(best: float, own: float) -> str:
    best_text, own_text = f'{best:.2f}', f'{own:.2f}'
    return best_text if own_text == best_text else f'{best_text} (own class {own_text})'


def _loss_text(maps: ImageHeatmaps) -> str:
    total = sum(maps.losses.values())
    shares = []
    for name, value in maps.losses.items():
        shown = LOSS_NAMES.get(name, name.removeprefix('loss_'))
        inside = ''
        if name == 'loss_center_heatmap' and len(maps.lesions):
            inside = f' (centres {_percent(maps.center_loss, total)})'
        shares.append(f'{shown} {_percent(value, total)}{inside}')
    return f'loss {total:.2f}: {", ".join(shares)}'


def _percent(part: float, total: float) -> str:
    return f'{part / total:.0%}' if total else '0%'


def _cells_of(boxes: np.ndarray, maps: ImageHeatmaps) -> np.ndarray:
    """Which cells each box touches, (N, h, w)."""
    height, width = maps.target.shape[1:]
    covered = cells_covered(
        torch.from_numpy(boxes),
        torch.arange(len(boxes)),
        batch=len(boxes),
        map_size=(height, width),
        cell_wh=(maps.image.shape[1] / width, maps.image.shape[0] / height),
    )
    return covered.numpy()


def _highest(values: np.ndarray) -> float:
    return float(values.max()) if values.size else float('nan')
