"""Reading images so that a damaged one is noticed.

OpenCV fills the missing part of a truncated file with grey and goes on; Pillow raises,
so Pillow decodes wherever correctness comes before speed. Frame: as displayed, that is
turned by the EXIF orientation, which is also what MMDetection's loader shows the network.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from mmdet_liver.errors import input_error

_PILLOW_FAILS_WITH = (
    OSError,  # unreadable, unknown format, truncated
    SyntaxError,  # broken PNG chunks
    ValueError,
    Image.DecompressionBombError,
)


def read_image(path: str | Path) -> np.ndarray:
    """Decode every pixel.

    Returns:
        uint8, (H, W) for a grey image, (H, W, 3) BGR for any other; transparency is
        dropped, 16-bit values are divided by 256.
    Raises:
        InputError: if the file is missing, no image, or damaged.
    """
    return _guarded(path, _decode)


def image_size(path: str | Path) -> tuple[int, int]:
    """Width and height in pixels from the header alone; damaged pixels go unnoticed.

    Raises:
        InputError: if the file is missing or no image.
    """
    return _guarded(path, _displayed_size)


def checked_size(path: str | Path) -> tuple[int, int]:
    """Width and height in pixels, after every pixel has been decoded.

    Raises:
        InputError: if the file is missing, no image, or damaged.
    """

    def decode_and_measure(image: Image.Image) -> tuple[int, int]:
        image.load()
        return _displayed_size(image)

    return _guarded(path, decode_and_measure)


def _guarded(path: str | Path, use: Callable[[Image.Image], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            # Pillow warns of large images; beyond twice that size it raises.
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return use(image)
    except FileNotFoundError:
        raise input_error(
            path, 'no such file', 'an image', 'restore it, or drop it from the manifest'
        ) from None
    except _PILLOW_FAILS_WITH as error:
        reason = ' '.join(str(error).split())
        raise input_error(
            path,
            f'a file that does not decode ({reason})',
            'a whole image',
            'replace it, or drop it from the manifest',
        ) from None


def _decode(image: Image.Image) -> np.ndarray:
    image = ImageOps.exif_transpose(image)  # loads, and raises for a truncated file
    if image.mode.startswith('I;16') or image.mode == 'I':
        return (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
    if image.mode in ('1', 'L', 'LA', 'F'):
        return np.array(image.convert('L'))
    return np.ascontiguousarray(np.asarray(image.convert('RGB'))[..., ::-1])


def _displayed_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # 0x0112: orientation
    return (height, width) if turned else (width, height)
