"""Painting over marks with what lies around them."""

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.pixels import mean_by
from mmdet_liver.preparation.cleansing.marks.relief import BESIDE

_CELL = 8  # pixels, the grid on which marks are grouped and the least margin around them
_RADIUS = 3  # pixels, of the inpainting (Telea, J. Graphics Tools 9, 2004)
_EVEN = 8  # grey levels that even ground may vary by
_PEN = 9  # pixels, wider than the strokes of letters
_BLACK_SHARE = 0.25  # of what lies around a mark beside the picture


def remove_marks(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Paint over the masked pixels; the others stay as they are, bit by bit.

    On even ground, such as the black beside the picture, its own level is filled in;
    in tissue the surroundings are continued.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        mask: (H, W) bool.
    Returns:
        of the shape and type of `image`.
    """
    clean = image.copy()
    for x0, y0, x1, y1 in _regions(mask):
        region, masked = clean[y0:y1, x0:x1], mask[y0:y1, x0:x1]
        region[masked] = _painted(region, masked)[masked]
    return clean


def _regions(mask: np.ndarray) -> np.ndarray:
    # Boxes (N, 4) xyxy around groups of marks, a cell wider on every side.
    height, width = mask.shape
    rows, columns = (-(-n // _CELL) for n in mask.shape)
    masked = np.unique(_cell_of(np.flatnonzero(mask), width, columns))
    coarse = np.zeros(rows * columns, np.uint8)
    coarse[masked] = 1
    near = cv2.dilate(coarse.reshape(rows, columns), np.ones((3, 3), np.uint8))
    stats = cv2.connectedComponentsWithStats(near, connectivity=8)[2][1:, :4] * _CELL
    x, y, wide, tall = stats.T
    return np.stack([x, y, np.minimum(x + wide, width), np.minimum(y + tall, height)], axis=1)


def _cell_of(pixels: np.ndarray, width: int, columns: int) -> np.ndarray:
    y, x = np.divmod(pixels, width)
    return y // _CELL * columns + x // _CELL


def _painted(region: np.ndarray, masked: np.ndarray) -> np.ndarray:
    around = region[~masked]
    if len(around) and np.ptp(around, axis=0).max() <= _EVEN:
        level = np.median(around, axis=0).astype(region.dtype)
        return np.broadcast_to(level, region.shape)
    if region.ndim == 3 and (around == around[:, :1]).all():  # only the marks have colour
        return cv2.merge([_painted(region[..., 0], masked)] * 3)
    gray = region if region.ndim == 2 else cv2.cvtColor(region, cv2.COLOR_BGR2GRAY)
    dark = masked & _on_black(gray, masked)
    rest = (masked & ~dark).view(np.uint8)
    blackened = np.where(dark if region.ndim == 2 else dark[..., None], 0, region)
    return cv2.inpaint(blackened.astype(region.dtype), rest, _RADIUS, cv2.INPAINT_TELEA)


def _on_black(gray: np.ndarray, masked: np.ndarray) -> np.ndarray:
    # (H, W) bool, where there is black under the marks, and around them too: a letter's black
    # rim within the picture has none around.
    thin = np.ones((_PEN, _PEN), np.uint8)
    ground = cv2.dilate(cv2.morphologyEx(gray, cv2.MORPH_OPEN, thin), np.ones((5, 5), np.uint8))
    count, labels = cv2.connectedComponents(masked.view(np.uint8), connectivity=8)
    near = cv2.dilate(labels.astype(np.float32), np.ones((7, 7), np.uint8)).astype(int)
    around = ~masked & (near > 0)
    share = mean_by(near[around], gray[around] <= BESIDE, count)
    return (ground <= BESIDE) & (share > _BLACK_SHARE)[labels]
