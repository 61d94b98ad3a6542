"""Loading an image so that a missing or broken file is named, not trained on."""

from pathlib import Path

import cv2
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS

from mmdet_liver.errors import input_error

# How a complete file ends. JPEGs may carry bytes after the end marker, hence a window.
_ENDS = {b'\x89PNG': b'IEND', b'\xff\xd8': b'\xff\xd9'}
_TAIL_BYTES = 4096


@TRANSFORMS.register_module()
class LoadUltrasoundImage(LoadImageFromFile):
    """MMCV's `LoadImageFromFile` (same arguments, same keys) that refuses broken files.

    OpenCV decodes the rest of a truncated PNG or JPEG as black or grey without an error.

    Raises:
        InputError: naming the file, when it is missing, truncated or no image.
    """

    def transform(self, results: dict) -> dict | None:
        """Add `img` (H, W, 3) BGR, `img_shape` and `ori_shape`."""
        path = Path(results['img_path'])
        if path.is_file() and is_truncated(path):
            raise input_error(path, 'a truncated image', 'a complete one', 'export it again')
        try:
            return super().transform(results)
        except FileNotFoundError:
            raise input_error(
                path, 'no such image', 'a readable file', "check the data set's data_prefix"
            ) from None
        except (AssertionError, OSError, ValueError, cv2.error) as error:
            raise input_error(
                path,
                f'no readable image ({_first_line(error)})',
                'PNG, JPEG, ...',
                'export it again',
            ) from None


def is_truncated(path: Path) -> bool:
    """Whether a PNG or JPEG lacks its end marker; other formats are left to the decoder."""
    with path.open('rb') as file:
        start = file.read(4)
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    return any(start.startswith(magic) and end not in tail for magic, end in _ENDS.items())


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [''])[0]
