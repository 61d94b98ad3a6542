"""How an image of the export is named and pictured on every page."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from mmdet_liver.preparation.cleansing.review.facts import ReviewImage
from mmdet_liver.preparation.cleansing.review.pages import Picture

_PATIENT_LETTERS = 10
_NO_PICTURE = 'no picture: this image is not in the manifest'


def picture_of(
    image_path: str,
    images: Mapping[str, ReviewImage],
    what: Iterable[str],
    frame: tuple[int, int, int] | None = None,
) -> Picture:
    """The source image with its lesions; `what` are the caption's lines on what was done."""
    image = images.get(image_path)
    if image is None:
        caption = ('unknown', *what, name_line(image_path))
        return Picture(None, caption, instead=_NO_PICTURE, frame=frame)
    caption = (diagnosis_line(image), *what, origin_line(image), name_line(image_path))
    return Picture(image.file, caption, boxes=image.boxes, frame=frame)


def diagnosis_line(image: ReviewImage) -> str:
    return ', '.join(dict.fromkeys(image.diagnoses)) or 'no lesion'


def origin_line(image: ReviewImage) -> str:
    """The patient, shortened, and the size."""
    patient = image.patient_id
    if len(patient) > _PATIENT_LETTERS:
        patient = f'{patient[: _PATIENT_LETTERS - 1]}…'
    size = f'{image.size[0]}x{image.size[1]}' if image.size else 'size unknown'
    return f'{patient or "patient unknown"} · {size}'


def name_line(image_path: str) -> str:
    """Enough of the path to find its row: folder and name, or the name where it is a hash."""
    path = PurePosixPath(image_path).with_suffix('')
    folder = path.parent.name
    # Of an importer's `images/ab/abcdef...` the folders say nothing.
    alone = not folder or folder == 'images' or path.name.startswith(folder)
    return path.name if alone else f'{folder}/{path.name}'
