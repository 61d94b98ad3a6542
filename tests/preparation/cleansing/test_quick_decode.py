import io

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from mmdet_liver.images import pixels_of
from mmdet_liver.preparation.cleansing.quick_decode import quick_pixels

GREY = cv2.resize(np.random.default_rng(0).integers(0, 256, (9, 12), dtype=np.uint8), (80, 60))
COLOR = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])


def encoded(pixels, kind, **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(
        file, kind, **options
    )
    return file.getvalue()


def quick(data):
    with Image.open(io.BytesIO(data)) as image:
        return quick_pixels(data, image)


@pytest.mark.parametrize('pixels', [GREY, COLOR], ids=['grey', 'color'])
@pytest.mark.parametrize('kind, tolerance', [('PNG', 0), ('JPEG', 2)])
def test_whole_files_give_pillows_pixels(pixels, kind, tolerance):
    data = encoded(pixels, kind)
    with Image.open(io.BytesIO(data)) as image:
        slow = pixels_of(image)
    found = quick(data)
    assert found.shape == slow.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - slow).max() <= tolerance  # two JPEG decoders may round


@pytest.mark.parametrize('kind', ['PNG', 'JPEG'])
@pytest.mark.parametrize('missing', [1, 2, 13, 400])
def test_cut_off_files_are_left_to_pillow(kind, missing):
    assert quick(encoded(COLOR, kind)[:-missing]) is None


def test_a_flipped_bit_in_a_png_is_noticed():
    data = bytearray(encoded(COLOR, 'PNG'))
    data[len(data) // 2] ^= 4
    assert quick(bytes(data)) is None


def with_exif(pixels, kind):
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6
    return encoded(image, kind, exif=exif)


def with_raw_profile():
    text = PngImagePlugin.PngInfo()
    text.add_text('Raw profile type exif', 'exif 0')
    return encoded(GREY, 'PNG', pnginfo=text)


OTHERS = [
    pytest.param(lambda: with_exif(GREY, 'PNG'), id='EXIF in a PNG'),
    pytest.param(lambda: with_exif(COLOR, 'JPEG'), id='EXIF in a JPEG'),
    pytest.param(with_raw_profile, id='EXIF as text'),
    pytest.param(lambda: encoded(GREY, 'PNG', transparency=7), id='a transparent grey'),
    pytest.param(lambda: encoded(GREY.astype(np.uint16) * 257, 'PNG'), id='16 bits'),
    pytest.param(
        lambda: cv2.imencode('.png', COLOR.astype(np.uint16) * 257)[1].tobytes(), id='48 bits'
    ),
    pytest.param(lambda: encoded(np.dstack([COLOR, GREY]), 'PNG'), id='RGBA'),
    pytest.param(lambda: encoded(Image.fromarray(COLOR).convert('P'), 'PNG'), id='palette'),
    pytest.param(lambda: encoded(Image.fromarray(COLOR).convert('CMYK'), 'JPEG'), id='CMYK'),
    pytest.param(lambda: encoded(GREY, 'BMP'), id='BMP'),
    pytest.param(
        lambda: encoded(
            Image.fromarray(GREY), 'PNG', save_all=True, append_images=[Image.fromarray(255 - GREY)]
        ),
        id='animated',
    ),
]


@pytest.mark.parametrize('data', OTHERS)
def test_what_is_out_of_the_ordinary_is_left_to_pillow(data):
    assert quick(data()) is None
