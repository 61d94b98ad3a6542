"""Image files as they come: missing, cut off, turned, too deep, too large, in another folder."""

import os

import numpy as np
import pytest
from checked_sets import kinds, picture
from PIL import Image

from mmdet_liver.preparation.checking.image_files import (
    check_image_files,
    look_at,
    look_at_images,
)
from mmdet_liver.preparation.checking.listing import ListedImage


def listed(root, inner, size=(100, 80)):
    return ListedImage('a.json', 0, inner, str(root), inner, size, '', '', '')


def findings(root, inner, size=(100, 80)):
    image = listed(root, inner, size)
    return list(check_image_files([image], look_at_images([image])))


def truncated(path):
    picture(path, 0)
    path.write_bytes(path.read_bytes()[:-40])


def sixteen_bit(path):
    values = np.random.default_rng(0).integers(0, 4096, (80, 100)).astype(np.uint16)
    Image.fromarray(values).save(path)


def turned(path):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(path, 0, (80, 100), exif=exif)  # stored 80x100, shown 100x80


def animated(path):
    frames = []
    for seed in (0, 1):
        picture(path, seed)
        frames.append(Image.open(path).copy())
    frames[0].save(path, 'GIF', save_all=True, append_images=frames[1:])


def wide(path):
    Image.new('1', (60_000, 1_000)).save(path)


def flat(path):
    Image.fromarray(np.full((80, 100), 3, np.uint8)).save(path)


def palette(path):
    picture(path, 0)
    Image.open(path).convert('P').save(path)


def rgba(path):
    picture(path, 0)
    Image.open(path).convert('RGBA').save(path)


def outside_link(path):
    picture(path.parents[1] / 'elsewhere.png', 0)
    path.symlink_to(path.parents[1] / 'elsewhere.png')


def looped_link(path):
    path.symlink_to(path)


@pytest.mark.parametrize(
    'make, expected, message',
    [
        pytest.param(lambda p: picture(p, 0), [], '', id='good'),
        pytest.param(palette, [], '', id='palette'),
        pytest.param(rgba, [], '', id='transparency'),
        pytest.param(lambda p: None, ['missing image'], 'no such file', id='missing'),
        pytest.param(lambda p: p.mkdir(), ['missing image'], 'cannot be read', id='a folder'),
        pytest.param(looped_link, ['missing image'], 'cannot be read', id='a link to itself'),
        pytest.param(truncated, ['damaged image'], 'does not decode', id='cut off'),
        pytest.param(
            lambda p: p.write_text('no image'), ['damaged image'], 'does not decode', id='text'
        ),
        pytest.param(lambda p: p.write_bytes(b''), ['damaged image'], 'decode', id='empty file'),
        pytest.param(sixteen_bit, ['16-bit image'], '16-bit', id='16 bits'),
        pytest.param(turned, ['unusual format'], 'turned by EXIF', id='turned by EXIF'),
        pytest.param(animated, ['unusual format'], 'GIF file', id='GIF'),
        pytest.param(flat, ['too flat to compare'], 'contrast 0', id='flat'),
        pytest.param(
            outside_link, ['path outside the folder'], 'leads out of the folder', id='link out'
        ),
    ],
)
def test_an_image_file(tmp_path, make, expected, message):
    (tmp_path / 'images').mkdir()
    make(tmp_path / 'images/x.png')
    found = findings(tmp_path / 'images', 'x.png')
    assert kinds(found) == expected
    assert all(message in f.message and f.image == 'x.png' for f in found)
    assert all('\n' not in f.message and str(tmp_path) not in f.message for f in found)


@pytest.mark.parametrize('inner', ['../x.png', '/etc/hostname', 'a/../../x.png'])
def test_paths_out_of_the_folder_are_not_read(tmp_path, inner):
    picture(tmp_path / 'x.png', 0)
    (tmp_path / 'images').mkdir()
    assert kinds(findings(tmp_path / 'images', inner)) == ['path outside the folder']


@pytest.mark.parametrize('inner', ['\ud800.png', 'n' * 300])
def test_names_that_no_file_can_have(tmp_path, inner):
    assert kinds(findings(tmp_path, inner)) == ['missing image']


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read everything')
def test_a_file_without_permission(tmp_path):
    picture(tmp_path / 'x.png', 0)
    (tmp_path / 'x.png').chmod(0)
    assert kinds(findings(tmp_path, 'x.png')) == ['missing image']


@pytest.mark.parametrize(
    'make, size, message',
    [
        pytest.param(lambda p: picture(p, 0), (80, 100), '80x100 here, 100x80', id='turned'),
        pytest.param(lambda p: picture(p, 0), (100, 81), '100x81 here, 100x80', id='a pixel'),
        pytest.param(turned, (80, 100), '100x80 in the image (turned by EXIF)', id='EXIF'),
    ],
)
def test_sizes_that_differ(tmp_path, make, size, message):
    make(tmp_path / 'x.png')
    found = findings(tmp_path, 'x.png', size)
    assert found[-1].kind == 'size differs' and message in found[-1].message


def test_an_unknown_size_is_not_compared(tmp_path):
    picture(tmp_path / 'x.png', 0)
    assert findings(tmp_path, 'x.png', None) == []


def test_a_giant_is_not_decoded(tmp_path):
    wide(tmp_path / 'x.png')
    look = look_at((str(tmp_path), 'x.png'))
    assert (look.kind, look.decoded) == ('oversized image', False)
    assert look.facts.problem == '60000x1000 pixels, not decoded'


def test_each_file_is_opened_once_and_told_of_for_each_mention(tmp_path):
    truncated(tmp_path / 'x.png')
    images = [listed(tmp_path, 'x.png'), listed(tmp_path, 'x.png')]
    looks = look_at_images(images)
    assert len(looks) == 1
    assert kinds(check_image_files(images, looks)) == ['damaged image'] * 2
