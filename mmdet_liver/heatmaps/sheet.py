"""The picture: a row for each image, its truth beside what the network predicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from mmdet_liver.evaluation.figures.classes import ClassStyle, class_styles
from mmdet_liver.evaluation.figures.drawing import FAINT, INK, house_style
from mmdet_liver.evaluation.figures.fonts import drawable, shortened
from mmdet_liver.evaluation.sheets.labels import LabelPlacer
from mmdet_liver.files import whole_file
from mmdet_liver.heatmaps.blending import blend_heatmap, legend_strip
from mmdet_liver.heatmaps.maps import Boxes, ImageHeatmaps, caption

_DPI = 100  # which LabelPlacer counts on
# Inches. At 160 px of input a panel shows two pixels for one, at 512 px two for three.
_PANEL, _GAP, _MARGIN, _HEAD, _CAPTION = 3.2, 0.08, 0.12, 0.78, 0.28
_COLUMNS = 4
_DARK, _GREY, _WHITE = (0.3,) * 3, (0.65,) * 3, (1.0,) * 3
_LONGEST_NAME = 40


@dataclass(frozen=True)
class _Layout:
    """Where things lie, in inches from the top left corner."""

    rows: int
    panel_height: float

    @property
    def size(self) -> tuple[float, float]:
        width = 2 * _MARGIN + _COLUMNS * _PANEL + (_COLUMNS - 1) * _GAP
        return width, _HEAD + self.rows * self.row_height + _MARGIN

    @property
    def row_height(self) -> float:
        return _CAPTION + self.panel_height + _GAP

    def left(self, column: int) -> float:
        return _MARGIN + column * (_PANEL + _GAP)

    def top(self, row: int) -> float:
        return _HEAD + row * self.row_height

    def axes(self, figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
        across, down = self.size
        return figure.add_axes(
            (left / across, 1 - (top + height) / down, width / across, height / down)
        )

    def write(self, figure: Figure, left: float, top: float, text: str, **style: object) -> None:
        across, down = self.size
        figure.text(left / across, 1 - top / down, text, va='top', **style)


def draw_sheet(images: Sequence[ImageHeatmaps], classes: Sequence[str], title: str) -> np.ndarray:
    """Draw the images, one or more, below one another.

    From left to right: the input with its lesions, the ground-truth heat map, the
    predicted one (both: the highest of all classes), and the predictions at its highest
    peaks. Above each row stand the numbers of `maps.caption`.

    Args:
        classes: names by label.
    Returns:
        (height, width, 3) uint8 RGB, about 1300 pixels wide.
    """
    styles = class_styles(classes)
    tallest = max(maps.image.shape[0] / maps.image.shape[1] for maps in images)
    layout = _Layout(len(images), _PANEL * tallest)
    with house_style():
        figure = Figure(figsize=layout.size, dpi=_DPI, facecolor='white')
        canvas = FigureCanvasAgg(figure)
        _draw_head(figure, layout, title, max(len(maps.peaks) for maps in images))
        for row, maps in enumerate(images):
            _draw_row(figure, layout, row, maps, styles)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def write_sheet(path: str | Path, sheet: np.ndarray) -> None:
    """Write what `draw_sheet` gives as a PNG, whole or not at all."""
    with whole_file(path) as temporary:
        Image.fromarray(sheet).save(temporary)


def _draw_head(figure: Figure, layout: _Layout, title: str, peaks: int) -> None:
    layout.write(figure, _MARGIN, 0.1, drawable(title), fontsize=12, color=INK)
    _draw_legend(figure, layout)
    titles = (
        'input and ground truth',
        'ground-truth heat map',
        'predicted heat map',
        f'ground truth solid, {peaks} highest peaks dashed',
    )
    for column, text in enumerate(titles):
        layout.write(figure, layout.left(column), _HEAD - 0.25, text, color=FAINT)


def _draw_legend(figure: Figure, layout: _Layout) -> None:
    left = layout.left(_COLUMNS - 1)
    axes = layout.axes(figure, left + 0.1, 0.12, _PANEL - 0.2, 0.13)
    axes.imshow(legend_strip(), aspect='auto', extent=(0, 1, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ['0', '0.25', '0.5', '0.75', '1'], fontsize=8)
    axes.tick_params(length=2, pad=1)


def _draw_row(
    figure: Figure, layout: _Layout, row: int, maps: ImageHeatmaps, styles: Sequence[ClassStyle]
) -> None:
    top = layout.top(row)
    text = f'{shortened(drawable(maps.name), _LONGEST_NAME)}: {caption(maps)}'
    layout.write(figure, _MARGIN, top + 0.06, text, fontsize=9, color=INK)
    pictures = (
        maps.image,
        blend_heatmap(maps.image, maps.target.max(axis=0)),
        blend_heatmap(maps.image, maps.predicted.max(axis=0)),
        maps.image,
    )
    panels = []
    for column, picture in enumerate(pictures):
        # A flatter image than the tallest stands at the top of its row.
        height = _PANEL * picture.shape[0] / picture.shape[1]
        left = layout.left(column)
        panels.append(layout.axes(figure, left, top + _CAPTION, _PANEL, height))
        _show(panels[-1], picture)
    truth, target, predicted, found = panels
    _draw_padding(truth, maps)
    _draw_truth(truth, maps, styles, label=True)
    for axes in (target, predicted):
        for box in maps.lesions.xyxy:
            _draw_box(axes, box, _WHITE, '-', 0.7)
    _draw_truth(found, maps, styles, label=False)
    _draw_peaks(found, maps.peaks, styles)


def _show(axes: Axes, picture: np.ndarray) -> None:
    axes.imshow(picture)
    axes.set_xlim(-0.5, picture.shape[1] - 0.5)
    axes.set_ylim(picture.shape[0] - 0.5, -0.5)
    axes.set_axis_off()


def _draw_padding(axes: Axes, maps: ImageHeatmaps) -> None:
    """Hatch what is padding, so that it is not taken for the black around the sector."""
    height, width = maps.image.shape[:2]
    x1, y1, x2, y2 = maps.content
    bands = [(0, 0, width, y1), (0, y2, width, height), (0, y1, x1, y2), (x2, y1, width, y2)]
    for left, top, right, bottom in bands:
        if right - left >= 1 and bottom - top >= 1:
            corner = (left - 0.5, top - 0.5)
            patch = Rectangle(corner, right - left, bottom - top, fill=False)
            patch.set(edgecolor=_DARK, hatch='///', linewidth=0)
            axes.add_patch(patch)


def _draw_truth(
    axes: Axes, maps: ImageHeatmaps, styles: Sequence[ClassStyle], *, label: bool
) -> None:
    for box in maps.ignored:
        _draw_box(axes, box, _GREY, '-', 1.0)
    placer = LabelPlacer(axes)
    for box, number in zip(maps.lesions.xyxy, maps.lesions.labels, strict=True):
        style = styles[number]
        _draw_box(axes, box, style.color, '-', 1.6)
        if label:
            placer.write(style.label, box, style.color)


def _draw_peaks(axes: Axes, peaks: Boxes, styles: Sequence[ClassStyle]) -> None:
    placer = LabelPlacer(axes)
    for box, number, score in zip(peaks.xyxy, peaks.labels, peaks.scores, strict=True):
        # A diverged network predicts sizes without end.
        if not np.isfinite(box).all():
            continue
        style = styles[number]
        _draw_box(axes, box, style.color, (0, (3, 2)), 1.2)
        axes.plot(*(box[:2] + box[2:]) / 2 - 0.5, **style.dot(size=5))
        placer.write(f'{style.label} {score:.2f}', box, style.color)


def _draw_box(
    axes: Axes, box: np.ndarray, color: tuple[float, ...], line: object, width: float
) -> None:
    # Pixel i covers i to i + 1 in box coordinates, i - 0.5 to i + 0.5 in those of imshow.
    patch = Rectangle((box[0] - 0.5, box[1] - 0.5), box[2] - box[0], box[3] - box[1], fill=False)
    patch.set(edgecolor=color, linestyle=line, linewidth=width)
    axes.add_patch(patch)
