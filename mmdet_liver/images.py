"""Reading images so that a damaged one is noticed; every room uses this one reader.

OpenCV fills the missing part of a truncated JPEG with grey and goes on; Pillow raises,
so Pillow decodes wherever correctness comes before speed. Pixels are those that OpenCV,
and with it MMDetection's loader, gives the network: BGR, 8 bits, turned by the EXIF
orientation.
"""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageOps

from mmdet_liver.errors import input_error

# Ten times a large ultrasound frame; a file beyond it is something else, and to decode it
# takes the memory of several workers.
MAX_PIXELS = 50_000_000

_PILLOW_FAILS_WITH = (
    OSError,  # unreadable, unknown format, truncated
    SyntaxError,  # broken PNG chunks
    ValueError,
    Image.DecompressionBombError,
)
_PNG, _PNG_END = b'\x89PNG\r\n\x1a\n', b'\0\0\0\0IEND'
_JPEG, _JPEG_SCAN, _JPEG_END = b'\xff\xd8\xff', 0xDA, b'\xff\xd9'
_TAIL_BYTES = 4096  # scanners write comments and the like after the end marker


def read_image(path: str | Path) -> np.ndarray:
    """Decode every pixel.

    Returns:
        uint8, (H, W) for a grey image, (H, W, 3) BGR for any other; transparency is
        dropped, 16-bit values are divided by 256.
    Raises:
        InputError: if the file is missing, no image, or damaged.
    """
    return with_image(path, pixels_of)


def image_size(path: str | Path) -> tuple[int, int]:
    """Width and height in pixels from the header alone; damaged pixels go unnoticed.

    Raises:
        InputError: if the file is missing or no image.
    """
    return with_image(path, displayed_size)


def checked_size(path: str | Path) -> tuple[int, int]:
    """Width and height in pixels, after every pixel has been decoded.

    Raises:
        InputError: if the file is missing, no image, or damaged.
    """

    def decode_and_measure(image: Image.Image) -> tuple[int, int]:
        image.load()
        return displayed_size(image)

    return with_image(path, decode_and_measure)


def check_image_file(path: str | Path) -> None:
    """Check header and, of PNG and JPEG, the end marker; cheap, as no pixel is decoded.

    Raises:
        InputError: if the file is missing, no image, or cut off.
    """
    with_image(path, lambda image: None)
    if _is_truncated(Path(path)):
        raise input_error(path, 'a truncated image', 'a complete one', 'export it again')


def _is_truncated(path: Path) -> bool:
    with path.open('rb') as file:
        magic = file.read(len(_PNG))
        if magic == _PNG:
            return not _holds(file, _PNG_END, len(_PNG))
        if magic.startswith(_JPEG):
            return not _holds(file, _JPEG_END, _scan_start(file))
    return False  # other formats are left to the decoder


def _holds(file: BinaryIO, marker: bytes, start: int) -> bool:
    # Whether the marker comes at `start` or later; most often it ends the file.
    tail = max(start, file.seek(0, 2) - _TAIL_BYTES)
    for begin in (tail, start) if tail > start else (start,):
        file.seek(begin)
        if marker in file.read():
            return True
    return False


def _scan_start(file: BinaryIO) -> int:
    # Where a JPEG's pixels begin: a thumbnail in the header has an end marker of its own.
    position = 2
    while True:
        file.seek(position)
        head = file.read(4)  # 0xff, kind, length of the segment
        if len(head) < 4 or head[0] != 0xFF or head[1] == _JPEG_SCAN:
            return position
        # A segment may be preceded by any number of 0xff.
        position += 1 if head[1] == 0xFF else 2 + int.from_bytes(head[2:], 'big')


def with_image(
    path: str | Path, use: Callable[[Image.Image], Any], *, data: bytes | None = None
) -> Any:
    """`use(image)` of the opened file, whatever is wrong with the file turned into one line.

    Args:
        use: must do all the decoding; the image is closed afterwards.
        data: the file's bytes, where they have been read already.
    Raises:
        InputError: if the file is missing, no image, or `use` found it damaged.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of large images; beyond twice that size it raises.
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            with Image.open(path if data is None else io.BytesIO(data)) as image:
                return use(image)
    except FileNotFoundError:
        raise input_error(
            path, 'no such file', 'an image', 'restore it, or drop it from the data set'
        ) from None
    except _PILLOW_FAILS_WITH as error:
        reason = ' '.join(str(error).split())
        raise input_error(
            path,
            f'a file that does not decode ({reason})',
            'a whole image',
            'replace it, or drop it from the data set',
        ) from None


def pixels_of(image: Image.Image) -> np.ndarray:
    """The pixels as `read_image` describes them."""
    image.load()  # raises for a truncated file
    if exif_orientation(image) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith('I;16') or image.mode == 'I':
        return (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
    if image.mode in ('1', 'L', 'LA', 'F'):
        return np.array(image if image.mode == 'L' else image.convert('L'))
    rgb = image if image.mode == 'RGB' else image.convert('RGB')
    return cv2.cvtColor(np.asarray(rgb), cv2.COLOR_RGB2BGR)


def displayed_size(image: Image.Image) -> tuple[int, int]:
    """Width and height in pixels, after the turn that EXIF asks for."""
    width, height = image.size
    return (height, width) if exif_orientation(image) in (5, 6, 7, 8) else (width, height)


def exif_orientation(image: Image.Image) -> int:
    """1 for upright, 2 to 8 as EXIF numbers the turns and flips."""
    return image.getexif().get(0x0112, 1)
