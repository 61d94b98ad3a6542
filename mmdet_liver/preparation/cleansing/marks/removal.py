"""Painting over marks with what lies around them."""

import cv2
import numpy as np

_CELL = 8  # pixels, the grid on which marks are grouped and the least margin around them
_RADIUS = 3  # pixels, of the inpainting (Telea, J. Graphics Tools 9, 2004)
_EVEN = 8  # grey levels that even ground may vary by


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
        _paint(clean[y0:y1, x0:x1], mask[y0:y1, x0:x1])
    return clean


def _regions(mask: np.ndarray) -> np.ndarray:
    # Boxes (N, 4) xyxy around groups of marks, a cell wider on every side.
    height, width = mask.shape
    cells = -(-height // _CELL), -(-width // _CELL)
    padded = np.zeros((cells[0] * _CELL, cells[1] * _CELL), np.uint8)
    padded[:height, :width] = mask
    # The mean of a cell with one masked pixel of 255 rounds to at least 1.
    coarse = cv2.resize(255 * padded, cells[::-1], interpolation=cv2.INTER_AREA)
    near = cv2.dilate((coarse > 0).view(np.uint8), np.ones((3, 3), np.uint8))
    stats = cv2.connectedComponentsWithStats(near, connectivity=8)[2][1:, :4] * _CELL
    x0, y0, x1, y1 = stats[:, 0], stats[:, 1], stats[:, 0] + stats[:, 2], stats[:, 1] + stats[:, 3]
    return np.stack([x0, y0, np.minimum(x1, width), np.minimum(y1, height)], axis=1)


def _paint(region: np.ndarray, masked: np.ndarray) -> None:
    # In place.
    around = region[~masked]
    if len(around) and np.ptp(around, axis=0).max() <= _EVEN:
        region[masked] = np.median(around, axis=0).astype(region.dtype)
    else:
        painted = cv2.inpaint(region, masked.view(np.uint8), _RADIUS, cv2.INPAINT_TELEA)
        region[masked] = painted[masked]
