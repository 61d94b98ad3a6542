"""Marks in an image, kind by kind.

| kind | what |
|---|---|
| color bar | scale bars in colour beside the picture |
| color overlay | coloured flow and its box, and coloured drawings that are no text |
| caliper | crosses, and the lines between them, grey or coloured |
| text | letters, digits, logos, rulers, body marks, arrows; the grey scale bar; any colour |

What is drawn after the scan ends from one pixel to the next; echoes do not. Where that is
not certain, nothing is found: a mark left in the image does less harm than a lesion's edge
painted over. A picture tinted as a whole holds no coloured marks.

A frame with much colour Doppler (or elastography) is flagged and its colour is left out of
the masks, as there is no picture below to be restored; its other marks are found as usual.
"""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.bars import find_bars
from mmdet_liver.preparation.cleansing.marks.calipers import draw_calipers, find_crosses
from mmdet_liver.preparation.cleansing.marks.color import split_color
from mmdet_liver.preparation.cleansing.marks.same_ink import ink_level, more_ink
from mmdet_liver.preparation.cleansing.marks.strokes import (
    Relief,
    Strokes,
    find_strokes,
    grown,
    mean_by,
    relief_of,
    square,
)
from mmdet_liver.preparation.cleansing.marks.text import find_ink, on_black_ground, row_sizes

KINDS = ('color bar', 'color overlay', 'caliper', 'text')
_DOPPLER_SHARE = 0.02  # of the image under flow, from which on it is a Doppler frame
_FLOW = 7  # pixels, side of the square that flow holds, and lines do not
_COLORED = 0.3  # share of a bar's pixels from which on it is a coloured one
_MIN_WORD = 3  # letters in a row, among which a cross is an X or a t
_BLACK, _LIT = 16, 48
_RIM, _BEYOND = 4, 3  # pixels of a black rim, and of what is looked at beyond it
_ON_PICTURE = 0.6  # share of lit pixels beyond the rim of a word that lies on the picture
_HALO = 4  # pixels around a mark in which JPEG leaves its colour


@dataclass(frozen=True)
class Marks:
    """What is burned into an image of `shape` (H, W).

    `masks` hold (H, W) bool of each kind that is there, kinds apart from each other;
    `flow_share` is the share of the image under coloured flow, `doppler` whether that is
    so much that the flow was left out of the masks.
    """

    shape: tuple[int, int]
    masks: dict[str, np.ndarray] = field(default_factory=dict)
    flow_share: float = 0.0

    @property
    def doppler(self) -> bool:
        return self.flow_share >= _DOPPLER_SHARE

    @cached_property
    def mask(self) -> np.ndarray:
        """(H, W) bool, all kinds together."""
        union = np.zeros(self.shape, bool)
        for mask in self.masks.values():
            union |= mask
        return union

    @property
    def shares(self) -> dict[str, float]:
        """Share of the image by kind."""
        return {kind: float(mask.mean()) for kind, mask in self.masks.items()}


def find_marks(image: np.ndarray) -> Marks:
    """Find what a scanner or an examiner has drawn into an image.

    Args:
        image: (H, W) or (H, W, 3) BGR uint8.
    """
    value, colored = split_color(image)
    masks, words = _drawn(value)
    for x0, y0, x1, y1 in find_bars(value):
        bar = np.s_[y0:y1, x0:x1]
        in_color = colored is not None and colored[bar].mean() > _COLORED
        kind = 'color bar' if in_color else 'text'
        masks.setdefault(kind, np.zeros(value.shape, bool))[bar] = True
    flow_share = 0.0 if colored is None else _add_color(masks, words, colored)
    return Marks(value.shape, _apart(masks), flow_share)


def _drawn(value: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    # Calipers and text, from brightness alone; and which of the text are words.
    relief = relief_of(value)
    strokes = find_strokes(relief)
    if strokes is None:
        return {}, np.zeros(value.shape, bool)
    crosses = find_crosses(relief)
    lines = draw_calipers(relief, crosses)
    ink = find_ink(strokes, relief, lines)
    if not (ink.any() or crosses):
        return {}, np.zeros(value.shape, bool)
    words = strokes.mask(row_sizes(strokes, ink) >= _MIN_WORD)
    if any(words[c.y, c.x] for c in crosses):
        crosses = [c for c in crosses if not words[c.y, c.x]]
        lines = draw_calipers(relief, crosses)
    dots = _is_dot(strokes, relief.pen) & bool(crosses)
    is_caliper = ink & (dots | (strokes.share_in(lines) >= 0.5))
    masks = {'caliper': strokes.mask(is_caliper) | lines, 'text': strokes.mask(ink & ~is_caliper)}
    around = _window(masks['text'] | masks['caliper'], 8 * relief.pen)
    if around is not None:
        part = relief.cut(around)
        more = _same_ink(part, masks['text'][around] | masks['caliper'][around])
        rim = _rim(part, strokes.mask(ink & on_black_ground(strokes))[around])
        masks['text'][around] |= more | rim
    return {kind: grown(mask, 1) for kind, mask in masks.items()}, words


def _same_ink(relief: Relief, ink: np.ndarray) -> np.ndarray | bool:
    level = ink_level(relief, ink)
    return level is not None and more_ink(relief, ink, level)


def _rim(relief: Relief, letters: np.ndarray) -> np.ndarray:
    # The black rim that some scanners give their letters, where they lie on the picture.
    near = grown(letters, _RIM)
    lit = cv2.subtract(relief.value, relief.height) >= _LIT
    beyond = grown(near, _BEYOND) & ~near
    if not (lit & beyond).any():
        return lit & beyond
    count, labels = cv2.connectedComponents((near | beyond).view(np.uint8), connectivity=8)
    share = mean_by(labels[beyond], lit[beyond], count)
    share[0] = 0
    return near & (relief.value <= _BLACK) & (share >= _ON_PICTURE)[labels]


def _window(mask: np.ndarray, margin: int) -> tuple[slice, slice] | None:
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        return None
    return (
        slice(max(y - margin, 0), y + height + margin),
        slice(max(x - margin, 0), x + width + margin),
    )


def _is_dot(strokes: Strokes, pen: int) -> np.ndarray:
    return (strokes.boxes[:, 2:] - strokes.boxes[:, :2]).max(axis=1) <= pen // 2 + 1


def _add_color(
    masks: dict[str, np.ndarray], words: np.ndarray, colored: np.ndarray
) -> float:
    # Adds the overlay and returns the share of the image under flow.
    flow = _flow(masks, words, colored)
    share = float(flow.mean())
    overlay = colored if share < _DOPPLER_SHARE else colored & ~flow
    for kind, mask in masks.items():
        if kind == 'text':
            mask &= ~flow  # its edges are as sharp as letters
        mask |= overlay & ~flow & grown(mask, _HALO)
        overlay = overlay & ~mask
    masks['color overlay'] = grown(overlay, 1)
    return share


def _flow(masks: dict[str, np.ndarray], words: np.ndarray, colored: np.ndarray) -> np.ndarray:
    drawn = words.copy()
    for kind in ('color bar', 'caliper'):
        if kind in masks:
            drawn |= masks[kind]
    free = (colored & ~grown(drawn, _HALO)).view(np.uint8)
    core = cv2.morphologyEx(free, cv2.MORPH_OPEN, square(_FLOW)).view(bool)
    return colored & grown(core, _FLOW) & ~grown(drawn, 1)


def _apart(masks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    # Each pixel to the first kind that claims it; kinds that are not there are left out.
    found = {}
    taken: np.ndarray | bool = False
    for kind in ('color bar', 'caliper', 'text', 'color overlay'):
        if kind not in masks:
            continue
        mask = masks[kind] & ~taken if found else masks[kind]
        if mask.any():
            found[kind] = mask
            taken = taken | mask
    return {kind: found[kind] for kind in KINDS if kind in found}

