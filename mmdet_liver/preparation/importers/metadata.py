"""What an image file holds besides its pixels, and the same file without it.

Text chunks, comments and EXIF may name a patient. Of PNG (ISO/IEC 15948) and JPEG (ITU T.81)
everything goes that is not needed to show the pixels; colour profiles stay, and so does the
turn that EXIF asks for. The compressed pixels are not touched. Other formats are written anew.
Kinds of metadata are named in words of ours: what it says goes nowhere.
"""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageOps

_PNG, _JPEG = b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff'
_SUFFIXES = (
    (_PNG, '.png'),
    (_JPEG, '.jpg'),
    (b'BM', '.bmp'),
    (b'II*\0', '.tif'),
    (b'MM\0*', '.tif'),
    (b'GIF8', '.gif'),
    (b'RIFF', '.webp'),
)
_PNG_KEPT = (
    b'IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB bKGD hIST pHYs cICP mDCV cLLI '
    b'acTL fcTL fdAT'
).split()
_PNG_NAMED = b'tEXt zTXt iTXt eXIf tIME'.split()
_EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _COM = 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_ALONE = (0x01, *range(0xD0, 0xD8))  # markers without a segment
_NEXT_MARKER = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')  # the end of compressed pixels
_TRAILING = 'data after the image'
_TURN = 'turn'  # an EXIF block that says nothing else
_REWRITTEN = ('1', 'L', 'LA', 'RGB', 'RGBA', 'I;16')  # modes of which PNG loses nothing

# Kind ('' for what is needed), first byte, byte after the last.
_Part = tuple[str, int, int]


_PILLOW_FAILS_WITH = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)


class _UnclearError(ValueError):
    """The parts of the file cannot be told apart."""


def suffix_of(content: bytes) -> str | None:
    """The usual suffix of an image file's format, None if it is no image we know."""
    return next((suffix for magic, suffix in _SUFFIXES if content.startswith(magic)), None)


def find_metadata(content: bytes) -> tuple[str, ...]:
    """What a file holds that may be text, in words of ours; empty if nothing."""
    if suffix_of(content) not in ('.png', '.jpg'):
        return () if _is_plain_bmp(content) else ('a format that is not searched for text',)
    try:
        kinds = [kind for kind, _, _ in _parts(content)]
    except _UnclearError:
        return ('a damaged file',)
    return tuple(dict.fromkeys(kind for kind in kinds if kind not in ('', _TURN)))


def strip_metadata(content: bytes) -> bytes | None:
    """The file without what `find_metadata` finds; None where that cannot be done.

    Returns:
        PNG for PNG, JPEG for JPEG, PNG for any other format, of the same pixels.
    """
    try:
        if suffix_of(content) not in ('.png', '.jpg'):
            return _as_png(content)
        parts = list(_parts(content))
        turn = _orientation(content)
    except _PILLOW_FAILS_WITH:
        return None
    kept = [content[start:end] for kind, start, end in parts if not kind]
    if turn != 1:
        # After the header, and after JFIF's own segment, which wants to be the first.
        is_png = content.startswith(_PNG)
        place = 2 if is_png or kept[1].startswith(bytes((0xFF, _APP0))) else 1
        kept.insert(place, _png_turn(turn) if is_png else _jpeg_turn(turn))
    return b''.join(kept)


def _parts(content: bytes) -> Iterator[_Part]:
    return _png_parts(content) if content.startswith(_PNG) else _jpeg_parts(content)


def _png_parts(content: bytes) -> Iterator[_Part]:
    start, kind = len(_PNG), b''
    yield '', 0, start
    while start + 8 <= len(content) and kind != b'IEND':
        length, kind = struct.unpack_from('>I4s', content, start)
        end = start + 12 + length
        yield _png_kind(kind, content[start:end]), start, end
        start = end
    yield _trailing(content, start)


def _trailing(content: bytes, start: int) -> _Part:
    # Zeros that fill a file up to an even length are no text.
    return (_TRAILING if content[start:].strip(b'\0') else '', start, len(content))


def _png_kind(kind: bytes, chunk: bytes) -> str:
    if kind in _PNG_KEPT:
        return ''
    if kind == b'eXIf' and chunk[8:-4] in _TURNS:
        return _TURN
    return f'PNG {kind.decode()}' if kind in _PNG_NAMED else 'another PNG chunk'


def _jpeg_parts(content: bytes) -> Iterator[_Part]:
    yield '', 0, 2
    start, marker = 2, 0
    while start < len(content) and marker != _EOI:
        code = start
        while content[code : code + 1] == b'\xff':  # any number of them
            code += 1
        if code == start or code == len(content) or 0x01 < content[code] < 0xC0:
            raise _UnclearError
        marker, end = content[code], code + 1
        kind = ''
        if marker not in (_EOI, *_ALONE):
            end += int.from_bytes(content[end : end + 2], 'big')
            kind = _jpeg_kind(marker, content[code + 3 : end])
        if end > len(content):
            raise _UnclearError
        if marker == _SOS:
            following = _NEXT_MARKER.search(content, end)
            end = following.start() if following else len(content)
        yield kind, start, end
        start = end
    yield _trailing(content, start)


def _jpeg_kind(marker: int, payload: bytes) -> str:
    if marker == _COM:
        return 'a JPEG comment'
    if not _APP0 <= marker <= 0xEF:
        return ''
    if marker == _APP14 and payload.startswith(b'Adobe'):
        if len(payload) != 12:  # needed for the colours, but there is more in it
            raise _UnclearError
        return ''
    # JFIF's last two bytes are the size of a thumbnail that would follow.
    if marker == _APP0 and payload.startswith(b'JFIF\0') and payload[12:] == b'\0\0':
        return ''
    if marker == _APP2 and payload.startswith(b'ICC_PROFILE\0'):
        return ''
    if marker == _APP1 and payload[:6] == b'Exif\0\0' and payload[6:] in _TURNS:
        return _TURN
    return f'JPEG APP{marker - _APP0}'


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of large images and of damaged metadata
        with Image.open(io.BytesIO(content)) as image:
            yield image


def _orientation(content: bytes) -> int:
    """1 to 8, as EXIF counts; 1 is upright."""
    with _opened(content) as image:
        value = image.getexif().get(0x0112, 1)
    return value if value in range(1, 9) else 1


def _exif_turn(orientation: int) -> bytes:
    # TIFF, big-endian; one directory at byte 8 of one entry: 0x0112, one short.
    return struct.pack('>2sHIHHHIHHI', b'MM', 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


_TURNS = tuple(map(_exif_turn, range(1, 9)))


def _png_turn(orientation: int) -> bytes:
    chunk = b'eXIf' + _exif_turn(orientation)
    return struct.pack('>I', len(chunk) - 4) + chunk + struct.pack('>I', zlib.crc32(chunk))


def _jpeg_turn(orientation: int) -> bytes:
    payload = b'Exif\0\0' + _exif_turn(orientation)
    return struct.pack('>BBH', 0xFF, _APP1, len(payload) + 2) + payload


def _is_plain_bmp(content: bytes) -> bool:
    """A BMP of Windows' first kind that is as long as its pixels need and no longer."""
    if not content.startswith(b'BM') or len(content) < 54:
        return False
    offset, header, width, height, _, bits, packed = struct.unpack_from('<IIiiHHI', content, 10)
    palette = 4 << bits if bits <= 8 else 0
    row_bytes = (width * bits + 31) // 32 * 4
    return (
        (header, packed) == (40, 0)
        and offset <= 54 + palette
        and len(content) <= offset + row_bytes * abs(height)
    )


def _as_png(content: bytes) -> bytes | None:
    with _opened(content) as image:
        if getattr(image, 'n_frames', 1) != 1:
            return None
        turned = ImageOps.exif_transpose(image)
    if turned.mode == 'P':
        turned = turned.convert('RGBA' if 'transparency' in turned.info else 'RGB')
    if turned.mode not in _REWRITTEN:
        return None
    written = io.BytesIO()
    # From the pixels alone: what Pillow knows of the file would be written along.
    Image.frombytes(turned.mode, turned.size, turned.tobytes()).save(written, 'PNG')
    return written.getvalue()
