"""Marks in an image, kind by kind.

| kind | what |
|---|---|
| color bar | upright scale bars in colour, on black beside the picture |
| color overlay | coloured flow and its box, and whatever else is coloured and none of the below |
| caliper | crosses `+` and `x`, dotted lines and outlines, lines between crosses; any colour |
| text | letters, digits, logos, rulers, body marks, arrows, any other thin drawing, in any \
colour; the grey scale bar |

What is drawn after the scan ends from one pixel to the next; echoes do not. Where that is
not certain, nothing is found: a mark left in the image does less harm than a lesion's edge
painted over. A picture tinted as a whole holds no coloured marks.

A little coloured flow is an overlay as any other. A frame with much of it (colour Doppler,
elastography) is flagged, and the coloured field with all that is drawn into it is left out of
the masks, as there is no picture below to be restored; other marks are found as usual.

Known to be missed: marks on tissue as bright as they are, graphics enlarged more than twofold
with the image, filled shapes, bars that lie flat or stand on the picture in grey.
"""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.bars import find_bars
from mmdet_liver.preparation.cleansing.marks.color import split_color
from mmdet_liver.preparation.cleansing.marks.drawn import find_drawn
from mmdet_liver.preparation.cleansing.marks.pixels import grown, square

KINDS = ('color bar', 'color overlay', 'caliper', 'text')
DOPPLER_SHARE = 0.02  # of the image under flow, from which on it is a Doppler frame
_FLOW = 7  # pixels, side of the square that flow holds, and lines do not
_WIDE = 25  # pixels, side of a square that no line of text holds
_FIELD = 15  # pixels, side of the square that fills what is drawn into flow
_COLORED = 0.3  # share of a bar's pixels from which on it is a coloured one
_HALO = 4  # pixels around a mark in which JPEG leaves its colour


@dataclass(frozen=True, eq=False)
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
        return self.flow_share >= DOPPLER_SHARE

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
    value, colored = split_color(np.ascontiguousarray(image))
    masks = find_drawn(value)
    words = masks.pop('word', None)
    for x0, y0, x1, y1 in find_bars(value):
        bar = np.s_[y0:y1, x0:x1]
        in_color = colored is not None and colored[bar].mean() > _COLORED
        kind = 'color bar' if in_color else 'text'
        masks.setdefault(kind, np.zeros(value.shape, bool))[bar] = True
    if colored is None:
        return Marks(value.shape, _apart(masks))
    wide = cv2.morphologyEx(colored.view(np.uint8), cv2.MORPH_OPEN, square(_WIDE)).view(bool)
    words = np.zeros(value.shape, bool) if words is None else words & ~wide
    flow = _flow(words, masks.get('color bar'), colored)
    share = float(flow.mean())
    if share >= DOPPLER_SHARE:
        flow = cv2.morphologyEx(flow.view(np.uint8), cv2.MORPH_CLOSE, square(_FIELD)).view(bool)
        colored = colored & ~flow
        # Speckled colour looks like letters, and like rows of dots.
        masks = {kind: mask & ~flow for kind, mask in masks.items()}
    else:
        masks = _without_color(masks, flow | colored & ~grown(words, _HALO))
    _add_color(masks, colored, flow)
    return Marks(value.shape, _apart(masks), share)


def _flow(words: np.ndarray, bar: np.ndarray | None, colored: np.ndarray) -> np.ndarray:
    # Coloured areas too thick for lines, and no coloured letters or bars.
    known = words if bar is None else words | bar
    free = (colored & ~grown(known, _HALO)).view(np.uint8)
    core = cv2.morphologyEx(free, cv2.MORPH_OPEN, square(_FLOW)).view(bool)
    return colored & grown(core, _FLOW) & ~grown(known, 1)


def _without_color(masks: dict[str, np.ndarray], colored: np.ndarray) -> dict[str, np.ndarray]:
    # Coloured strokes that are no words are overlay.
    text = masks.get('text', np.zeros_like(colored))
    colored = grown(colored, 1)
    return {**masks, 'text': text & ~colored, 'color overlay': text & colored}


def _add_color(masks: dict[str, np.ndarray], colored: np.ndarray, flow: np.ndarray) -> None:
    # The colour next to a mark belongs to it, flow apart; what is left is overlay.
    left = colored
    overlay = masks.pop('color overlay', False)
    for mask in masks.values():
        mask |= left & ~flow & grown(mask, _HALO)
        left = left & ~mask
    masks['color overlay'] = grown(left, 1) | overlay


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
