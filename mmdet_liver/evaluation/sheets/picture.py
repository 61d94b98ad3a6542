"""One image with the lesions drawn and those predicted: how every sheet shows it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mmdet_liver.evaluation.arrays import Annotations
from mmdet_liver.evaluation.figures.classes import class_colors
from mmdet_liver.evaluation.figures.fonts import class_label
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.sheets.labels import LabelPlacer

NOT_COUNTED = (0.65, 0.65, 0.65)
DASHES, DOTS = (0, (3, 2)), (0, (1, 1.2))
MOST_BOXES = 12  # predictions drawn on an image: an untrained model has hundreds
_THICK = 3.4


@dataclass(frozen=True)
class Emphasis:
    """What a picture is about, drawn thick; `below` are predictions under the threshold.

    All are indices into the evaluation's lesions and detections.
    """

    lesions: Collection[int] = ()
    detections: Collection[int] = ()
    below: Collection[int] = ()


def draw_picture(
    axes: Axes,
    image: np.ndarray,
    evaluation: Evaluation,
    number: int,
    emphasis: Emphasis = Emphasis(),
) -> None:
    """Draw image `number` with its annotations and its predictions at the score threshold."""
    _draw_image(axes, image)
    truth, found = evaluation.truth, evaluation.detections
    colors = (NOT_COUNTED, *class_colors(truth.labels[1:]))
    for annotations in (truth.ignored, truth.crowds):
        for i in _of_image(annotations, number):
            _draw_box(axes, annotations.boxes[i], NOT_COUNTED, '-', 1.0)
    for i in _of_image(truth.lesions, number):
        width = _THICK if i in emphasis.lesions else 2.0
        _draw_box(axes, truth.lesions.boxes[i], colors[truth.lesions.classes[i]], '-', width)
    placer = LabelPlacer(axes)
    for i in _drawn(evaluation, number, emphasis):
        color, box = colors[found.classes[i]], found.boxes[i]
        style = DOTS if i in emphasis.below else DASHES
        _draw_box(axes, box, color, style, _THICK if i in emphasis.detections else 1.6)
        name = class_label(truth.labels[found.classes[i]], int(found.classes[i]))
        placer.write(f'{name} {found.scores[i]:.2f}', box, color)


def shown_detections(evaluation: Evaluation, number: int) -> np.ndarray:
    """Indices of the image's predictions that reach the threshold, the highest score first."""
    found = evaluation.detections
    own = (found.image == number) & (found.scores >= evaluation.score_thr) & (found.scores > 0)
    own = np.flatnonzero(own)
    return own[np.argsort(-found.scores[own], kind='stable')]


def _drawn(evaluation: Evaluation, number: int, emphasis: Emphasis) -> list[int]:
    # What the picture is about comes first: it has the best place for its label.
    about = [*emphasis.detections, *emphasis.below]
    others = [i for i in shown_detections(evaluation, number)[:MOST_BOXES] if i not in about]
    return about + others


def _draw_image(axes: Axes, image: np.ndarray) -> None:
    # As the network sees it, so without stretching the grey levels.
    rgb = image[..., ::-1] if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    axes.imshow(rgb)
    axes.set_xlim(-0.5, image.shape[1] - 0.5)
    axes.set_ylim(image.shape[0] - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_anchor('NW')


def _of_image(annotations: Annotations, number: int) -> range:
    return range(*annotations.offsets[number : number + 2])


def _draw_box(axes: Axes, box: np.ndarray, color: tuple, style: object, width: float) -> None:
    # The corner of a pixel is half a pixel from its centre, where imshow has whole numbers.
    corner = (box[0] - 0.5, box[1] - 0.5)
    patch = Rectangle(corner, box[2] - box[0], box[3] - box[1], fill=False)
    patch.set(edgecolor=color, linestyle=style, linewidth=width)
    axes.add_patch(patch)
