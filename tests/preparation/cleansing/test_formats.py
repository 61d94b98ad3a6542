import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_liver.images import read_image
from mmdet_liver.preparation.cleansing.facts import measure_image
from mmdet_liver.preparation.cleansing.formats import standard_pixels, why_converted

GREY = np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)
COLOR = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def turned(path):
    image = Image.fromarray(GREY)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)


def save(array_or_image):
    def write(path):
        image = array_or_image
        (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path)

    return write


FILES = [
    pytest.param('a.png', save(GREY), '', id='grey'),
    pytest.param('a.jpg', save(COLOR), '', id='JPEG'),
    pytest.param('a.bmp', save(COLOR), '', id='BMP'),
    pytest.param('a.tif', save(GREY), '', id='TIFF'),
    pytest.param('a.webp', save(COLOR), '', id='WebP'),
    pytest.param('a.png', save(Image.fromarray(COLOR).quantize(32)), '', id='palette'),
    pytest.param('a.png', save(np.dstack([COLOR, GREY])), '', id='RGBA'),
    pytest.param('a.png', save(GREY.astype(np.uint16) * 257), '16-bit', id='16 bits'),
    pytest.param('a.png', save(GREY.astype(np.uint16) * 16), '16-bit', id='12 bits in 16'),
    pytest.param(
        'a.png',
        lambda path: cv2.imwrite(str(path), COLOR.astype(np.uint16) * 257),
        '16-bit',
        id='48-bit colour',
    ),
    pytest.param('a.png', turned, 'turned by EXIF', id='EXIF'),
    pytest.param('a.jpg', save(Image.fromarray(COLOR).convert('CMYK')), 'mode CMYK', id='CMYK'),
    pytest.param('a.tif', save(GREY.astype(np.float32)), 'mode F', id='floating point'),
    pytest.param('a.gif', save(GREY), 'GIF file', id='GIF'),
]


@pytest.mark.parametrize('name, write, why', FILES)
def test_what_is_written_anew(tmp_path, name, write, why):
    write(tmp_path / name)
    with Image.open(tmp_path / name) as image:
        found = why_converted(image)
        pixels = standard_pixels(image)
    assert (why in found) if why else found == ''
    assert measure_image(tmp_path / name).conversion == found
    assert pixels.dtype == np.uint8
    assert pixels.shape[:2] == ((40, 30) if name == 'a.png' and 'EXIF' in why else (30, 40))
    if not why:
        # What stays as it is, OpenCV reads as our reader does.
        color = cv2.imread(str(tmp_path / name), cv2.IMREAD_COLOR)
        ours = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        assert np.array_equal(color, ours) and np.array_equal(pixels, read_image(tmp_path / name))
    elif why == '16-bit':
        assert np.array_equal(pixels, GREY if pixels.ndim == 2 else COLOR)
    elif 'EXIF' in why:
        assert np.array_equal(pixels, np.rot90(GREY, -1))


def test_a_grey_picture_stored_in_colour_is_grey():
    grey = Image.fromarray(np.repeat(GREY[..., None], 3, axis=2))
    assert np.array_equal(standard_pixels(grey), GREY)
    one = np.repeat(GREY[..., None], 3, axis=2)
    one[7, 9, 1] ^= 1  # a single coloured pixel, off the sparse grid
    assert standard_pixels(Image.fromarray(one)).shape == (30, 40, 3)


def test_an_image_beyond_any_ultrasound_frame_is_not_decoded(tmp_path):
    Image.new('L', (60_000, 1_000)).save(tmp_path / 'wide.png')
    facts = measure_image(tmp_path / 'wide.png')
    assert facts.too_large and (facts.width, facts.height) == (60_000, 1_000)
    assert facts.problem == '' and facts.hash == 0


def test_several_pictures_in_one_file(tmp_path):
    pages = [Image.fromarray(GREY), Image.fromarray(GREY[::-1].copy())]
    pages[0].save(tmp_path / 'a.tif', save_all=True, append_images=pages[1:])
    assert '2 pictures in one file' in measure_image(tmp_path / 'a.tif').problem


def test_a_damaged_file_is_a_fact(tmp_path):
    save(COLOR)(tmp_path / 'a.png')
    (tmp_path / 'a.png').write_bytes((tmp_path / 'a.png').read_bytes()[:-100])
    facts = measure_image(tmp_path / 'a.png')
    assert facts.problem.startswith('a file that does not decode')
    assert '\n' not in facts.problem
    assert 'no such file' in measure_image(tmp_path / 'b.png').problem
