"""What all figures share: size, ink, how they are saved, and the legend below the axes.

A figure is made and saved inside `figure_file`. That needs neither pyplot nor a display,
and leaves matplotlib's settings as they were.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmdet_liver.evaluation.figures.fonts import font_families, text_columns
from mmdet_liver.files import whole_file

# On a phone of 390 px a letter of 10 pt is then as high as a web page's small print.
WIDTH = 5.4  # inches
DPI = 200
INK, FAINT, GRID = '#222222', '#6e6e6e', '#e4e4e4'
CHOICE = '#d55e00'  # marks what was chosen


def house_style() -> AbstractContextManager:
    """Within it figures look the same whatever the user's own settings are."""
    settings = {
        'font.family': list(font_families()),
        'font.size': 10,
        'axes.titlesize': 10.5,
        'axes.labelsize': 10,
        'legend.fontsize': 9.5,
        'text.color': INK,
        'axes.labelcolor': INK,
        'axes.edgecolor': '#9a9a9a',
        'axes.axisbelow': True,
        'grid.color': GRID,
        'text.parse_math': False,  # a `$` in a name begins no formula
    }
    return matplotlib.style.context(['default', settings])


@contextmanager
def figure_file(path: str | Path, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of so many inches; write it as a PNG if the block succeeds.

    The file appears whole or not at all, and the same numbers give the same bytes.
    """
    with house_style():
        figure = Figure(figsize=(width, height), layout='constrained', facecolor='white')
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # inches
        yield figure
        with whole_file(path) as temporary:
            # No software version in the file.
            figure.savefig(temporary, dpi=DPI, metadata={'Software': None})


def strip_frame(axes: Axes, *sides: str) -> None:
    """Hide these sides of the frame, and all ticks."""
    for side in sides:
        axes.spines[side].set_visible(False)
    axes.tick_params(which='both', length=0)


def legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    """A legend over the figure's width, in as many columns as the longest entry allows."""
    if not handles:
        return
    columns = _columns([str(handle.get_label()) for handle in handles], figure.get_figwidth())
    place = {'loc': 'outside lower center', 'frameon': False, 'handlelength': 2.6}
    figure.legend(handles=handles, ncols=columns, columnspacing=1.2, **place)


def legend_height(labels: Sequence[str], width: float = WIDTH) -> float:
    """Inches that `legend_below` will take, so that the axes keep theirs."""
    return 0.2 * -(-len(labels) // _columns(labels, width)) + 0.15 if labels else 0.0


def signed(value: float, digits: int) -> str:
    """The number with its sign, none at what rounds to 0."""
    text = f'{value:+.{digits}f}'
    return text.replace('-', '−') if float(text) else text[1:]


def _columns(labels: Sequence[str], width: float) -> int:
    # A letter of the legend is 0.067 inches wide, its line and the gaps 0.68.
    longest = max(map(text_columns, labels))
    return max(1, min(len(labels), int((width - 0.2) / (0.68 + 0.067 * longest))))
