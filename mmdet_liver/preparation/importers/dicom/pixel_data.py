"""Frames of a DICOM file, decoded one at a time by pydicom and its plugins (PS3.5, annex A).

Each frame is decoded on its own, with fresh options: pydicom's iterator carries what it
learned of one frame over to the next, and fails on subsampled colour. However long a clip
is, one frame of it is in memory.
"""

import os
import struct
from typing import Any, BinaryIO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from mmdet_liver.images import MAX_PIXELS
from mmdet_liver.preparation.importers.dicom.apart import decode_apart
from mmdet_liver.preparation.importers.dicom.header import ELEMENTS
from mmdet_liver.preparation.importers.dicom.shades import ToEightBits
from mmdet_liver.preparation.importers.dicom.unreadable import (
    BAD_HEADER,
    CUT_OFF,
    NO_DECODING,
    UnreadableError,
    unreadable,
)

_PIXEL_DATA, _FLOAT_PIXELS = (0x7FE0, 0x0010), ((0x7FE0, 0x0008), (0x7FE0, 0x0009))
_ITEM, _END_OF_ITEMS = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_UNDEFINED = 0xFFFFFFFF
# Decoders in the order of choice. GDCM, which pydicom prefers, is several times slower than
# Pillow, and ends its process over some damaged frames.
_CRASHING = 'gdcm'
_PLUGINS = ('pillow', 'pyjpegls', 'pylibjpeg', 'pydicom', _CRASHING)


class Frames:
    """The frames of one file, by 0-based index.

    Attributes:
        count: how many there are.
        size: (width, height) in pixels.
    """

    def __init__(self, file: BinaryIO, header: Dataset) -> None:
        """Find the pixels and check that they are all there.

        Args:
            file: stays open while frames are read; it stands where `read_header` left it.
        Raises:
            UnreadableError: for missing, cut off or unsupported pixel data.
        """
        with unreadable(BAD_HEADER):
            syntax = _transfer_syntax(header)
            self.count = _frame_count(header)
            self.size = _size(header)
            self._to_eight_bits = ToEightBits(header)
            self._options = as_pixel_options(header, number_of_frames=self.count)
        self._decoder = _decoder(syntax)
        self._plugin = next((p for p in _PLUGINS if p in self._decoder.available_plugins), '')
        if syntax == DeflatedExplicitVRLittleEndian:
            # The one syntax in which a file must be inflated as a whole.
            self._source, self._start = _inflated(file), None
        else:
            with unreadable(BAD_HEADER):
                self._options |= _find_pixels(file, syntax, self._options)
            self._source, self._start = file, file.tell()

    def decode(self, index: int) -> np.ndarray:
        """Return uint8 pixels, (H, W) where all of them are grey, else (H, W, 3) BGR.

        Raises:
            UnreadableError: if the frame does not decode.
        """
        with unreadable(NO_DECODING):
            pixels, properties = self._stored(index)
            return self._to_eight_bits(pixels, properties['photometric_interpretation'])

    def _stored(self, index: int) -> tuple[np.ndarray, dict[str, Any]]:
        options = {**self._options, 'index': index, 'decoding_plugin': self._plugin, 'raw': True}
        if self._plugin == _CRASHING:
            return decode_apart(str(self._source.name), self._start, options)
        if self._start is not None:
            self._source.seek(self._start)
        return self._decoder.as_array(self._source, **options)


def _transfer_syntax(header: Dataset) -> UID:
    syntax = header.file_meta.get('TransferSyntaxUID')
    if syntax:
        return UID(syntax)
    # A file without meta information says by its bytes how it is written.
    is_implicit, is_little_endian = header.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian


def _decoder(syntax: UID) -> Decoder:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None or not decoder.is_available:
        raise UnreadableError('an encoding that no plugin decodes', syntax.name)
    return decoder


def _frame_count(header: Dataset) -> int:
    count = header.get('NumberOfFrames')
    if count is None or count == '':
        return 1
    if int(count) < 1:
        raise UnreadableError('no frames')
    return int(count)


def _size(header: Dataset) -> tuple[int, int]:
    width, height = header.get('Columns'), header.get('Rows')
    if not width or not height:
        raise UnreadableError('no image size')
    if width * height > MAX_PIXELS:
        raise UnreadableError('frames larger than of any scanner', f'{width}x{height} pixels')
    return width, height


def _inflated(file: BinaryIO) -> Dataset:
    with unreadable(CUT_OFF):
        file.seek(0)
        dataset = dcmread(file, specific_tags=[*ELEMENTS, 'PixelData'])
        if 'PixelData' not in dataset:
            raise UnreadableError('no pixel data')
        return dataset


def _find_pixels(file: BinaryIO, syntax: UID, options: dict[str, Any]) -> dict[str, Any]:
    # Leaves the file at the value of the pixel data; returns what the decoder must know of it.
    length, vr = _element_head(file, syntax)
    start, end = file.tell(), os.fstat(file.fileno()).st_size
    found = {'transfer_syntax_uid': syntax, 'pixel_keyword': 'PixelData', 'pixel_vr': vr}
    if not syntax.is_encapsulated:
        expected, there = _native_length(options), min(length, end - start)
        if there < expected:
            raise UnreadableError(CUT_OFF, f'{there} bytes, expected {expected}')
        return found
    with unreadable(CUT_OFF):
        offsets, lengths = _fragments(file, end)
    file.seek(start)
    count = options['number_of_frames']
    if len(offsets) < count:
        raise UnreadableError('fewer frames than the header says', f'{len(offsets)} of {count}')
    if len(offsets) == count:
        # One fragment a frame: no search for each of them, and no trust in other tables.
        found['extended_offsets'] = (offsets, lengths)
    return found


def _element_head(file: BinaryIO, syntax: UID) -> tuple[int, str]:
    # Length and VR of the pixel data, the element at which the header's reader stopped.
    order = '<' if syntax.is_little_endian else '>'
    head = file.read(8)
    tag = struct.unpack(f'{order}HH', head[:4]) if len(head) == 8 else None
    if tag in _FLOAT_PIXELS:
        raise UnreadableError('pixels of floating-point numbers')
    if tag != _PIXEL_DATA:
        raise UnreadableError('no pixel data')
    # Not by the transfer syntax: files exist that mix both forms.
    if not head[4:6].isalpha():
        return struct.unpack(f'{order}L', head[4:])[0], 'OW'
    length = file.read(4)
    if len(length) < 4:
        raise UnreadableError(CUT_OFF)
    return struct.unpack(f'{order}L', length)[0], head[4:6].decode('ascii')


def _native_length(options: dict[str, Any]) -> int:
    width, height, samples = (options[k] for k in ('columns', 'rows', 'samples_per_pixel'))
    bits = width * height * samples * options['bits_allocated'] * options['number_of_frames']
    if options['photometric_interpretation'] == 'YBR_FULL_422':
        bits = bits * 2 // 3
    return -(-bits // 8)


def _fragments(file: BinaryIO, end: int) -> tuple[list[int], list[int]]:
    # Offsets of the items after the offset table, counted from its end, and their lengths.
    offsets, lengths = [], []
    first = _skip_item(file, end)[1]
    position = first
    while position < end:
        tag, after = _skip_item(file, end)
        if tag == _END_OF_ITEMS:
            break
        offsets.append(position - first)
        lengths.append(after - position - 8)
        position = after
    return offsets, lengths


def _skip_item(file: BinaryIO, end: int) -> tuple[tuple[int, int], int]:
    group, element, length = struct.unpack('<HHL', file.read(8))
    if (group, element) not in (_ITEM, _END_OF_ITEMS) or length == _UNDEFINED:
        raise UnreadableError('encoded frames that do not follow each other')
    after = file.tell() + length
    if after > end:
        raise UnreadableError(CUT_OFF)
    file.seek(after)
    return (group, element), after
