"""The perceptual hash by which near-duplicates are found: alike images differ in few bits."""

import cv2
import imagehash
import numpy as np
from PIL import Image

from mmdet_liver.preparation.cleansing.sector import sector_mask, small_copy

# Ultrasound has 4 and more, mostly 15 to 45; noise alone less than 1, writing on black about 2.
# In frames dimmed to 1, noise changes the hash by 8 bits and more; in frames of 3, by 2 to 4.
MIN_CONTRAST = 3.0
_TILE = 64  # pixels
_FULL = 3**0.5  # half the side of a rectangle, in standard deviations of its pixels


def perceptual_hash(image: np.ndarray) -> tuple[int, float]:
    """64-bit DCT hash of the middle of the sector, and the contrast it rests on.

    Bit 63 (the highest) is the constant term; then follow, row by row, the coefficients of
    rising horizontal frequency, as in `str(imagehash.phash(...))`. Half of the bits are
    set, so two hashes differ in an even number of bits.

    Args:
        image: (H, W) or (H, W, 3) BGR uint8.
    Returns:
        hash in 0..2**64 - 1; contrast, the standard deviation of an 8x8 copy in grey
        levels. Below MIN_CONTRAST the hash says nothing and must not be compared.
    Source: https://github.com/JohannesBuchner/imagehash, `phash`.
    """
    small, _ = small_copy(image)
    tile = _middle(small, sector_mask(small))
    bits = imagehash.phash(Image.fromarray(tile)).hash
    contrast = cv2.resize(tile, (8, 8), interpolation=cv2.INTER_AREA).std()
    return int.from_bytes(np.packbits(bits).tobytes(), 'big'), float(contrast)


def _middle(small: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """What lies in the middle of the sector, stretched to (_TILE, _TILE) uint8.

    A box around a fan would spend most bits on the fan's outline, which all images of a
    scanner share, and its edges move with every dark margin. Centre and spread of the
    sector's pixels hardly move; the box that they give is all of a rectangle and the
    inner two thirds of a fan.
    """
    y, x = np.nonzero(sector)
    spread = np.array([x.std(), y.std()]) + 1e-6
    # Share of its own bounding box that the sector fills: 1 of a rectangle, 0.7 of a fan.
    filled = len(x) / ((np.ptp(x) + 1) * (np.ptp(y) + 1))
    side = 2 * _FULL * filled * spread
    corner = np.array([x.mean(), y.mean()]) + 0.5 - side / 2
    scale = side / _TILE
    shift = corner + 0.5 * scale - 0.5  # centres of pixels lie at whole numbers
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    return cv2.warpAffine(
        small,
        matrix,
        (_TILE, _TILE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
