"""Where the sound ran: scan line and depth of each pixel, estimated from the image alone.

A curved array scans a fan, whose straight sides meet above the image; a linear one scans a
rectangle. Which it is, and where, shows in the outline of the sector.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.sector import sector_mask, small_copy

# Sides that open by less than this (radians, about 8 degrees) are those of a linear array.
_LEAST_OPENING = 0.15
# The rows of the sector that show its sides: below the probe's arc, above the bottom's.
_SIDE_ROWS = (0.2, 0.6)
_BORDER = 0.02  # of the width: a side nearer to the image's border was cut off by it


@dataclass(frozen=True)
class ScanLines:
    """Scan line and depth of each pixel of a coarse grid over the image, both (h, w) float32.

    `lateral` is 0 at the left edge of the sector to 1 at the right one, `depth` 0 at the
    probe to 1 at the bottom; outside the sector they go on beyond that.
    """

    lateral: np.ndarray
    depth: np.ndarray


def scan_lines(img: np.ndarray) -> ScanLines:
    """Estimate the scan lines of a B-mode image; depth runs downwards.

    An image without a visible sector counts as scanned by a linear array all over.

    Args:
        img: (H, W) or (H, W, 3), uint8 or float of 0..255, BGR.
    """
    small, _ = small_copy(img if img.dtype == np.uint8 else np.clip(img, 0, 255).astype(np.uint8))
    mask = sector_mask(small)
    apex = _apex(mask)
    return _straight(mask) if apex is None else _fanned(mask, *apex)


def _straight(mask: np.ndarray) -> ScanLines:
    x0, y0, width, height = cv2.boundingRect(mask.view(np.uint8))
    x, y = _pixels(mask)
    lateral, depth = (x - x0) / np.float32(width), (y - y0) / np.float32(height)
    return ScanLines(*(np.broadcast_to(one, mask.shape) for one in (lateral, depth)))


def _fanned(mask: np.ndarray, apex_x: float, apex_y: float) -> ScanLines:
    x, y = _pixels(mask)
    radius, angle = np.hypot(x - apex_x, y - apex_y), np.arctan2(x - apex_x, y - apex_y)
    left, right = angle[mask].min(), angle[mask].max()
    # The mask is convex: it ends at the chord of the probe's arc, above the arc itself.
    near, far = radius[mask].min() / np.cos((right - left) / 2), radius[mask].max()
    return ScanLines((angle - left) / (right - left), (radius - near) / (far - near))


def _apex(mask: np.ndarray) -> tuple[float, float] | None:
    """Where the sides meet above the sector, (x, y) in pixels; None if they are parallel."""
    rows = np.flatnonzero(mask.any(axis=1))
    share = (rows - rows[0]) / max(len(rows) - 1, 1)
    rows = rows[(share >= _SIDE_ROWS[0]) & (share <= _SIDE_ROWS[1])]
    left = mask[rows].argmax(axis=1)
    right = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    border = _BORDER * mask.shape[1]
    seen = (left > border) & (right < mask.shape[1] - 1 - border)
    if np.count_nonzero(seen) < 5:
        return None
    (left_slope, left_at), (right_slope, right_at) = (
        np.polyfit(rows[seen], side[seen], 1) for side in (left, right)
    )
    if right_slope - left_slope < _LEAST_OPENING:
        return None
    y = (left_at - right_at) / (right_slope - left_slope)
    return float(left_slope * y + left_at), float(y)


def _pixels(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x (1, w) and y (h, 1) of the pixels, float32."""
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    return x.astype(np.float32), y.astype(np.float32)
