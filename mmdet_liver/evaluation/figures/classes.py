"""How each class is drawn: a colour, a line and a marker of its own.

Classes are told apart by the line and the marker as well as by the colour, and a bright
colour (Meta's yellow) has a dark edge, so that it shows on white.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke

from mmdet_liver.evaluation.figures.drawing import INK
from mmdet_liver.evaluation.figures.fonts import class_label, english_name
from mmdet_liver.taxonomy import TUMOR, color_of, is_known

# For classes that the taxonomy does not know: the rest of Okabe and Ito, then Tol's muted.
_SPARE = (
    (0, 114, 178),
    (204, 121, 167),
    (153, 153, 51),
    (51, 34, 136),
    (68, 170, 153),
    (136, 34, 85),
    (221, 204, 119),
    (17, 119, 51),
    (230, 159, 0),
)
_DASHES = ('-', (0, (5, 1.6)), (0, (5, 1.5, 1.2, 1.5)), (0, (1.4, 1.4)))
_MARKERS = 'os^DvPX<>ph*'
_BRIGHT = 0.7


@dataclass(frozen=True)
class ClassStyle:
    """One class as figures show it; `color` is RGB, 0..1."""

    label: str
    color: tuple[float, float, float]
    dashes: str | tuple
    marker: str

    @property
    def is_bright(self) -> bool:
        return _brightness(self.color) > _BRIGHT

    def line(self, width: float = 1.8) -> dict:
        """Arguments of `plot` for its line."""
        return {
            'color': self.color,
            'linestyle': self.dashes,
            'linewidth': width,
            'path_effects': self._edge(width),
        }

    def dot(self, size: float = 5.5, hollow: bool = False) -> dict:
        """Arguments of `plot` for its marker, without a line."""
        return {
            'marker': self.marker,
            'markersize': size,
            'markerfacecolor': 'white' if hollow else self.color,
            'markeredgecolor': INK if self.is_bright or not hollow else self.color,
            'markeredgewidth': 0.8,
            'linestyle': 'none',
        }

    def _edge(self, width: float) -> list[AbstractPathEffect]:
        return [Stroke(linewidth=width + 1.4, foreground='#4a4a4a'), Normal()] * self.is_bright


def class_styles(labels: Sequence[str]) -> tuple[ClassStyle, ...]:
    """One style a class; `labels` begin with class 1, so without 'None'."""
    return tuple(
        ClassStyle(
            label=class_label(name, i + 1),
            color=color,
            dashes=_DASHES[i % len(_DASHES)],
            marker=_MARKERS[i % len(_MARKERS)],
        )
        for i, (name, color) in enumerate(zip(labels, class_colors(labels), strict=True))
    )


def class_colors(labels: Sequence[str]) -> tuple[tuple[float, float, float], ...]:
    """RGB, 0..1, of each class: the taxonomy's, and others for what it does not know."""
    names = [english_name(name) for name in labels]
    known = [is_known(name) or name == TUMOR for name in names]
    spare = [_SPARE[sum(not k for k in known[:i]) % len(_SPARE)] for i in range(len(names))]
    chosen = [color_of(n) if k else s for n, k, s in zip(names, known, spare, strict=True)]
    return tuple((r / 255, g / 255, b / 255) for r, g, b in chosen)


def ink_on(color: tuple[float, ...]) -> str:
    """Black or white, whichever reads better on the colour."""
    return 'black' if _brightness(color) > 0.5 else 'white'


def _brightness(color: tuple[float, ...]) -> float:
    return sum(share * value for share, value in zip((0.299, 0.587, 0.114), color, strict=True))
