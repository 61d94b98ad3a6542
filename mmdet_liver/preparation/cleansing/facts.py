"""What is measured on one image, once: all that the steps of the cleansing decide by.

Nothing here depends on an option, so a measurement stays valid when thresholds change.
"""

import hashlib
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from mmdet_liver.errors import InputError, found_of, input_error
from mmdet_liver.images import MAX_PIXELS, displayed_size, with_image
from mmdet_liver.preparation.cleansing.cleaned import keep_cleaned, without_marks
from mmdet_liver.preparation.cleansing.formats import (
    frames_of,
    in_one_channel,
    standard_pixels,
    why_converted,
)
from mmdet_liver.preparation.cleansing.marks.finding import Marks, find_marks
from mmdet_liver.preparation.cleansing.perceptual_hash import appearance_of
from mmdet_liver.preparation.cleansing.quick_decode import quick_pixels
from mmdet_liver.preparation.cleansing.tiles import tile_text
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.parallel import map_in_order, worth_workers

# Raised when anything measured below would come out differently.
_VERSION = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one image file.

    Attributes:
        sha256: of the bytes.
        width, height: in pixels, upright.
        problem: what keeps the file from being used; then nothing below is known.
        too_large: more than MAX_PIXELS; not decoded, nothing below is known.
        conversion: why it is written anew as 8-bit PNG; empty if it is not.
        hash, contrast: as `appearance_of` gives them.
        clean_hash: the hash after the marks are removed; the same frame with and without
            its measurements may look alike only then.
        tile: as `tile_text` gives it, of the image without marks.
        marks: share of the image by kind, of the kinds found.
        doppler: the frame is mostly colour Doppler.
    """

    sha256: str
    width: int = 0
    height: int = 0
    problem: str = ''
    too_large: bool = False
    conversion: str = ''
    hash: int = 0
    clean_hash: int = 0
    contrast: float = 0.0
    tile: str = ''
    marks: tuple[tuple[str, float], ...] = ()
    doppler: bool = False


def measure_images(
    paths: list[str],
    root: Path,
    journal: Journal,
    *,
    cleaned: Path | None = None,
    workers: int = 1,
) -> dict[str, Facts]:
    """The facts of each image below `root`; what the journal holds is not measured again.

    Args:
        cleaned: folder that marked images are kept in without their marks, as they had to
            be cleaned to be compared.
    """
    known = [(path, _known_sha(journal, path)) for path in paths]
    measured = map_in_order(
        partial(_measure_unless_known, root, cleaned),
        known,
        label='measuring',
        workers=worth_workers(workers, len(known)),
        chunksize=16,
    )
    facts: dict[str, Facts] = {}
    for path, found in zip(paths, measured, strict=True):
        if found is None:
            found = _from_json(journal.get(path, journal.fingerprint(path)))
        else:
            journal.add(path, _fingerprint(found.sha256), astuple(found))
        facts[path] = found
    return facts


def measure_image(path: Path) -> Facts:
    """Read, decode and measure one file; a damaged one is a fact, not an error."""
    return _measure_unless_known(path.parent, None, (path.name, None))


def _measure_unless_known(
    root: Path, cleaned: Path | None, path_and_sha: tuple[str, str | None]
) -> Facts | None:
    path, known_sha = path_and_sha
    try:
        data = (root / path).read_bytes()
    except OSError as error:
        return Facts('', problem=error.strerror.lower())
    sha = hashlib.sha256(data).hexdigest()
    if sha == known_sha:
        return None
    try:
        return with_image(path, partial(_measure, path, sha, cleaned, data), data=data)
    except InputError as error:
        return Facts(sha, problem=found_of(error))


def _measure(path: str, sha: str, cleaned: Path | None, data: bytes, image: Image.Image) -> Facts:
    width, height = image.size
    if width * height > MAX_PIXELS:
        return Facts(sha, *displayed_size(image), too_large=True)
    conversion = ''
    pixels = quick_pixels(data, image)
    if pixels is None:
        if frames_of(image) > 1:
            raise input_error(
                path, f'{frames_of(image)} pictures in one file', 'one', 'export them one by one'
            )
        conversion = why_converted(image)
        pixels = standard_pixels(image)
        width, height = displayed_size(image)
    pixels = in_one_channel(pixels)
    marks = find_marks(pixels)
    clean = _clean(pixels, marks, path, cleaned)
    shares = tuple((kind, round(share, 6)) for kind, share in marks.shares.items())
    seen = appearance_of(pixels)
    bare = seen if clean is None else appearance_of(clean)
    return Facts(
        sha,
        width,
        height,
        conversion=conversion,
        hash=seen.hash,
        clean_hash=bare.hash,
        contrast=round(seen.contrast, 3),
        tile=tile_text(bare.tile),
        marks=shares,
        doppler=marks.doppler,
    )


def _clean(pixels: np.ndarray, marks: Marks, path: str, folder: Path | None) -> np.ndarray | None:
    if not marks.masks:
        return None
    clean, mask = without_marks(pixels, marks)
    if folder is not None:
        keep_cleaned(folder, path, clean, mask)
    return clean


def _fingerprint(sha: str) -> str:
    return f'{_VERSION}:{sha}'


def _known_sha(journal: Journal, path: str) -> str | None:
    version, _, sha = (journal.fingerprint(path) or '').partition(':')
    return sha if sha and version == str(_VERSION) else None


def _from_json(value: list) -> Facts:
    *head, marks, doppler = value
    return Facts(*head, tuple((kind, share) for kind, share in marks), doppler)
