"""A sheet of test images with predictions over the ground truth, of every kind of outcome."""

from itertools import zip_longest
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image, ImageOps

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.files import whole_file
from mmdet_liver.taxonomy import color_of

KINDS = ('correct', 'missed', 'over-detected', 'confused', 'lesion-free')
_COLUMNS = 4
_TILE_PX = 400
_DPI = 100
_OUTLINE = [withStroke(linewidth=2, foreground='black')]


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
    head = 70  # pixels above the tiles, for title and legend
    width, height = _COLUMNS * _TILE_PX, rows * _TILE_PX + head
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor='white')
    for place, (number, kind) in enumerate(chosen):
        row, column = divmod(place, _COLUMNS)
        bottom = height - head - (row + 1) * _TILE_PX
        tile = ((column * _TILE_PX + 6) / width, (bottom + 6) / height)
        size = ((_TILE_PX - 12) / width, (_TILE_PX - 52) / height)
        axes = figure.add_axes((*tile, *size))
        _draw_image(axes, read_image(image_paths[number]))
        _draw_boxes(axes, evaluation, number)
        _write_caption(axes, evaluation, number, kind, tallies[number])
    _draw_legend(figure, evaluation, height)
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, metadata={'Software': None})


def image_tallies(evaluation: Evaluation) -> np.ndarray:
    """(images, 4) counts at the score threshold: correct, missed, over-detected, confused."""
    outcomes = evaluation.outcomes
    size = len(evaluation.truth.image_ids)
    shown = outcomes.score >= evaluation.score_thr
    found = outcomes.row > 0
    right = outcomes.row == outcomes.column

    def count(which: np.ndarray) -> np.ndarray:
        return np.bincount(outcomes.image[shown & which], minlength=size)

    missed = np.diff(evaluation.truth.lesions.offsets) - count(found)
    return np.stack([count(right), missed, count(~found), count(found & ~right)], axis=1)


def choose_tiles(tallies: np.ndarray, tiles: int) -> list[tuple[int, str]]:
    """A fair mix of images, each with its kind: the kinds take turns until all are dealt.

    An image is of its gravest kind: confused, over-detected, missed, then correct or,
    with nothing in it and nothing found, lesion-free. Within a kind the choice is spread
    evenly over the data set. Same data, same choice.

    Args:
        tallies: (images, 4) of `image_tallies`.
    Returns:
        (image number, kind), in the order of KINDS.
    """
    kinds = np.full(len(tallies), KINDS.index('lesion-free'))
    for k in (0, 1, 2, 3):  # the later ones are graver
        kinds[tallies[:, k] > 0] = k
    decks = [_spread(np.flatnonzero(kinds == k), tiles) for k in range(len(KINDS))]
    dealt = [
        (k, int(number))
        for hand in zip_longest(*decks)
        for k, number in enumerate(hand)
        if number is not None
    ]
    return [(number, KINDS[k]) for k, number in sorted(dealt[:tiles])]


def read_image(path: Path) -> np.ndarray:
    """Read an image as (H, W, 3) uint8, turned as its EXIF says, 16 bits scaled to 8.

    Raises:
        InputError: if it is missing or damaged.
    """
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode in ('I', 'F') or image.mode.startswith('I;16'):
                return _stretched(np.asarray(image, np.float64))
            return np.asarray(image.convert('RGB'))
    except FileNotFoundError:
        raise input_error(path, 'no such image', 'a file', 'check the image folder') from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise input_error(
            path, f'no readable image ({error})', 'an intact image', 'export it again'
        ) from None


def _spread(numbers: np.ndarray, count: int) -> np.ndarray:
    # At most `count` of them, the first picks being evenly spaced as well as the whole.
    if not len(numbers):
        return numbers
    places = np.unique(np.linspace(0, len(numbers) - 1, min(count, len(numbers))).astype(int))
    order = sorted(range(len(places)), key=lambda i: (f'{i:032b}'[::-1], i))
    return numbers[places[order]]


def _stretched(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    grey = np.round((values - low) / max(high - low, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _draw_image(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image)
    axes.set_xlim(-0.5, image.shape[1] - 0.5)
    axes.set_ylim(image.shape[0] - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_anchor('N')


def _draw_boxes(axes: Axes, evaluation: Evaluation, number: int) -> None:
    truth, found = evaluation.truth, evaluation.detections
    own = slice(*truth.lesions.offsets[number : number + 2])
    for box, label in zip(truth.lesions.boxes[own], truth.lesions.classes[own], strict=True):
        _draw_box(axes, box, _color(truth.labels[label]), '-', 2.0)
    shown = (found.image == number) & (found.scores >= evaluation.score_thr) & (found.scores > 0)
    for i in np.flatnonzero(shown):
        name = truth.labels[found.classes[i]]
        _draw_box(axes, found.boxes[i], _color(name), (0, (3, 2)), 1.6)
        x, y = np.clip(found.boxes[i, :2], 0, [axes.get_xlim()[1], axes.get_ylim()[0]])
        axes.annotate(
            f'{name} {found.scores[i]:.2f}',
            (x, y),
            xytext=(0, 2),
            textcoords='offset points',
            color=_color(name),
            fontsize=8,
            clip_on=False,
            path_effects=_OUTLINE,
        )


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
    name = Path(evaluation.truth.file_names[number]).name
    name = name if len(name) <= 40 else f'{name[:18]}…{name[-21:]}'
    text = ', '.join(counts) if counts else kind
    axes.set_title(f'{text}\n{name}', fontsize=9, loc='left', pad=3, linespacing=1.3)


def _draw_legend(figure: Figure, evaluation: Evaluation, height: int) -> None:
    handles = [Line2D([], [], color=_color(n), lw=6, label=n) for n in evaluation.truth.labels[1:]]
    handles += [
        Line2D([], [], color='0.3', lw=2, label='ground truth'),
        Line2D([], [], color='0.3', lw=1.6, ls=(0, (3, 2)), label='prediction, with its score'),
    ]
    title = f'score ≥ {evaluation.score_thr:g}, IoU ≥ {evaluation.iou_thr:g}'
    figure.text(0.005, 1 - 14 / height, title, va='top', fontsize=12)
    figure.legend(
        handles=handles,
        loc='upper right',
        bbox_to_anchor=(0.998, 1 - 4 / height),
        ncols=min(len(handles), 8),
        frameon=False,
        fontsize=11,
    )


def _color(name: str) -> tuple[float, ...]:
    return tuple(v / 255 for v in color_of(name))
