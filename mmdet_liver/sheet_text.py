"""Text on sheets, in the font that comes with Pillow: the same on every machine.

Widths and sizes are pixels. The font has hardly more than ASCII; what it lacks is spelled
otherwise, an accent is dropped, and what is left becomes a question mark.
"""

import unicodedata
from functools import lru_cache

from PIL import ImageDraw, ImageFont

FONT_PX, LINE_PX = 13, 17  # of a caption
_SPELLED = {'×': 'x', '≥': '>=', '≤': '<=', '–': '-', '−': '-', '→': '->', '≠': '!='}
_NO_CHARACTER = '\uffff'


def write_line(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    *,
    width: int,
    font_px: int = FONT_PX,
    bold: bool = False,
    ink: tuple[int, int, int] = (0, 0, 0),
) -> None:
    """Write one line from its upper left corner, clipped to `width` with an ellipsis."""
    text = clip_text(text, width, font_px)
    # The font has no bold of its own: the same text again, half a pixel on.
    for x in (place[0], place[0] + 0.5)[: 1 + bold]:
        draw.text((x, place[1]), text, fill=ink, font=_font(font_px))


def clip_text(text: str, width: int, font_px: int = FONT_PX) -> str:
    """The text, or as much of its beginning as fits before an ellipsis."""
    text = _drawable(text)
    if _length(text, font_px) <= width:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if _length(text[:middle].rstrip() + '…', font_px) <= width:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + '…'


def wrap_text(text: str, width: int, lines: int) -> tuple[str, ...]:
    """Break a text at its spaces into at most `lines` lines; the last holds what is left."""
    words = _drawable(text).split(' ')
    broken: list[str] = []
    while words and len(broken) < lines - 1:
        count = 1
        while count < len(words) and _length(' '.join(words[: count + 1]), FONT_PX) <= width:
            count += 1
        broken.append(' '.join(words[:count]))
        words = words[count:]
    return (*broken, ' '.join(words)) if words else tuple(broken)


def _drawable(text: str) -> str:
    text = ' '.join(text.split())
    return ''.join(map(_spelled, text))


@lru_cache(maxsize=1024)
def _spelled(character: str) -> str:
    if _is_known(character):
        return character
    plain = ''.join(filter(_is_known, unicodedata.normalize('NFKD', character)))
    return _SPELLED.get(character) or plain or '?'


def _length(text: str, font_px: int) -> float:
    return _font(font_px).getlength(text)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _is_known(character: str) -> bool:
    if character.isascii():
        return True
    empty, mask = (_font(FONT_PX).getmask(c) for c in (_NO_CHARACTER, character))
    return (mask.size, bytes(mask)) != (empty.size, bytes(empty))
