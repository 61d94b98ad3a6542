"""What is read of a DICOM header: a fixed list of elements, nothing else (PS3.3, PS3.6).

Names, dates and free text that are not in the list are never looked at; what is in it leaves
this package only as keyed hashes, whole years, `M` or `F`, and numbers about the pixels.
"""

import re
from typing import BinaryIO

from pydicom import Dataset, dcmread

from mmdet_liver.preparation.importers.dicom.unreadable import (
    BAD_HEADER,
    UnreadableError,
    unreadable,
)

_OF_THE_PIXELS = (
    'Rows',
    'Columns',
    'NumberOfFrames',
    'SamplesPerPixel',
    'PhotometricInterpretation',
    'PlanarConfiguration',
    'BitsAllocated',
    'BitsStored',
    'PixelRepresentation',
    'ExtendedOffsetTable',
    'ExtendedOffsetTableLengths',
    'ModalityLUTSequence',
    'RescaleSlope',
    'RescaleIntercept',
    'VOILUTSequence',
    'VOILUTFunction',
    'WindowCenter',
    'WindowWidth',
    *(
        f'{segmented}{colour}PaletteColorLookupTable{part}'
        for colour in ('Red', 'Green', 'Blue')
        for segmented, part in (('', 'Descriptor'), ('', 'Data'), ('Segmented', 'Data'))
    ),
)
ELEMENTS = (
    'SOPClassUID',
    'SOPInstanceUID',
    'Modality',
    'PatientID',
    'IssuerOfPatientID',
    'PatientName',
    'PatientAge',
    'PatientBirthDate',
    'PatientSex',
    'StudyInstanceUID',
    'StudyDate',
    'SeriesDate',
    'AcquisitionDate',
    'ContentDate',
    'BurnedInAnnotation',
    'SequenceOfUltrasoundRegions',
    'PixelSpacing',
    'ImagerPixelSpacing',
    'NominalScannedPixelSpacing',
    *_OF_THE_PIXELS,
)
_MAGIC_AT, _MAGIC = 128, b'DICM'
_DICOMDIR = '1.2.840.10008.1.3.10'
_UID_ROOT = '1.2.840.10008.'
_ULTRASOUND = re.compile(r'1\.2\.840\.10008\.5\.1\.4\.1\.1\.(3(\.1)?|6(\.[12])?)')
# Ultrasound, secondary capture, visible light: classes that are nothing without pixels.
_PICTURE = re.compile(r'1\.2\.840\.10008\.5\.1\.4\.1\.1\.(3|6|7|77\.1)(\.\d+)*')
# The defined terms that may be named in a table; another text could be anything.
_MODALITIES = frozenset(
    [
        'AU',
        'BDUS',
        'BI',
        'BMD',
        'CR',
        'CT',
        'DG',
        'DOC',
        'DX',
        'ECG',
        'ES',
        'FID',
        'GM',
        'HD',
        'IO',
        'IVOCT',
        'IVUS',
        'KO',
        'MG',
        'MR',
        'NM',
        'OCT',
        'OP',
        'OPT',
        'OT',
        'PR',
        'PT',
        'PX',
        'REG',
        'RF',
        'RTDOSE',
        'RTIMAGE',
        'RTPLAN',
        'RTSTRUCT',
        'SC',
        'SEG',
        'SM',
        'SR',
        'TG',
        'US',
        'VF',
        'XA',
        'XC',
    ]
)


def is_dicom(file: BinaryIO) -> bool:
    """Whether the content is DICOM, with its preamble or, as in old exports, without."""
    head = file.read(_MAGIC_AT + len(_MAGIC))
    file.seek(0)
    if head[_MAGIC_AT:] == _MAGIC:
        return True
    # Such a file begins with group 2, meta information, or group 8, in either byte order.
    if head[:2] not in (b'\2\0', b'\x08\0', b'\0\x08'):
        return False
    tags = ['SOPClassUID']
    try:
        header = dcmread(file, specific_tags=tags, stop_before_pixels=True, force=True)
        sop_class = header.get('SOPClassUID')
    except Exception:  # noqa: BLE001 (what is no DICOM fails in any way)
        return False
    finally:
        file.seek(0)
    return str(sop_class).startswith(_UID_ROOT)


def read_header(file: BinaryIO) -> Dataset:
    """The elements of ELEMENTS; `file` stands at the pixel data afterwards.

    Raises:
        UnreadableError: if the header does not parse.
    """
    with unreadable(BAD_HEADER):
        return dcmread(file, specific_tags=list(ELEMENTS), stop_before_pixels=True, force=True)


def sop_instance_uid(file: BinaryIO) -> str:
    """The file's own identifier; empty if it has none.

    Raises:
        UnreadableError: if the header does not parse.
    """
    tags = ['SOPInstanceUID']
    with unreadable(BAD_HEADER):
        header = dcmread(file, specific_tags=tags, stop_before_pixels=True, force=True)
        return text_of(header, 'SOPInstanceUID')


def is_directory(header: Dataset) -> bool:
    """Whether it is a DICOMDIR, the table of contents of an export."""
    return header.file_meta.get('MediaStorageSOPClassUID') == _DICOMDIR


def why_no_picture(header: Dataset, modalities: tuple[str, ...]) -> str:
    """Why the file is none of the pictures asked for; empty if it is one.

    Raises:
        UnreadableError: if the header ends before it says so.
    """
    sop_class, modality = text_of(header, 'SOPClassUID'), text_of(header, 'Modality')
    if not sop_class:
        raise UnreadableError('a header without SOP class')
    if modality and modality not in modalities:
        named = modality if modality in _MODALITIES else 'another'
        return f'modality {named}, not {" or ".join(modalities)}'
    if not modality and not _ULTRASOUND.fullmatch(sop_class):
        return 'no modality, and not an ultrasound image by its class'
    if 'Rows' not in header and not _PICTURE.fullmatch(sop_class):
        return 'no picture in it (a report, a presentation state or the like)'
    return ''


def has_burned_in_text(header: Dataset) -> bool | None:
    """What the header says about text in the pixels; None if it does not say."""
    return {'YES': True, 'NO': False}.get(text_of(header, 'BurnedInAnnotation').upper())


def text_of(header: Dataset, keyword: str) -> str:
    """The element as text without blanks around it; empty if there is none."""
    value = header.get(keyword)
    parts = value if isinstance(value, list) or hasattr(value, 'append') else [value]
    return '\\'.join(str(part).strip() for part in parts if part is not None)
