"""A sheet of test images with predictions over the ground truth, of every kind of outcome."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from mmdet_liver.evaluation.arrays import Annotations
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.sheets.labels import LabelPlacer
from mmdet_liver.evaluation.sheets.tiles import KINDS, choose_tiles, image_tallies
from mmdet_liver.files import whole_file
from mmdet_liver.images import read_image
from mmdet_liver.taxonomy import color_of

_COLUMNS = 4
_TILE_PX = (400, 356)  # width, height
_HEAD_PX = 44  # title and legend above the tiles
_CAPTION_PX = 38  # two lines above each image
_MOST_BOXES = 12  # predictions drawn on an image: an untrained model has hundreds
_GREY = (0.65, 0.65, 0.65)
_DASHES = (0, (3, 2))
_DPI = 100


def draw_contact_sheet(
    evaluation: Evaluation, image_paths: list[Path], path: str | Path, tiles: int = 16
) -> None:
    """Draw up to `tiles` images with boxes at the evaluation's score threshold.

    Args:
        image_paths: one path an image of the ground truth, in its order.
    Raises:
        InputError: names an image that is missing or damaged.
    """
    tallies = image_tallies(evaluation)
    chosen = choose_tiles(tallies, tiles)
    rows = -(-len(chosen) // _COLUMNS)
    width, height = _COLUMNS * _TILE_PX[0], rows * _TILE_PX[1] + _HEAD_PX
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor='white')
    for place, (number, kind) in enumerate(chosen):
        row, column = divmod(place, _COLUMNS)
        left, bottom = column * _TILE_PX[0] + 6, (rows - row - 1) * _TILE_PX[1] + 6
        size = ((_TILE_PX[0] - 12) / width, (_TILE_PX[1] - 12 - _CAPTION_PX) / height)
        axes = figure.add_axes((left / width, bottom / height, *size))
        _draw_image(axes, read_image(image_paths[number]))
        _draw_boxes(axes, evaluation, number)
        _write_caption(axes, evaluation, number, kind, tallies[number])
    _draw_legend(figure, evaluation, height)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, metadata={'Software': None})


def _draw_image(axes: Axes, image: np.ndarray) -> None:
    # As the network sees it, so without stretching the grey levels.
    rgb = image[..., ::-1] if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
    axes.imshow(rgb)
    axes.set_xlim(-0.5, image.shape[1] - 0.5)
    axes.set_ylim(image.shape[0] - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_anchor('NW')


def _draw_boxes(axes: Axes, evaluation: Evaluation, number: int) -> None:
    truth, found = evaluation.truth, evaluation.detections
    for annotations in (truth.ignored, truth.crowds):
        for box in annotations.boxes[_of_image(annotations, number)]:
            _draw_box(axes, box, _GREY, '-', 1.0)
    own = _of_image(truth.lesions, number)
    for box, label in zip(truth.lesions.boxes[own], truth.lesions.classes[own], strict=True):
        _draw_box(axes, box, _color(truth.labels[label]), '-', 2.0)
    placer = LabelPlacer(axes)
    for i in _shown(evaluation, number)[:_MOST_BOXES]:
        name = truth.labels[found.classes[i]]
        _draw_box(axes, found.boxes[i], _color(name), _DASHES, 1.6)
        placer.write(f'{name} {found.scores[i]:.2f}', found.boxes[i], _color(name))


def _shown(evaluation: Evaluation, number: int) -> np.ndarray:
    # Indices of the image's predictions that reach the threshold, the highest score first.
    found = evaluation.detections
    own = (found.image == number) & (found.scores >= evaluation.score_thr) & (found.scores > 0)
    own = np.flatnonzero(own)
    return own[np.argsort(-found.scores[own], kind='stable')]


def _of_image(annotations: Annotations, number: int) -> slice:
    return slice(*annotations.offsets[number : number + 2])


def _draw_box(axes: Axes, box: np.ndarray, color: tuple, style: object, width: float) -> None:
    # The corner of a pixel is half a pixel from its centre, where imshow has whole numbers.
    corner = (box[0] - 0.5, box[1] - 0.5)
    patch = Rectangle(corner, box[2] - box[0], box[3] - box[1], fill=False)
    patch.set(edgecolor=color, linestyle=style, linewidth=width)
    axes.add_patch(patch)


def _write_caption(
    axes: Axes, evaluation: Evaluation, number: int, kind: str, tally: np.ndarray
) -> None:
    counts = [f'{n} {word}' for n, word in zip(tally, KINDS, strict=False) if n]
    # With its folder: that is where many exports keep the patient.
    name = '/'.join(Path(evaluation.truth.file_names[number]).parts[-2:])
    name = name if len(name) <= 40 else f'{name[:18]}…{name[-21:]}'
    text = ', '.join(counts) if counts else kind
    if len(_shown(evaluation, number)) > _MOST_BOXES:
        text += f' (best {_MOST_BOXES} drawn)'
    style = {'fontsize': 9, 'linespacing': 1.3, 'parse_math': False}
    axes.set_title(f'{text}\n{name}', loc='left', pad=3, **style)


def _draw_legend(figure: Figure, evaluation: Evaluation, height: int) -> None:
    handles = [Line2D([], [], color=_color(n), lw=6, label=n) for n in evaluation.truth.labels[1:]]
    handles += [
        Line2D([], [], color='0.3', lw=2, label='ground truth'),
        Line2D([], [], color='0.3', lw=1.6, ls=_DASHES, label='prediction, with its score'),
    ]
    if len(evaluation.truth.ignored.boxes) + len(evaluation.truth.crowds.boxes):
        handles.append(Line2D([], [], color=_GREY, lw=1, label='not counted'))
    title = f'score ≥ {evaluation.score_thr:g}, IoU ≥ {evaluation.iou_thr:g}'
    figure.text(0.005, 1 - 12 / height, title, va='top', fontsize=12)
    figure.legend(
        handles=handles,
        loc='upper right',
        bbox_to_anchor=(0.998, 1 - 2 / height),
        ncols=min(len(handles), 8),
        frameon=False,
        fontsize=11,
    )


def _color(name: str) -> tuple[float, ...]:
    return tuple(v / 255 for v in color_of(name))
