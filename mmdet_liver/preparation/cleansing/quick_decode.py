"""Decoding what most exports consist of, whole 8-bit PNG and JPEG files, by OpenCV.

Pillow notices damage that OpenCV passes over, and takes half as long again. So the file is
proved whole first, by its checksums or its end marker; whatever is out of the ordinary is left
to Pillow. The pixels are those that MMDetection's loader gives the network.
"""

import zlib

import cv2
import numpy as np
from PIL import Image

from mmdet_liver.images import exif_orientation

_PNG_HEAD = 8
# Chunks that say nothing about how pixels are to be read.
_PLAIN = {b'IHDR', b'IDAT', b'IEND', b'tEXt', b'pHYs', b'tIME', b'gAMA', b'cHRM', b'sRGB', b'iCCP',
          b'sBIT', b'bKGD'}  # fmt: skip
_TAIL = 4096  # bytes; scanners write comments and the like after the end marker


def quick_pixels(data: bytes, image: Image.Image) -> np.ndarray | None:
    """uint8 (H, W) or (H, W, 3) BGR, or None where the file is out of the ordinary.

    Args:
        data: the file's bytes.
        image: the same file, opened by Pillow; it is not decoded.
    """
    if image.mode not in ('L', 'RGB') or not _is_plain(data, image):
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    expected = image.size[::-1] + ((3,) if image.mode == 'RGB' else ())
    if pixels is None or pixels.dtype != np.uint8 or pixels.shape != expected:
        return None
    return pixels


def _is_plain(data: bytes, image: Image.Image) -> bool:
    if image.format == 'PNG':
        return _is_plain_png(memoryview(data))
    if image.format == 'JPEG':
        return b'\xff\xd9' in data[-_TAIL:] and exif_orientation(image) == 1
    return False


def _is_plain_png(data: memoryview) -> bool:
    start = _PNG_HEAD
    while start + 12 <= len(data):  # length, name, content, checksum
        end = start + 8 + int.from_bytes(data[start : start + 4], 'big')
        kind = bytes(data[start + 4 : start + 8])
        checksum = int.from_bytes(data[end : end + 4], 'big')
        if kind not in _PLAIN or zlib.crc32(data[start + 4 : end]) != checksum:
            return False
        if kind == b'tEXt' and b'Raw profile' in bytes(data[start + 8 : end]):
            return False  # EXIF as some programs hide it
        if kind == b'IEND':
            return True
        start = end + 4
    return False
