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
from mmdet_liver.images import displayed_size, with_image
from mmdet_liver.preparation.cleansing.formats import frames_of, standard_pixels, why_converted
from mmdet_liver.preparation.cleansing.marks.finding import Marks, find_marks
from mmdet_liver.preparation.cleansing.marks.removal import remove_marks
from mmdet_liver.preparation.cleansing.perceptual_hash import perceptual_hash
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.parallel import map_in_order, worth_workers

# Raised when anything measured below would come out differently.
_VERSION = 1
# Ten times a large ultrasound frame; a file beyond it is something else, and takes the
# memory of several workers to decode.
MAX_PIXELS = 50_000_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one image file.

    Attributes:
        sha256: of the bytes.
        width, height: in pixels, upright.
        problem: what keeps the file from being used; then nothing below is known.
        too_large: more than MAX_PIXELS; not decoded, nothing below is known.
        conversion: why it is written anew as 8-bit PNG; empty if it is not.
        hash, contrast: as `perceptual_hash` gives them.
        clean_hash: the hash after the marks are removed; the same frame with and without
            its measurements may look alike only then.
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
    marks: tuple[tuple[str, float], ...] = ()
    doppler: bool = False


def measure_images(
    paths: list[str], root: Path, journal: Journal, *, workers: int = 1
) -> dict[str, Facts]:
    """The facts of each image below `root`; what the journal holds is not measured again."""
    known = [(path, _known_sha(journal, path)) for path in paths]
    measured = map_in_order(
        partial(_measure_unless_known, root),
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
    return _measure_unless_known(path.parent, (path.name, None))


def _measure_unless_known(root: Path, path_and_sha: tuple[str, str | None]) -> Facts | None:
    path, known_sha = path_and_sha
    try:
        data = (root / path).read_bytes()
    except OSError as error:
        return Facts('', problem=error.strerror.lower())
    sha = hashlib.sha256(data).hexdigest()
    if sha == known_sha:
        return None
    try:
        return with_image(path, partial(_measure, path, sha), data=data)
    except InputError as error:
        return Facts(sha, problem=found_of(error))


def _measure(path: str, sha: str, image: Image.Image) -> Facts:
    width, height = displayed_size(image)
    if width * height > MAX_PIXELS:
        return Facts(sha, width, height, too_large=True)
    if frames_of(image) > 1:
        raise input_error(
            path, f'{frames_of(image)} pictures in one file', 'one', 'export them one by one'
        )
    conversion = why_converted(image)
    pixels = standard_pixels(image)
    marks = find_marks(pixels)
    shares = tuple((kind, round(share, 6)) for kind, share in marks.shares.items())
    value, contrast = perceptual_hash(pixels)
    return Facts(
        sha,
        width,
        height,
        conversion=conversion,
        hash=value,
        clean_hash=_hash_without_marks(pixels, marks, value),
        contrast=round(contrast, 3),
        marks=shares,
        doppler=marks.doppler,
    )


def _hash_without_marks(pixels: np.ndarray, marks: Marks, value: int) -> int:
    if not marks.masks:
        return value
    return perceptual_hash(remove_marks(pixels, marks.mask))[0]


def _fingerprint(sha: str) -> str:
    return f'{_VERSION}:{sha}'


def _known_sha(journal: Journal, path: str) -> str | None:
    version, _, sha = (journal.fingerprint(path) or '').partition(':')
    return sha if sha and version == str(_VERSION) else None


def _from_json(value: list) -> Facts:
    *head, marks, doppler = value
    return Facts(*head, tuple((kind, share) for kind, share in marks), doppler)
