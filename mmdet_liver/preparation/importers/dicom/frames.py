"""One frame into the output: cropped, without the scanner's marks, as PNG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mmdet_liver.files import whole_file
from mmdet_liver.preparation.cleansing.marks.finding import find_marks
from mmdet_liver.preparation.cleansing.marks.letters import letters_left, lines_of_text
from mmdet_liver.preparation.cleansing.marks.removal import remove_marks
from mmdet_liver.preparation.cleansing.sector import sector_box
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.dicom.pixel_data import Frames
from mmdet_liver.preparation.importers.dicom.shades import without_colour
from mmdet_liver.preparation.importers.dicom.views import Box
from mmdet_liver.preparation.importers.imported import IMAGES

MASKS = 'masks'
# Of a clip, how many frames tell where the sector is.
_SAMPLES = 3


@dataclass(frozen=True)
class Place:
    """Where an image and its mask go, relative to the output; `name` is without suffix."""

    name: str

    @property
    def image_path(self) -> str:
        return f'{IMAGES}/{self.name}.png'

    @property
    def mask_path(self) -> str:
        return f'{MASKS}/{self.name}.png'


def sector_of(frames: Frames, boxes: Sequence[tuple[float, float, float, float]]) -> Box:
    """The sector of a file whose header does not tell it, xyxy in pixels of the frame.

    Args:
        boxes: of lesions, which stay inside whatever the sector is.
    """
    chosen = sorted({round(i * (frames.count - 1) / (_SAMPLES - 1)) for i in range(_SAMPLES)})
    # The brightest of each pixel: one frame alone may be dark.
    brightest = frames.decode(chosen[0])
    for index in chosen[1:]:
        brightest = np.maximum(*_alike(brightest, frames.decode(index)))
    x0, y0, x1, y1 = sector_box(brightest)
    width, height = frames.size
    for x_min, y_min, x_max, y_max in boxes:
        x0, y0 = min(x0, max(int(x_min), 0)), min(y0, max(int(y_min), 0))
        x1, y1 = max(x1, min(int(-(-x_max // 1)), width)), max(y1, min(int(-(-y_max // 1)), height))
    return x0, y0, x1, y1


def write_frame(
    image: np.ndarray, out: Path, place: Place, *, keep_marks: bool
) -> Iterator[Decision]:
    """Write the image, and where marks are removed their mask; yield what was decided.

    Args:
        image: (H, W) or (H, W, 3) BGR, uint8, cropped.
    """
    image = without_colour(image)
    if keep_marks:
        _write_png(out / place.image_path, image)
        return
    marks = find_marks(image)
    if marks.masks:
        lines = lines_of_text(marks)
        image = remove_marks(image, marks.mask | letters_left(image, marks, lines))
        image = without_colour(image)
        mask = marks.mask | lines
        _write_png(out / place.mask_path, mask.astype(np.uint8) * 255)
        kinds, share = ', '.join(marks.masks), round(float(mask.mean()), 6)
        yield Decision(
            place.image_path, 'marks', 'cleaned', kinds, share, mask_path=place.mask_path
        )
    if marks.doppler:
        why = 'mostly colour Doppler; its colours are left as they are'
        yield Decision(place.image_path, 'marks', 'flagged', why)
    _write_png(out / place.image_path, image)


def _alike(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # A clip's frames may be grey in part only.
    if a.ndim == b.ndim:
        return a, b
    return tuple(cv2.cvtColor(x, cv2.COLOR_GRAY2BGR) if x.ndim == 2 else x for x in (a, b))


def _write_png(path: Path, image: np.ndarray) -> None:
    # Not imwrite: on a full disk it returns False, or nothing at all.
    content = cv2.imencode('.png', image)[1]
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
