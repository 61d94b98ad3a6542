"""One DICOM file: what it is, whether it is done already, and what became of it."""

import hashlib
import json
import warnings
from dataclasses import astuple, dataclass
from typing import BinaryIO

from mmdet_liver import __version__
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.dicom.annotations import Annotation
from mmdet_liver.preparation.importers.dicom.frames import Place
from mmdet_liver.preparation.importers.dicom.header import (
    has_burned_in_text,
    is_dicom,
    is_directory,
    read_header,
    why_no_picture,
)
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.dicom.pictures import Export, Rows, import_pictures
from mmdet_liver.preparation.importers.dicom.pixel_data import Frames
from mmdet_liver.preparation.importers.dicom.unreadable import (
    BAD_HEADER,
    UnreadableError,
    unreadable,
)

# Raised when the same file would come out otherwise.
_VERSION = 1
_CHUNK = 1 << 20
_BURNED_IN = {True: 'yes', False: 'no', None: 'not said'}


@dataclass(frozen=True, slots=True)
class Source:
    """A file to import.

    Attributes:
        path: relative to the export's folder, with `/`.
        rows: its annotations.
        known: fingerprint under which it was finished before, with all its images there.
    """

    path: str
    rows: tuple[Annotation, ...] = ()
    known: str | None = None


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a file.

    Attributes:
        fingerprint: of its bytes and of the options that matter to it; empty for no DICOM.
        rows: None if it was finished before, under the same fingerprint.
        burned_in: what the header says about text in the pixels: yes, no, not said.
        unreadable: why it could not be read; empty if it could.
        detail: the same for the screen; it may quote the file.
    """

    fingerprint: str = ''
    rows: Rows | None = None
    burned_in: str = ''
    unreadable: str = ''
    detail: str = ''


def import_file(export: Export, source: Source) -> FileResult:
    """Write the images of one file below `export.out`; damage is a result, not an error.

    Raises:
        InputError: for an annotation of no frame, or outside the tissue.
    """
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # pydicom's quote the header
        try:
            with unreadable('a file that cannot be opened'):
                file = (export.folder / source.path).open('rb')
            with file:
                return _import(export, source, file)
        except UnreadableError as error:
            return FileResult(unreadable=error.reason, detail=str(error))


def _import(export: Export, source: Source, file: BinaryIO) -> FileResult:
    with unreadable('a file that cannot be read'):
        if not is_dicom(file):
            return FileResult(rows=_left_out(export, source, 'no DICOM file'))
        fingerprint = _fingerprint(file, export.options, source.rows)
    if fingerprint == source.known:
        return FileResult(fingerprint)
    with unreadable(BAD_HEADER):
        header = read_header(file)
        burned_in = _BURNED_IN[has_burned_in_text(header)]
        if is_directory(header):
            return FileResult(fingerprint, Rows())
        why = why_no_picture(header, export.options.modalities)
    if not why and _is_unlisted(source, export.options):
        why = 'no annotation names it'
    if why:
        return FileResult(fingerprint, _left_out(export, source, why))
    rows = import_pictures(export, source.path, source.rows, header, Frames(file, header))
    return FileResult(fingerprint, rows, burned_in)


def _is_unlisted(source: Source, options: DicomOptions) -> bool:
    return options.annotations is not None and not options.include_unlisted and not source.rows


def _left_out(export: Export, source: Source, why: str) -> Rows:
    place = Place(export.identity.image(source.path))
    return Rows(decisions=[Decision(place.image_path, 'import', 'left out', why)])


def _fingerprint(file: BinaryIO, options: DicomOptions, annotations: tuple[Annotation, ...]) -> str:
    content = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        content.update(chunk)
    file.seek(0)
    rest = [
        _VERSION,
        __version__,
        options.frame_step,
        options.keep_marks,
        options.annotations is not None,
        options.include_unlisted,
        options.modalities,
        [astuple(row)[1:] for row in annotations],  # where a row stands does not matter
    ]
    content.update(json.dumps(rest).encode())
    return content.hexdigest()
