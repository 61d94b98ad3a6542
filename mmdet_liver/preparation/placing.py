"""Images into the data set's folder: the same bytes, or a smaller copy."""

import filecmp
import shutil
from pathlib import Path

import cv2

from mmdet_liver.errors import input_error
from mmdet_liver.files import whole_file
from mmdet_liver.images import read_image

# Far above what is visible: the copy is trained on in place of the original.
_JPEG_QUALITY = 95


def shrunk_size(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """(width, height) with the longer side at most `max_side`; never enlarged."""
    if max_side is None or max(size) <= max_side:
        return size
    scale = max_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def place_image(
    source_root: Path, target_root: Path, path_and_size: tuple[str, tuple[int, int] | None]
) -> None:
    """Put one image at the same path below `target_root`; an equal file there is left alone.

    Args:
        path_and_size: path below either root, and (width, height) in pixels to shrink the
            copy to, or None for the same bytes.
    """
    path, size = path_and_size
    source, target = source_root / path, target_root / path
    if size is not None:
        _shrink(source, target, size)
    elif not (target.exists() and filecmp.cmp(source, target)):
        with whole_file(target) as temporary:
            shutil.copyfile(source, temporary)


def _shrink(source: Path, target: Path, size: tuple[int, int]) -> None:
    pixels = cv2.resize(read_image(source), size, interpolation=cv2.INTER_AREA)
    try:
        _, data = cv2.imencode(target.suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    except cv2.error:
        raise input_error(
            source,
            f'the format {target.suffix!r}, which OpenCV does not write',
            'PNG or JPEG where images are to shrink',
            'convert it, or leave --max-side away',
        ) from None
    with whole_file(target) as temporary:
        temporary.write_bytes(data.tobytes())
