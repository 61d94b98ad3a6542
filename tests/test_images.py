"""Whole, missing and broken image files."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_liver.errors import InputError
from mmdet_liver.images import check_image_file, checked_size, image_size, read_image

NAME = 'it\'s "肝臓" 1.png'


@pytest.fixture
def gray():
    return np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)


@pytest.mark.parametrize('mode', ['L', 'RGB', 'RGBA', 'LA', 'P', '1', 'I;16'])
def test_every_mode_comes_out_8_bit(tmp_path, gray, mode):
    if mode == 'I;16':
        image = Image.fromarray(gray.astype(np.uint16) * 256 + 7)
    else:
        image = Image.fromarray(gray).convert(mode)
    image.save(tmp_path / NAME)
    pixels = read_image(tmp_path / NAME)
    expected = (gray > 127) * np.uint8(255) if mode == '1' else gray
    if mode == '1':  # Pillow dithers: only the kind of values is told beforehand
        assert set(np.unique(pixels)) == set(np.unique(expected))
    else:
        assert (pixels == (gray if pixels.ndim == 2 else gray[..., None])).all()
    assert pixels.dtype == np.uint8 and image_size(tmp_path / NAME) == (40, 30)


def test_colour_is_bgr_as_opencv_reads_it(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), pixels)
    assert (read_image(tmp_path / 'a.png') == cv2.imread(str(tmp_path / 'a.png'))).all()


def test_exif_orientation_is_applied_as_opencv_does(tmp_path, gray):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(gray).convert('RGB').save(tmp_path / 'a.png', exif=exif)
    shown = cv2.imread(str(tmp_path / 'a.png'))
    assert (read_image(tmp_path / 'a.png') == shown).all()
    size = shown.shape[1::-1]
    assert image_size(tmp_path / 'a.png') == checked_size(tmp_path / 'a.png') == size == (30, 40)


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp'])
@pytest.mark.parametrize('share', [0.0, 0.02, 0.6, 0.97])
def test_truncated_file_is_noticed(tmp_path, suffix, share):
    path = tmp_path / f'a{suffix}'
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    for read in (read_image, checked_size):
        with pytest.raises(InputError) as error:
            read(path)
        assert str(path) in str(error.value) and 'does not decode' in str(error.value)


@pytest.mark.parametrize('read', [read_image, checked_size, image_size, check_image_file])
def test_missing_file_and_no_image(tmp_path, read):
    (tmp_path / 'a.png').write_text('not an image')
    for path, named in ((tmp_path / 'a.png', 'does not decode'), (tmp_path / 'b.png', 'no such')):
        with pytest.raises(InputError) as error:
            read(path)
        assert str(path) in str(error.value) and named in str(error.value)


def test_image_of_absurd_size_is_refused_and_not_decoded(tmp_path):
    Image.new('1', (60_000, 6_000)).save(tmp_path / 'a.png')
    with pytest.raises(InputError, match='does not decode'):
        checked_size(tmp_path / 'a.png')


def test_16_bits_are_those_opencv_gives_the_network(tmp_path, gray):
    cv2.imwrite(str(tmp_path / 'a.png'), gray.astype(np.uint16) * 150 + 200)
    shown = cv2.imread(str(tmp_path / 'a.png'), cv2.IMREAD_GRAYSCALE)
    assert (read_image(tmp_path / 'a.png') == shown).all()


def encoded(suffix, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, Image.registered_extensions()[suffix], **options)
    return content.getvalue()


def with_thumbnail():
    # As cameras write it: a small JPEG, end marker and all, inside the header of the large one.
    thumbnail = encoded('.jpg', quality=1)[:30_000]
    header = b'Exif\0\0' + thumbnail
    whole = encoded('.jpg')
    return whole[:2] + b'\xff\xe1' + (len(header) + 2).to_bytes(2, 'big') + header + whole[2:]


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(encoded('.png'), id='PNG'),
        pytest.param(encoded('.jpg'), id='JPEG'),
        pytest.param(encoded('.jpg', progressive=True), id='progressive JPEG'),
        pytest.param(encoded('.bmp'), id='BMP'),
        pytest.param(encoded('.png') + bytes(20_000), id='PNG with bytes after its end'),
        pytest.param(encoded('.jpg') + bytes(20_000), id='JPEG with bytes after its end'),
        pytest.param(with_thumbnail(), id='JPEG with thumbnail'),
        pytest.param(
            encoded('.jpg').replace(b'\xff\xdb', b'\xff' * 5 + b'\xdb', 1),
            id='JPEG with fill bytes',
        ),
    ],
)
def test_whole_file_passes_the_cheap_check(tmp_path, content):
    (tmp_path / 'a').write_bytes(content)
    check_image_file(tmp_path / 'a')
    assert read_image(tmp_path / 'a').shape == (200, 300)


@pytest.mark.parametrize('keep', [0.6, 0.95, -13])
@pytest.mark.parametrize(
    'content',
    [
        pytest.param(encoded('.png'), id='PNG'),
        pytest.param(encoded('.jpg'), id='JPEG'),
        pytest.param(encoded('.jpg', progressive=True), id='progressive JPEG'),
        pytest.param(with_thumbnail(), id='JPEG with thumbnail'),
    ],
)
def test_cut_off_file_fails_the_cheap_check(tmp_path, content, keep):
    (tmp_path / 'a').write_bytes(content[: keep if keep < 0 else int(len(content) * keep)])
    with pytest.raises(InputError, match='a truncated image') as error:
        check_image_file(tmp_path / 'a')
    assert str(error.value).startswith(str(tmp_path / 'a'))
