"""Text in a picture that may be a name: nothing of it may be left, not even its outlines."""

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.finding import Marks

_TEXT = 'text'
_LETTERS = 41  # pixels: about three letters, and more than between two words
_AS_BRIGHT = 0.8  # of the letters


def lines_of_text(marks: Marks) -> np.ndarray:
    """(H, W) bool: blocks from the first letter of each line of text to its last.

    The outlines of the letters would say in the mask what was taken out of the image.
    """
    if _TEXT not in marks.masks:
        return np.zeros(marks.mask.shape, bool)
    text = marks.masks[_TEXT].astype(np.uint8)
    lines = cv2.morphologyEx(text, cv2.MORPH_CLOSE, np.ones((1, _LETTERS), np.uint8))
    return cv2.dilate(lines, np.ones((3, 3), np.uint8)).view(bool)


def letters_left(image: np.ndarray, marks: Marks, lines: np.ndarray) -> np.ndarray:
    """(H, W) bool: what is in a line of text, as bright as its letters, and was not found.

    In a Doppler frame there is none: strokes are also found in flow, and between them lies
    flow.
    """
    left = np.zeros(lines.shape, np.uint8)
    if marks.doppler or not lines.any():
        return left.view(bool)
    brightness = image if image.ndim == 2 else image.max(axis=2)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(lines.view(np.uint8))
    for line, (x, y, width, height, _) in enumerate(boxes[1:], start=1):
        box = np.s_[y : y + height, x : x + width]
        inside, here = labels[box] == line, brightness[box]
        letters = np.percentile(here[inside & marks.masks[_TEXT][box]], 75)
        left[box] |= inside & (here >= _AS_BRIGHT * letters)
    return cv2.dilate(left, np.ones((3, 3), np.uint8)).view(bool)
