"""Images without their marks: made once, while an image is measured, and kept until placed."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmdet_liver.files import whole_file
from mmdet_liver.preparation.cleansing.marks.finding import Marks
from mmdet_liver.preparation.cleansing.marks.letters import lines_of_text
from mmdet_liver.preparation.cleansing.marks.removal import remove_marks

# Level 1 and one filter for all rows take a third of the time of OpenCV's defaults and a
# tenth more room. (Before OpenCV 4.11 the filter could not be chosen.)
PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]
if hasattr(cv2, 'IMWRITE_PNG_FILTER'):
    PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]


def without_marks(image: np.ndarray, marks: Marks) -> tuple[np.ndarray, np.ndarray]:
    """The image with its marks painted over, and the mask that is saved beside it.

    Args:
        image: (H, W) or (H, W, 3) uint8.
    Returns:
        of the shape of `image`; (H, W) uint8, 255 where a mark was. Lines of text are blocks
        in it, since outlines of letters would say what was taken out.
    """
    shown = marks.mask | lines_of_text(marks)
    return remove_marks(image, marks.mask), shown.astype(np.uint8) * 255


def cleaned_files(folder: Path, path: str) -> tuple[Path, Path]:
    """Where the image without marks and its mask are kept, of an image's path."""
    return folder / f'{path}.png', folder / f'{path}.mask.png'


def keep_cleaned(folder: Path, path: str, clean: np.ndarray, mask: np.ndarray) -> None:
    """Write both files; each appears whole or not at all."""
    clean_file, mask_file = cleaned_files(folder, path)
    with whole_file(clean_file) as temporary:
        temporary.write_bytes(cv2.imencode('.png', clean, PNG)[1].tobytes())
    write_mask(mask_file, mask)


def write_mask(file: Path, mask: np.ndarray) -> None:
    """Write a mask, (H, W) uint8 of 0 and 255, as a PNG of one bit a pixel."""
    with whole_file(file) as temporary:
        Image.fromarray(mask > 0).save(temporary, 'PNG', compress_level=1)
