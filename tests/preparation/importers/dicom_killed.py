"""Imports a folder and kills itself on the way, as `kill -9` would; run by a test.

dicom_killed.py SOURCE OUT MOMENT COUNT
"""

import os
import signal
import sys
from contextlib import contextmanager

from mmdet_liver import files
from mmdet_liver.preparation.importers.dicom import frames, importing
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.journal import Journal


class Fuse:
    """Kills this process the `count`-th time it is asked."""

    def __init__(self, count):
        self.left = count

    def __call__(self):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def after_image(fuse):
    write = frames._write_png

    def write_and_burn(path, image):
        write(path, image)
        fuse()

    frames._write_png = write_and_burn


def within_image(fuse):
    @contextmanager
    def half_file(path):
        with files.whole_file(path) as temporary:
            yield temporary
            fuse()

    frames.whole_file = half_file


def within_journal(fuse):
    add = Journal.add

    def add_or_burn(self, key, fingerprint, value):
        if fuse.left == 1:
            self._file.write(f'["{key}", "'.encode())
            self._file.flush()
        fuse()
        add(self, key, fingerprint, value)

    Journal.add = add_or_burn


def before_tables(fuse):
    def write_nothing(*_):
        fuse()

    importing.write_tables = write_nothing


if __name__ == '__main__':
    source, out, moment, count = sys.argv[1:]
    globals()[moment](Fuse(int(count)))
    importing.import_dicom(source, out, Identity(b'key'), DicomOptions(frame_step=2))
    sys.exit('not killed')
