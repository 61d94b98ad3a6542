"""Images into the data set's folder: the same bytes wherever possible, else written anew."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.files import copy_file, file_sha256, whole_file
from mmdet_liver.images import with_image
from mmdet_liver.preparation.cleansing.cleaned import (
    PNG,
    cleaned_files,
    without_marks,
    write_mask,
)
from mmdet_liver.preparation.cleansing.formats import standard_pixels
from mmdet_liver.preparation.cleansing.marks.finding import find_marks
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.parallel import map_in_order, worth_workers

# Raised when the same placement would come out with other pixels.
_VERSION = 1
_IMAGES = 'images'
# Far above what is visible: the copy is trained on in place of the original.
_ENCODING = [cv2.IMWRITE_JPEG_QUALITY, 95, *PNG]


@dataclass(frozen=True, slots=True)
class Placement:
    """How one image gets into the data set.

    Attributes:
        source, target: below the source's and the target's image folder, with `/`.
        sha256: of the source's bytes.
        size: (width, height) in pixels to shrink to, or None.
        convert: write it anew as 8-bit PNG.
        clean: remove the marks; then `target`'s name is also the mask's.
    """

    source: str
    target: str
    sha256: str
    size: tuple[int, int] | None = None
    convert: bool = False
    clean: bool = False

    @property
    def unchanged(self) -> bool:
        """Whether the very bytes are placed."""
        return self.size is None and not self.convert and not self.clean


def target_paths(rewritten: Mapping[str, bool]) -> dict[str, str]:
    """Source path -> path below the data set's `images/`; no two share one.

    Args:
        rewritten: source path -> whether it is written anew; that becomes PNG, which loses
            nothing.
    """
    # A manifest over an `images/` folder must not end in images/images.
    nested = all(PurePosixPath(path).parts[0] == _IMAGES for path in rewritten)
    nested = nested and all(len(PurePosixPath(path).parts) > 1 for path in rewritten)
    inner = {path: path.partition('/')[2] if nested else path for path in rewritten}
    taken = {inner[path] for path, anew in rewritten.items() if not anew}
    targets = {}
    for path, anew in rewritten.items():
        target = str(PurePosixPath(inner[path]).with_suffix('.png')) if anew else inner[path]
        if anew and target in taken:  # a.jpg beside a.png
            target = f'{inner[path]}.png'
        taken.add(target)
        targets[path] = target
    return targets


def shrunk_size(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """(width, height) with the longer side at most `max_side`; never enlarged."""
    if max_side is None or max(size) <= max_side:
        return size
    scale = max_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def place_images(
    placements: Sequence[Placement],
    source: Path,
    images: Path,
    masks: Path,
    journal: Journal,
    *,
    cleaned: Path,
    link: bool = False,
    workers: int = 1,
) -> None:
    """Place every image; one that an earlier run placed, and that is still whole, is kept.

    Args:
        images, masks: folders; of an image that is cleaned, a mask of the same name shows
            the removed marks in white, at the placed image's size.
        cleaned: folder of images without marks that the measuring kept; one that is
            missing is made again.
        link: hard-link unchanged images where the file system can.
    """
    known = [journal.get(p.target, _recipe(p)) for p in placements]
    placed = map_in_order(
        partial(_place, source, images, masks, cleaned, link),
        list(zip(placements, known, strict=True)),
        label='placing',
        workers=worth_workers(workers, len(placements)),
        chunksize=16,
    )
    for placement, digests in zip(placements, placed, strict=True):
        if digests is not None:
            journal.add(placement.target, _recipe(placement), digests)


def _recipe(placement: Placement) -> str:
    text = json.dumps([_VERSION, asdict(placement)])
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _place(
    source: Path,
    images: Path,
    masks: Path,
    cleaned: Path,
    link: bool,
    placement_and_known: tuple[Placement, list | None],
) -> list[str] | None:
    # The digests of what was written, or None if it was there: only rewritten images need
    # the journal, a copy's bytes are known beforehand.
    placement, known = placement_and_known
    target = images / placement.target
    if placement.unchanged:
        if file_sha256(target) != placement.sha256:
            copy_file(source / placement.source, target, link=link)
        return None
    files = [target]
    if placement.clean:
        files.append((masks / placement.target).with_suffix('.png'))
    if known is not None and [file_sha256(file) for file in files] == known:
        return None
    kept = cleaned_files(cleaned, placement.source)
    if placement.clean and placement.size is None and all(file.exists() for file in kept):
        for file, place in zip(kept, files, strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    else:
        _rewrite(source / placement.source, placement, files)
    return [file_sha256(file) for file in files]


def _rewrite(source: Path, placement: Placement, files: list[Path]) -> None:
    pixels = with_image(source, standard_pixels)
    if placement.clean:
        pixels, mask = without_marks(pixels, find_marks(pixels))
        write_mask(files[1], _resized(mask, placement.size, cv2.INTER_NEAREST))
    _write(files[0], _resized(pixels, placement.size, cv2.INTER_AREA))


def _resized(pixels: np.ndarray, size: tuple[int, int] | None, how: int) -> np.ndarray:
    return pixels if size is None else cv2.resize(pixels, size, interpolation=how)


def _write(target: Path, pixels: np.ndarray) -> None:
    try:
        _, data = cv2.imencode(target.suffix, pixels, _ENCODING)
    except cv2.error:
        raise input_error(
            target,
            f'the format {target.suffix!r}, which OpenCV does not write',
            'PNG or JPEG where images are to shrink',
            'convert it, or leave --max-side away',
        ) from None
    with whole_file(target) as temporary:
        temporary.write_bytes(data.tobytes())
