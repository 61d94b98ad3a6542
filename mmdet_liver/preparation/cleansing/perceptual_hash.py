"""What near-duplicates are found by: a hash that differs in few bits, a tile that correlates."""

from dataclasses import dataclass

import cv2
import imagehash
import numpy as np
from PIL import Image

from mmdet_liver.preparation.cleansing.sector import sector_mask, small_copy
from mmdet_liver.preparation.cleansing.tiles import make_tile

# Ultrasound has 4 and more, mostly 15 to 45; noise alone less than 1, writing on black about 2.
# In frames dimmed to 1, noise changes the hash by 8 bits and more; in frames of 3, by 2 to 4.
MIN_CONTRAST = 3.0
_SIDE = 64  # pixels
_FULL = 3**0.5  # half the side of a rectangle, in standard deviations of its pixels


@dataclass(frozen=True, eq=False, slots=True)
class Appearance:
    """How an image looks in the middle of its sector.

    Attributes:
        hash: 64-bit DCT hash, 0 to 2**64 - 1. Bit 63 (the highest) is the constant term;
            then follow, row by row, the coefficients of rising horizontal frequency, as in
            `str(imagehash.phash(...))`. Half of the bits are set, so two hashes differ in
            an even number of bits.
        contrast: standard deviation of an 8x8 copy, in grey levels. Below MIN_CONTRAST the
            hash says nothing and must not be compared.
        tile: (32, 32) uint8 from `make_tile`, to confirm what the hash says.
    """

    hash: int
    contrast: float
    tile: np.ndarray


def appearance_of(image: np.ndarray) -> Appearance:
    """Hash, contrast and tile of an image.

    Args:
        image: (H, W) or (H, W, 3) BGR uint8.
    Source: https://github.com/JohannesBuchner/imagehash, `phash`, for the hash.
    """
    small, _ = small_copy(image)
    middle = _middle(small, sector_mask(small))
    bits = imagehash.phash(Image.fromarray(middle)).hash
    contrast = cv2.resize(middle, (8, 8), interpolation=cv2.INTER_AREA).std()
    value = int.from_bytes(np.packbits(bits).tobytes(), 'big')
    return Appearance(value, float(contrast), make_tile(middle))


def _middle(small: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """What lies in the middle of the sector, stretched to (_SIDE, _SIDE) uint8.

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
    scale = side / _SIDE
    shift = corner + 0.5 * scale - 0.5  # centres of pixels lie at whole numbers
    matrix = np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]])
    return cv2.warpAffine(
        small,
        matrix,
        (_SIDE, _SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
