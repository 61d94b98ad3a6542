"""What is measured on one image, once: all that the steps of the cleansing decide by.

Nothing here depends on an option, so a measurement stays valid when thresholds change.
"""

import hashlib
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

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
from mmdet_liver.preparation.cleansing.marks.finding import find_marks
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
        decoded = with_image(path, partial(_decode, path, data), data=data)
    except InputError as error:
        return Facts(sha, problem=found_of(error))
    return _measure(path, sha, decoded, cleaned)


class _Decoded(NamedTuple):
    """Pixels as `in_one_channel` gives them, None if there are too many of them."""

    size: tuple[int, int]
    pixels: np.ndarray | None
    conversion: str = ''


def _decode(path: str, data: bytes, image: Image.Image) -> _Decoded:
    if image.size[0] * image.size[1] > MAX_PIXELS:
        return _Decoded(displayed_size(image), None)
    pixels = quick_pixels(data, image)
    if pixels is not None:
        return _Decoded(image.size, in_one_channel(pixels))
    if frames_of(image) > 1:
        raise input_error(
            path, f'{frames_of(image)} pictures in one file', 'one', 'export them one by one'
        )
    why = why_converted(image)  # first: Pillow forgets how the pixels are stored
    return _Decoded(displayed_size(image), standard_pixels(image), why)


def _measure(path: str, sha: str, decoded: _Decoded, cleaned: Path | None) -> Facts:
    if decoded.pixels is None:
        return Facts(sha, *decoded.size, too_large=True)
    marks = find_marks(decoded.pixels)
    seen = bare = appearance_of(decoded.pixels)
    if marks.masks:
        clean, mask = without_marks(decoded.pixels, marks)
        bare = appearance_of(clean)
        if cleaned is not None:
            keep_cleaned(cleaned, path, clean, mask)
    return Facts(
        sha,
        *decoded.size,
        conversion=decoded.conversion,
        hash=seen.hash,
        clean_hash=bare.hash,
        contrast=round(seen.contrast, 3),
        tile=tile_text(bare.tile),
        marks=tuple((kind, round(share, 6)) for kind, share in marks.shares.items()),
        doppler=marks.doppler,
    )


def _fingerprint(sha: str) -> str:
    return f'{_VERSION}:{sha}'


def _known_sha(journal: Journal, path: str) -> str | None:
    version, _, sha = (journal.fingerprint(path) or '').partition(':')
    return sha if sha and version == str(_VERSION) else None


def _from_json(value: list) -> Facts:
    *head, marks, doppler = value
    return Facts(*head, tuple((kind, share) for kind, share in marks), doppler)
