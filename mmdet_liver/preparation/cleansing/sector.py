"""Where the ultrasound is in an image: the sector, without the black border and what is in it.

All is measured on a small grey copy. A median there wipes out what is thin (text, rulers,
calipers, bars), so that of the bright rest the tissue is the largest by far.
"""

import cv2
import numpy as np

_SMALL_SIDE = 200  # of the small copy, at most, in pixels
_THIN = 5  # a median of this side wipes out strokes of 2 pixels of the small copy,
_BAR = 7  # and one of this side, of the mask, bars of 3
_LINE = 5  # what is lower than this is a line of writing
# Tissue is so much brighter than the darkest part of the image, in grey levels, and has so
# much of the brightness of its bright part. The second rules in most images, and follows gain.
_ABOVE_BLACK, _OF_BRIGHT = 4, 0.06
_DARK = 32  # where nothing is darker, tissue fills the image
_SECOND_VIEW = 0.1  # of the largest part; smaller ones are writing
_LEAST_SHARE = 0.1  # of the image; a sector smaller than this is none


def sector_box(image: np.ndarray) -> tuple[int, int, int, int]:
    """Box around the sector, or around all of them if the screen is divided.

    Sides that are black for want of contact with the skin may be cut off.

    Args:
        image: (H, W) or (H, W, 3) BGR uint8.
    Returns:
        xyxy in pixels, the far edge exclusive, within about 2% of the image's sides; the
        whole image if nothing in it looks like a sector.
    """
    small, factor = small_copy(image)
    x, y, width, height = cv2.boundingRect(sector_mask(small).view(np.uint8))
    # A pixel more at each side: the medians nibble at the corners.
    x0, y0 = max(x - 1, 0) * factor, max(y - 1, 0) * factor
    x1, y1 = x + width + 1, y + height + 1
    # The small copy leaves out what does not make a whole pixel of it.
    x1 = image.shape[1] if x1 >= small.shape[1] else x1 * factor
    y1 = image.shape[0] if y1 >= small.shape[0] else y1 * factor
    return x0, y0, x1, y1


def small_copy(image: np.ndarray) -> tuple[np.ndarray, int]:
    """Grey copy of at most 200 pixels a side, without thin marks, and the factor to it.

    Very long images keep at least one row. The last pixels of each side that do not make
    a whole one of the copy are left out.

    Args:
        image: (H, W) or (H, W, 3) BGR uint8.
    Returns:
        (H // factor, W // factor) uint8, factor.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    height, width = gray.shape
    factor = min(-(-max(height, width) // _SMALL_SIDE), height, width)
    # Whole factors are several times faster in OpenCV.
    small = cv2.resize(
        gray[: height // factor * factor, : width // factor * factor],
        (width // factor, height // factor),
        interpolation=cv2.INTER_AREA,
    )
    return cv2.medianBlur(small, _THIN), factor


def sector_mask(small: np.ndarray) -> np.ndarray:
    """The sector's convex hull in the small copy, all of it if there is no sector.

    Args:
        small: (h, w) uint8 from `small_copy`.
    Returns:
        (h, w) bool.
    """
    points = _tissue(small)
    hull = np.zeros(small.shape, np.uint8)
    if points is not None:
        cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    if np.count_nonzero(hull) < _LEAST_SHARE * hull.size:
        hull[:] = 1
    return hull.view(bool)


def _tissue(small: np.ndarray) -> np.ndarray | None:
    """(P, 1, 2) outline, pixels (x, y), of what is bright and large; None if nothing is."""
    darkest, bright = np.percentile(small, (1, 90))
    black = darkest if darkest < _DARK else 0
    # The median leaves grey lines of dense writing, which may touch the sector.
    high = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((_LINE, 1), np.uint8))
    lit = (high > max(black + _ABOVE_BLACK, _OF_BRIGHT * bright)).view(np.uint8)
    # The mean of zeros and ones tells their median, ten times faster.
    solid = (cv2.blur(255 * lit, (_BAR, _BAR)) > 127).view(np.uint8)
    parts, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    areas = [cv2.contourArea(part) for part in parts]
    large = [p for p, area in zip(parts, areas, strict=True) if area >= _SECOND_VIEW * max(areas)]
    return np.concatenate(large) if large else None
