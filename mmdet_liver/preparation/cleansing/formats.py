"""Which files every reader sees alike, and the 8-bit pixels of those that it would not.

OpenCV, Pillow and with them MMDetection agree on 8-bit PNG, JPEG, BMP, TIFF and WebP, with
palette or transparency too; such a file is left as it is, byte for byte.
"""

import numpy as np
from PIL import Image

from mmdet_liver.images import exif_orientation, pixels_of

_CONTAINERS = ('PNG', 'JPEG', 'BMP', 'TIFF', 'WEBP')
_MODES = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA')
# 12 bits in 16 are common in medical files; divided by 256 they would come out nearly black.
_TWELVE_BITS = 1 << 12


def why_converted(image: Image.Image) -> str:
    """Why the file is written anew as 8-bit PNG; empty if it stays as it is."""
    if image.mode.startswith('I'):
        return '16-bit'
    if image.mode not in _MODES:
        return f'colour mode {image.mode}'
    if exif_orientation(image) != 1:
        return 'turned by EXIF'
    return '' if image.format in _CONTAINERS else f'{image.format} file'


def frames_of(image: Image.Image) -> int:
    """How many pictures the file holds."""
    return getattr(image, 'n_frames', 1)


def standard_pixels(image: Image.Image) -> np.ndarray:
    """uint8 pixels, (H, W) grey or (H, W, 3) BGR, upright.

    16-bit values are divided by 256, or by 16 where none reaches 4096.
    """
    if image.mode.startswith('I'):
        values = np.asarray(image)
        if values.max() < _TWELVE_BITS:
            image = Image.fromarray(values.astype(np.uint16) << 4)
    return pixels_of(image)
