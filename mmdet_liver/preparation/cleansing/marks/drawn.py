"""What is drawn in thin, sharp strokes, told apart: calipers and text."""

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.calipers import draw_calipers, find_crosses
from mmdet_liver.preparation.cleansing.marks.dotted import find_dotted
from mmdet_liver.preparation.cleansing.marks.pixels import grown, square
from mmdet_liver.preparation.cleansing.marks.relief import BESIDE, BLACK, Relief, relief_of
from mmdet_liver.preparation.cleansing.marks.same_ink import ink_level, more_ink
from mmdet_liver.preparation.cleansing.marks.strokes import Strokes, find_strokes
from mmdet_liver.preparation.cleansing.marks.text import find_ink, on_black_ground, row_sizes

_MIN_WORD = 3  # letters in a row, among which a cross is an X or a t
_ABOUT_AS_BRIGHT = 50  # grey levels
_REST = 8  # pixels around a letter, the side of JPEG's blocks


def find_drawn(value: np.ndarray) -> dict[str, np.ndarray]:
    """Masks, each (H, W) bool, of (H, W) uint8 `value`: 'caliper', 'text', and 'word', the part
    of the text that stands in rows; nothing if nothing is drawn.
    """
    relief = relief_of(value)
    strokes = find_strokes(relief)
    if strokes is None:
        return {}
    crosses = find_crosses(relief, strokes.pixels)
    lines = draw_calipers(relief, crosses)
    dotted = find_dotted(strokes, relief, lines)
    ink = find_ink(strokes, relief, lines | strokes.mask(dotted))
    if not (ink.any() or crosses):
        return {}
    words = strokes.mask(row_sizes(strokes, ink) >= _MIN_WORD)
    if any(words[c.y, c.x] for c in crosses):
        crosses = [c for c in crosses if not words[c.y, c.x]]
        lines = draw_calipers(relief, crosses)
    dots = (strokes.longer <= relief.pen // 2 + 1) & bool(crosses)
    of_calipers = ink & (dots | dotted | (strokes.share_in(lines) >= 0.5))
    caliper = strokes.mask(of_calipers) | lines
    text = strokes.mask(ink & ~of_calipers)
    on_black = strokes.mask(ink & ~of_calipers & on_black_ground(strokes))
    text |= _same_ink(relief, (caliper | text) & ~on_black, _unsure(strokes, ink).any())
    text |= _faint_rest(relief, on_black)
    return {'caliper': grown(caliper, 1), 'text': grown(text, 1), 'word': words}


def _unsure(strokes: Strokes, ink: np.ndarray) -> np.ndarray:
    # Strokes on tissue as bright as the ink found, which might be letters that touch it.
    brightest = strokes.level[ink].max(initial=0)
    return ~ink & (strokes.level >= 0.9 * brightest) & (strokes.lit > 0)


def _same_ink(relief: Relief, ink: np.ndarray, unsure: bool) -> np.ndarray:
    # Looked for only if there are such strokes, or tissue about as bright next to the ink.
    found = np.zeros_like(ink)
    around = _window(ink, 8 * relief.pen)
    part, ink = relief.cut(around), ink[around]
    level = ink_level(part, ink)
    if level is not None:
        ground = cv2.subtract(part.value, part.height)
        bright = (ground >= level - _ABOUT_AS_BRIGHT) & grown(ink, 3 * relief.pen)
        if unsure or bright.any():
            found[around] = more_ink(part, ink, level)
    return found


def _faint_rest(relief: Relief, letters: np.ndarray) -> np.ndarray:
    # Around letters on black: what could still be read if it stayed, such as the soft edges
    # of a font or JPEG's ripples, and the black rim of letters that lie on the picture.
    found = np.zeros_like(letters)
    around = _window(letters, _REST)
    part = relief.cut(around)
    # Dilated, as the valleys of coarse speckle are no black ground.
    ground = cv2.dilate(cv2.subtract(part.value, part.height), square(9))
    near = grown(letters[around], _REST)
    black = near & (ground <= BESIDE)
    found[around] = black | near & (part.value <= BLACK) & grown(black, 4)
    return found


def _window(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    # Around what is masked; a corner of the image if nothing is.
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    rows = slice(max(y - margin, 0), y + height + margin)
    return rows, slice(max(x - margin, 0), x + width + margin)
