"""What text a figure can hold: its fonts, and names that none of them can write.

Class names may be Japanese. matplotlib takes each letter from the first font that has it;
a letter that none has would be drawn as an empty box.
"""

import unicodedata
from functools import cache

from matplotlib.font_manager import findfont, get_font, get_font_names

from mmdet_liver.taxonomy import LIVER, MALIGNANCY

_FONTS = (
    'DejaVu Sans',
    'Noto Sans CJK JP',
    'Noto Sans JP',
    'Source Han Sans JP',
    'IPAexGothic',
    'IPAGothic',
    'TakaoPGothic',
    'VL Gothic',
    'Hiragino Sans',
    'Yu Gothic',
    'Meiryo',
    'MS Gothic',
)
_LONGEST = 18  # letters of a class name


@cache
def font_families() -> tuple[str, ...]:
    """The fonts to write with, of those that are installed; the first is matplotlib's own."""
    installed = set(get_font_names())
    return tuple(name for name in _FONTS if name in installed)


def is_drawable(text: str) -> bool:
    """Whether the installed fonts have all of its letters."""
    return set(text) <= _letters()


def drawable(text: str) -> str:
    """The text, a question mark for each letter that no installed font has."""
    return ''.join(c if c in _letters() else '?' for c in text)


def english_name(name: str) -> str:
    """The taxonomy's name where `name` is its Japanese term, else `name` itself."""
    names = {diagnosis.japanese: diagnosis.name for diagnosis in (*LIVER, *MALIGNANCY)}
    return names.get(name, name)


def class_label(name: str, number: int, longest: int = _LONGEST) -> str:
    """How figures write a class: shortened; in English or as `class 3` if not drawable.

    Args:
        number: of the class, from 1.
        longest: columns, of which a Japanese letter takes two.
    """
    if not is_drawable(name):
        name = english_name(name)
    return clipped(name, longest) if is_drawable(name) else f'class {number}'


def shortened(text: str, length: int) -> str:
    """The text, its middle left out where it is longer than `length`."""
    return text if len(text) <= length else f'{text[: length // 3]}…{text[-length * 2 // 3 :]}'


def clipped(text: str, columns: int) -> str:
    """The text, or as much of its beginning as fits before an ellipsis."""
    if text_columns(text) <= columns:
        return text
    while text_columns(text) > columns - 1:
        text = text[:-1]
    return f'{text.rstrip()}…'


def text_columns(text: str) -> int:
    """Width of a text in letters; a Japanese one is as wide as two."""
    return sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


@cache
def _letters() -> frozenset[str]:
    return frozenset(
        chr(code) for family in font_families() for code in get_font(findfont(family)).get_charmap()
    )
