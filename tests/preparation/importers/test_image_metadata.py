import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from mmdet_liver.preparation.importers.metadata import find_metadata, strip_metadata, suffix_of

CANARY = 'TANAKA Hanako 1951'
PIXELS = np.random.default_rng(0).integers(0, 256, (23, 31, 3), np.uint8)


def written(image=None, form='PNG', **options):
    out = io.BytesIO()
    (image or Image.fromarray(PIXELS)).save(out, form, **options)
    return out.getvalue()


def exif(orientation=None):
    data = Image.Exif()
    data[0x010E] = CANARY  # image description
    if orientation:
        data[0x0112] = orientation
    return data


def png_text(compressed=False):
    info = PngImagePlugin.PngInfo()
    info.add_text('Comment', CANARY, zip=compressed)
    info.add_itxt('Name', CANARY, zip=compressed)
    return written(pnginfo=info)


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def with_chunk(kind, data):
    content = written()
    return content[:33] + chunk(kind, data) + content[33:]  # after IHDR


def segment(marker, data):
    return struct.pack('>BBH', 0xFF, marker, len(data) + 2) + data


def with_segment(marker, data, content=None, **options):
    content = content or written(form='JPEG', quality=95, **options)
    return content[:20] + segment(marker, data) + content[20:]  # after SOI and JFIF


def between_scans():
    """A progressive JPEG with a comment between two of its scans."""
    content = written(form='JPEG', progressive=True)
    scan = content.index(b'\xff\xda', content.index(b'\xff\xda') + 2)
    return content[:scan] + segment(0xFE, CANARY.encode()) + content[scan:]


def with_thumbnail():
    jfif = b'JFIF\0\1\1\0\0\1\0\1\2\3' + (CANARY.encode())[:18]  # 2x3 pixels, RGB
    content = written(form='JPEG')
    return content[:2] + segment(0xE0, jfif) + content[20:]


TEXT = CANARY.encode()
HIDING = [
    pytest.param(png_text(), ('PNG tEXt', 'PNG iTXt'), id='PNG text'),
    pytest.param(png_text(compressed=True), ('PNG zTXt', 'PNG iTXt'), id='PNG compressed text'),
    pytest.param(written(exif=exif()), ('PNG eXIf',), id='PNG EXIF'),
    pytest.param(written(exif=exif(6)), ('PNG eXIf',), id='PNG EXIF, turned'),
    pytest.param(with_chunk(b'tIME', b'\7\xe6\1\2\3\4\5'), ('PNG tIME',), id='PNG date'),
    pytest.param(with_chunk(b'prVt', TEXT), ('another PNG chunk',), id='private PNG chunk'),
    pytest.param(written() + TEXT, ('data after the image',), id='after a PNG'),
    pytest.param(written(form='JPEG', comment=TEXT), ('a JPEG comment',), id='JPEG comment'),
    pytest.param(written(form='JPEG', exif=exif()), ('JPEG APP1',), id='JPEG EXIF'),
    pytest.param(written(form='JPEG', exif=exif(8)), ('JPEG APP1',), id='JPEG EXIF, turned'),
    pytest.param(
        with_segment(0xE1, b'http://ns.adobe.com/xap/1.0/\0' + TEXT), ('JPEG APP1',), id='XMP'
    ),
    pytest.param(
        with_segment(0xED, b'Photoshop 3.0\0' + TEXT), ('JPEG APP13',), id='Photoshop'
    ),
    pytest.param(with_segment(0xE2, b'MPF\0' + TEXT), ('JPEG APP2',), id='APP2 of another kind'),
    pytest.param(with_segment(0xE0, b'JFXX\0' + TEXT), ('JPEG APP0',), id='JFXX'),
    pytest.param(with_thumbnail(), ('JPEG APP0',), id='JFIF with thumbnail'),
    pytest.param(between_scans(), ('a JPEG comment',), id='between scans'),
    pytest.param(written(form='JPEG') + TEXT, ('data after the image',), id='after a JPEG'),
    pytest.param(
        written(form='TIFF', description=CANARY),
        ('a format that is not searched for text',),
        id='TIFF',
    ),
    pytest.param(
        written(form='BMP') + TEXT, ('a format that is not searched for text',), id='after a BMP'
    ),
    pytest.param(
        written(Image.fromarray(PIXELS).convert('P'), form='GIF', comment=TEXT),
        ('a format that is not searched for text',),
        id='GIF',
    ),
]  # fmt: skip


def shown(content):
    """Pixels as they are shown, by two decoders."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    by_opencv = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image.convert('RGB')), by_opencv


@pytest.mark.filterwarnings('ignore:Image appears to be a malformed MPO')
@pytest.mark.parametrize('content, kinds', HIDING)
def test_metadata_is_found_and_taken_out(content, kinds):
    assert find_metadata(content) == kinds
    stripped = strip_metadata(content)
    assert TEXT not in stripped and b'TANAKA' not in stripped
    assert find_metadata(stripped) == () and strip_metadata(stripped) == stripped
    for before, after in zip(shown(content), shown(stripped), strict=True):
        # OpenCV reads no GIF and no turned TIFF everywhere.
        assert before is None or (before == after).all()


def test_turn_stays_and_nothing_else_of_exif():
    for orientation in range(1, 9):
        for form in ('PNG', 'JPEG'):
            stripped = strip_metadata(written(form=form, exif=exif(orientation)))
            left = dict(Image.open(io.BytesIO(stripped)).getexif())
            assert left == ({} if orientation == 1 else {0x0112: orientation})


def adobe_cmyk():
    return written(Image.fromarray(PIXELS).convert('CMYK'), form='JPEG', quality=95)


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(written(), id='PNG'),
        pytest.param(written(icc_profile=b'profile ' * 40, dpi=(96, 96)), id='PNG, profile'),
        pytest.param(
            written(Image.fromarray(PIXELS).convert('P'), transparency=3), id='PNG, palette'
        ),
        pytest.param(cv2.imencode('.png', PIXELS.astype(np.uint16) << 7)[1].tobytes(), id='16 bit'),
        pytest.param(written(form='JPEG'), id='JPEG'),
        pytest.param(written(form='JPEG', icc_profile=b'profile ' * 40), id='JPEG, profile'),
        pytest.param(written(form='JPEG', progressive=True), id='progressive JPEG'),
        pytest.param(adobe_cmyk(), id='JPEG, Adobe CMYK'),
        pytest.param(
            cv2.imencode('.jpg', PIXELS, [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])[1].tobytes(),
            id='JPEG, restarts',
        ),
        pytest.param(written(form='JPEG') + b'\0', id='JPEG filled to an even length'),
        pytest.param(written(form='BMP'), id='BMP'),
        pytest.param(written(Image.fromarray(PIXELS).convert('P'), form='BMP'), id='BMP, palette'),
        pytest.param(written(Image.fromarray(PIXELS).convert('L'), form='BMP'), id='BMP, grey'),
    ],
)
def test_plain_image_is_left_alone(content):
    assert find_metadata(content) == ()
    if suffix_of(content) != '.bmp':
        assert strip_metadata(content) == content


def test_segments_between_what_stays_do_not_hide():
    content = with_segment(0xFE, TEXT, written(form='JPEG', icc_profile=b'profile ' * 40))
    content = with_segment(0xEF, TEXT, content)
    assert find_metadata(content) == ('JPEG APP15', 'a JPEG comment')
    stripped = strip_metadata(content)
    assert stripped == written(form='JPEG', icc_profile=b'profile ' * 40)


@pytest.mark.parametrize(
    'content, kinds',
    [
        pytest.param(b'', ('a format that is not searched for text',), id='empty'),
        pytest.param(b'hello', ('a format that is not searched for text',), id='no image'),
        pytest.param(with_segment(0xE1, b'x')[:23], ('a damaged file',), id='cut in a marker'),
        pytest.param(
            written(form='JPEG')[:20] + b'name' + written(form='JPEG')[20:],
            ('a damaged file',),
            id='text between segments',
        ),
        pytest.param(with_segment(0x53, TEXT), ('a damaged file',), id='no marker of JPEG'),
        pytest.param(with_segment(0xDB, TEXT)[:35], ('a damaged file',), id='cut in a segment'),
        pytest.param(with_segment(0xEE, b'Adobe' + TEXT), ('a damaged file',), id='long Adobe'),
        pytest.param(png_text()[:-60], ('PNG tEXt', 'PNG iTXt'), id='cut PNG with text'),
    ],
)
def test_what_cannot_be_told_apart_is_not_stripped(content, kinds):
    assert find_metadata(content) == kinds
    if content[:4] != b'\x89PNG':
        assert strip_metadata(content) is None


@pytest.mark.parametrize('form', ['PNG', 'JPEG'])
@pytest.mark.parametrize('cut', [4, 12, 30, 60, 120])
def test_cut_image_never_raises(form, cut):
    content = written(form=form, exif=exif())
    for part in (content[:cut], content[:-cut]):
        find_metadata(part)
        stripped = strip_metadata(part)
        assert stripped is None or TEXT not in stripped


def test_animation_is_not_made_one_frame():
    frames = [Image.fromarray(PIXELS).convert('P'), Image.fromarray(PIXELS[::-1]).convert('P')]
    content = written(frames[0], form='GIF', save_all=True, append_images=frames[1:])
    assert strip_metadata(content) is None


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16'])
def test_other_formats_are_written_anew_with_the_same_pixels(mode):
    image = (
        Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)
        if mode == 'I;16'
        else Image.fromarray(PIXELS).convert(mode)
    )
    assert image.mode == mode
    stripped = Image.open(io.BytesIO(strip_metadata(written(image, form='TIFF'))))
    expected = image.convert('RGB') if mode == 'P' else image
    assert stripped.format == 'PNG' and (np.asarray(stripped) == np.asarray(expected)).all()
