"""Which files every reader sees alike, and the 8-bit pixels of those that it would not.

OpenCV, Pillow and with them MMDetection agree on 8-bit PNG, JPEG, BMP, TIFF and WebP, with
palette or transparency too; such a file is left as it is, byte for byte.
"""

import cv2
import numpy as np
from PIL import Image

from mmdet_liver.images import exif_orientation, pixels_of

_CONTAINERS = ('PNG', 'JPEG', 'BMP', 'TIFF', 'WEBP')
_MODES = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA')
# 12 bits in 16 are common in medical files; divided by 256 they would come out nearly black.
_TWELVE_BITS = 1 << 12


def why_converted(image: Image.Image) -> str:
    """Why the file is written anew as 8-bit PNG; empty if it stays as it is."""
    if image.mode.startswith('I') or _has_deep_channels(image):
        return '16-bit'
    if image.mode not in _MODES:
        return f'colour mode {image.mode}'
    if exif_orientation(image) != 1:
        return 'turned by EXIF'
    return '' if image.format in _CONTAINERS else f'{image.format} file'


def _has_deep_channels(image: Image.Image) -> bool:
    # Pillow opens 48-bit colour as if it had 8 bits a channel; the decoder's mode tells.
    return any(';16' in str(tile[3]) for tile in image.tile)


def frames_of(image: Image.Image) -> int:
    """How many pictures the file holds."""
    return getattr(image, 'n_frames', 1)


def standard_pixels(image: Image.Image) -> np.ndarray:
    """uint8 pixels, upright: (H, W) of a grey picture however it is stored, else (H, W, 3) BGR.

    16-bit values are divided by 256, or by 16 where none reaches 4096.
    """
    if image.mode.startswith('I'):
        values = np.asarray(image)
        if values.max() < _TWELVE_BITS:
            image = Image.fromarray(values.astype(np.uint16) << 4)
    return in_one_channel(pixels_of(image))


def in_one_channel(pixels: np.ndarray) -> np.ndarray:
    """(H, W) of a picture whose channels are all equal; any other as it is.

    Scanners save grey screens in colour, which is three times the work for every step.
    """
    return cv2.extractChannel(pixels, 0) if pixels.ndim == 3 and _is_grey(pixels) else pixels


def _is_grey(pixels: np.ndarray) -> bool:
    sparse = pixels[::16, ::16].astype(np.int16)
    if np.ptp(sparse, axis=2).any():  # spares most coloured ones the whole look
        return False
    blue, green, red = cv2.split(pixels)
    return np.array_equal(blue, green) and np.array_equal(blue, red)
