"""Labels of boxes on an image that do not cover one another."""

import numpy as np
from matplotlib.axes import Axes

from mmdet_liver.evaluation.figures.classes import ink_on
from mmdet_liver.evaluation.figures.fonts import text_columns

_FONT_PT = 8
# A letter and a line of that font in pixels of the figure, at its 100 dots an inch.
_LETTER_PX, _LINE_PX = 7.0, 15.0


class LabelPlacer:
    """Writes labels at the corners of boxes, the first ones at the best places."""

    def __init__(self, axes: Axes) -> None:
        """`axes` shows an image whose limits are set; its aspect is equal."""
        self.axes = axes
        self.size = np.array([axes.get_xlim()[1], axes.get_ylim()[0]])  # image pixels
        extent = axes.get_position().size * axes.figure.get_size_inches() * axes.figure.dpi
        self.scale = float((self.size / extent).max())  # image pixels in one of the figure
        self.taken: list[np.ndarray] = []  # xyxy in image pixels

    def write(self, text: str, box: np.ndarray, color: tuple[float, ...]) -> None:
        """Write `text` beside the box (xyxy in image pixels) on a ground of its colour."""
        place = self._free_place(text, box)
        self.taken.append(place)
        self.axes.text(
            place[0] + 2 * self.scale,
            place[1:4:2].mean(),
            text,
            va='center',
            fontsize=_FONT_PT,
            color=ink_on(color),
            bbox={'facecolor': color, 'edgecolor': 'none', 'pad': 1.0, 'alpha': 0.85},
        )

    def _free_place(self, text: str, box: np.ndarray) -> np.ndarray:
        size = np.array([text_columns(text) * _LETTER_PX + 4, _LINE_PX]) * self.scale
        left, right = box[0], box[2] - size[0]
        above, below = box[1] - size[1], box[3]
        corners = [(left, above), (left, below), (right, above), (right, below)]
        corners += [(left, box[1]), (left, box[3] - size[1])]  # inside, at the top and bottom
        places = []
        for corner in corners:
            start = np.clip(corner, 0, np.maximum(self.size - size, 0))
            places.append(np.concatenate([start, start + size]))
        return min(places, key=self._covered)  # the first of equals

    def _covered(self, place: np.ndarray) -> float:
        # Area that the place would share with labels already written.
        total = 0.0
        for other in self.taken:
            sides = np.minimum(place[2:], other[2:]) - np.maximum(place[:2], other[:2])
            total += float(np.prod(np.maximum(sides, 0)))
        return total
