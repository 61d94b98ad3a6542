"""A page of tiles with room for captions, under a title and a legend."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mmdet_liver.evaluation.figures.classes import class_colors
from mmdet_liver.evaluation.figures.drawing import house_style
from mmdet_liver.evaluation.figures.fonts import class_label, clipped, drawable, text_columns
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.sheets.picture import DASHES, NOT_COUNTED
from mmdet_liver.files import whole_file

COLUMNS = 4
_TILE_PX = (400, 356)  # width, height
_TITLE_PX, _LEGEND_PX = 34, 24  # the title, and each row of the legend below it
_CAPTION_PX = 38  # two lines above each image
_LONGEST_TEXT, _LONGEST_NAME = 58, 40  # letters
_DPI = 100


def draw_page(
    evaluation: Evaluation,
    title: str,
    count: int,
    draw_tile: Callable[[Axes, int], None],
    path: str | Path,
    extra: tuple[Line2D, ...] = (),
) -> None:
    """Write a PNG of `count` tiles, whole or not at all; the same tiles give the same bytes.

    Args:
        draw_tile: called with the axes of each tile and its place, 0 to count - 1.
        extra: further entries of the legend.
    """
    handles = [*_legend(evaluation), *extra]
    across = _entries_across(handles)
    rows, lines = -(-count // COLUMNS), -(-len(handles) // across)
    head = _TITLE_PX + lines * _LEGEND_PX
    width, height = COLUMNS * _TILE_PX[0], rows * _TILE_PX[1] + head
    with house_style():
        figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor='white')
        figure.text(0.005, 1 - 10 / height, drawable(title), va='top', fontsize=13)
        place = {'loc': 'upper left', 'bbox_to_anchor': (0.0, 1 - (_TITLE_PX - 4) / height)}
        figure.legend(handles=handles, ncols=across, frameon=False, fontsize=11, **place)
        for number in range(count):
            row, column = divmod(number, COLUMNS)
            left, bottom = column * _TILE_PX[0] + 6, (rows - row - 1) * _TILE_PX[1] + 6
            size = ((_TILE_PX[0] - 12) / width, (_TILE_PX[1] - 12 - _CAPTION_PX) / height)
            draw_tile(figure.add_axes((left / width, bottom / height, *size)), number)
        with whole_file(path) as temporary:
            figure.savefig(temporary, dpi=_DPI, metadata={'Software': None})


def write_caption(axes: Axes, text: str, file_name: str) -> None:
    """Two lines above a tile: the text, and the file with its folder."""
    # With its folder: that is where many exports keep the patient.
    name = drawable('/'.join(Path(file_name).parts[-2:]))
    name = name if len(name) <= _LONGEST_NAME else f'{name[:18]}…{name[-21:]}'
    text = clipped(drawable(text), _LONGEST_TEXT)
    axes.set_title(f'{text}\n{name}', loc='left', pad=3, fontsize=9, linespacing=1.3)


def thresholds(evaluation: Evaluation) -> str:
    return f'score ≥ {evaluation.score_thr:g}, IoU ≥ {evaluation.iou_thr:g}'


def _legend(evaluation: Evaluation) -> list[Line2D]:
    truth = evaluation.truth
    names, colors = truth.labels[1:], class_colors(truth.labels[1:])
    handles = [
        Line2D([], [], color=color, lw=6, label=class_label(name, i))
        for i, (name, color) in enumerate(zip(names, colors, strict=True), start=1)
    ]
    handles += [
        Line2D([], [], color='0.3', lw=2, label='ground truth'),
        Line2D([], [], color='0.3', lw=1.6, ls=DASHES, label='prediction, with its score'),
    ]
    if len(truth.ignored.boxes) + len(truth.crowds.boxes):
        handles.append(Line2D([], [], color=NOT_COUNTED, lw=1, label='not counted'))
    return handles


def _entries_across(handles: list[Line2D]) -> int:
    # A letter of the legend is 9.5 pixels wide, an entry's line and the gaps 76.
    widths = [76 + 9.5 * text_columns(str(handle.get_label())) for handle in handles]
    width = COLUMNS * _TILE_PX[0] - 20
    return len(handles) if sum(widths) <= width else max(1, int(width / max(widths)))
