"""What all figures share: how they are saved, and fonts that can write the class names.

Every figure is made with `new_figure`, so that pyplot, and with it a display, is not needed.
"""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names

from mmdet_liver.files import whole_file

DPI = 150
# Class names may be Japanese; matplotlib takes each letter from the first font that has it.
_FONTS = (
    'DejaVu Sans',
    'Noto Sans CJK JP',
    'Noto Sans JP',
    'IPAexGothic',
    'IPAGothic',
    'TakaoPGothic',
    'Hiragino Sans',
    'Yu Gothic',
    'MS Gothic',
)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches whose layout keeps labels apart."""
    installed = set(get_font_names())
    matplotlib.rcParams['font.family'] = [name for name in _FONTS if name in installed]
    return Figure(figsize=(width, height), layout='constrained')


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write the PNG, whole or not at all; the same numbers give the same bytes."""
    with whole_file(path) as temporary:
        # No software version in the file. Tight: beside axes of a fixed aspect the layout
        # may push a label off the page.
        figure.savefig(temporary, dpi=DPI, bbox_inches='tight', metadata={'Software': None})


def shortened(text: str, length: int) -> str:
    """The text, its middle left out where it is longer than `length`."""
    return text if len(text) <= length else f'{text[: length // 3]}…{text[-length * 2 // 3 :]}'
