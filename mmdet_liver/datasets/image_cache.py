"""Decoded images in a folder, one file each; every worker, rank and later run reads them there.

A file is 32 bytes (`_HEADER`) and an .npy array. Files rather than shared memory: the system's
page cache is the shared memory, whichever way workers start, and it has no fixed size (a
container's /dev/shm has 64 MB). Nothing is ever put out: images are drawn at random, so a cache
that is too small serves most when it keeps what it has.
"""

import hashlib
import logging
import os
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.logging import print_log

from mmdet_liver.files import whole_file

_HEADER = struct.Struct('<4q')  # the source's mtime in ns and size in bytes; height, width
_MB = 10**6
# Each process writes this share of the free room before it measures the folder again, so up to
# as many processes cannot together write more than there is.
_PROCESSES = 64


class CachedImage(NamedTuple):
    """An image as it is kept, and the (height, width) of its source in pixels."""

    pixels: np.ndarray
    ori_shape: tuple[int, int]


class Stamp(NamedTuple):
    """What changes with a file: when it was written, in ns, and its size in bytes."""

    mtime: int
    size: int

    @classmethod
    def of(cls, source: str) -> 'Stamp | None':
        """The stamp of a file, None if there is none. Take it before the file is decoded."""
        try:
            status = os.stat(source)  # noqa: PTH116 (a Path costs more than the call)
        except OSError:
            return None
        return cls(status.st_mtime_ns, status.st_size)


class ImageCache:
    """Images by the path of their source; one whose source has changed since is not there.

    A folder that cannot be written to, or is full, is told once, and the rest is not kept.

    Args:
        folder: made when the first image is kept, for its owner alone: patients' images.
        max_mb: most that the folder holds, in 10^6 bytes.
        variant: tells apart what is made of one source in different ways.
    """

    def __init__(self, folder: str | Path, max_mb: float, variant: str = '') -> None:
        self.folder = Path(folder)
        self.max_bytes = int(max_mb * _MB)
        self.variant = variant
        self._credit = 0  # bytes to write before the folder is measured again
        self._closed = False

    def load(self, source: str, stamp: Stamp) -> CachedImage | None:
        """The image, writable; None if it is not kept with this stamp, or is damaged."""
        try:
            with self._path(source).open('rb') as file:
                *found, height, width = _HEADER.unpack(file.read(_HEADER.size))
                if tuple(found) != stamp:
                    return None
                pixels = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError, EOFError, struct.error):
            return None
        return CachedImage(pixels, (height, width))

    def store(self, source: str, stamp: Stamp, image: CachedImage) -> None:
        """Keep the image if there is room; another process may keep the same one meanwhile."""
        if self._closed:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._has_room(image.pixels.nbytes):
                self._write(source, stamp, image)
            else:
                self._close(f'is full ({self.max_bytes / _MB:g} MB); raise max_mb, or empty it')
        except OSError as error:
            # Windows refuses to replace a file that another process is reading.
            if not self._path(source).exists():
                self._close(f'cannot be written to ({error})')

    def _write(self, source: str, stamp: Stamp, image: CachedImage) -> None:
        header = _HEADER.pack(*stamp, *image.ori_shape)
        with whole_file(self._path(source)) as temporary, temporary.open('wb') as file:
            file.write(header)
            np.lib.format.write_array(file, image.pixels, allow_pickle=False)
            self._credit -= file.tell()

    def _has_room(self, size: int) -> bool:
        if self._credit < size:
            free = self.max_bytes - folder_bytes(self.folder)
            if free < size:
                return False
            self._credit = max(size, free // _PROCESSES)
        return True

    def _close(self, reason: str) -> None:
        self._closed = True
        print_log(
            f'image cache {self.folder} {reason}; what is not in it is decoded at each reading',
            logger='current',
            level=logging.WARNING,
        )

    def _path(self, source: str) -> Path:
        name = f'{os.path.abspath(source)}\n{self.variant}'  # noqa: PTH100 (keeps symbolic links)
        return self.folder / f'{hashlib.sha256(name.encode()).hexdigest()[:32]}.img'


def folder_bytes(folder: Path) -> int:
    """Sum of the sizes of the files in `folder`, those that vanish meanwhile left out."""
    total = 0
    for entry in os.scandir(folder):
        try:
            total += entry.stat().st_size
        except FileNotFoundError:
            continue
    return total
