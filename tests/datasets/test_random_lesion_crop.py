import random

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets.lesion_crops import largest_free_square  # noqa: E402
from mmdet_liver.datasets.transforms.random_lesion_crop import (  # noqa: E402
    RandomLesionCrop,
    overlap,
)
from mmdet_liver.errors import InputError  # noqa: E402


@pytest.fixture(autouse=True)
def seed():
    random.seed(0)


def inside(square, shape):
    left, top, side = square
    return left >= 0 and top >= 0 and left + side <= shape[1] and top + side <= shape[0]


@pytest.mark.parametrize(
    'box',
    [
        pytest.param((80, 60, 120, 90), id='in the middle'),
        pytest.param((0, 0, 30, 50), id='at the corner'),
        pytest.param((10, 20, 190, 130), id='nearly the whole image'),
    ],
)
def test_lesions_stay_whole_and_vary(box):
    crop = RandomLesionCrop(scale=32)
    squares = [crop.around(box, (150, 200)) for _ in range(300)]
    assert all(inside(square, (150, 200)) for square in squares)
    longer = max(box[2] - box[0], box[3] - box[1])
    for left, top, side in squares:
        assert min(round(1.2 * longer), 150) <= side <= min(round(2.5 * longer), 150)
        if side < 150:
            assert left <= box[0] + 0.5 and box[2] - 0.5 <= left + side
            assert top <= box[1] + 0.5 and box[3] - 0.5 <= top + side
    assert len(set(squares)) > 10


def test_small_lesions_are_not_blown_up():
    crop = RandomLesionCrop(scale=96, min_side=32)
    assert {crop.around((50, 50, 54, 53), (100, 100))[2] for _ in range(50)} == {32}


def test_images_smaller_than_the_least_side():
    assert RandomLesionCrop(scale=8, min_side=32).around((2, 2, 10, 9), (20, 30))[2] == 20


def background(size, boxes, img=None, side=40, **options):
    img = np.full((*size[::-1], 3), 100, np.uint8) if img is None else img
    crop = RandomLesionCrop(scale=32, min_side=8, **options)
    free = largest_free_square(size, boxes)
    return crop.beside(boxes, free, side, img)


@pytest.mark.parametrize(
    'boxes',
    [
        pytest.param([], id='lesion-free'),
        pytest.param([(60.5, 40.2, 100, 80)], id='one lesion'),
        pytest.param([(0, 0, 90, 120), (110, 0, 160, 120)], id='a strip between two'),
        pytest.param([(0, 0, 160, 108)], id='a strip below'),
    ],
)
def test_background_overlaps_no_box(boxes):
    for _ in range(100):
        square = background((160, 120), boxes)
        assert inside(square, (120, 160))
        assert square[2] >= 8
        assert not any(overlap(square, box) for box in boxes)


def test_background_shows_tissue():
    img = np.zeros((120, 160, 3), np.uint8)
    img[:, 80:] = 100  # the free square at the left is black
    for _ in range(50):
        left, top, side = background((160, 120), [(80, 0, 100, 120)], img, side=20, max_attempts=60)
        assert (img[top : top + side, left : left + side] > 4).mean() >= 0.6


def test_black_image_still_gives_a_background():
    square = background((160, 120), [(80, 0, 100, 120)], np.zeros((120, 160), np.uint8))
    assert not overlap(square, (80, 0, 100, 120))


def results(**changes):
    img = np.arange(120 * 160, dtype=np.uint8).reshape(120, 160)
    given = dict(img=img, img_path='a.png', height=120, width=160, box=(20, 20, 60, 50))
    return given | changes


def test_transform_resizes_the_crop_and_is_registered():
    crop = TRANSFORMS.build(dict(type='RandomLesionCrop', scale=24))
    done = crop(results())
    assert done['img'].shape == done['img_shape'] == (24, 24)
    done = crop(results(box=None, avoid=[(20, 20, 60, 50)], free=(60, 0, 100), side=30))
    assert done['img'].shape == (24, 24)


def test_cut_out_pixels_are_the_crops():
    """A constant lesion on a black ground: its share of the crop is what the sides say."""
    img = np.zeros((200, 200), np.uint8)
    img[80:120, 80:120] = 255
    crop = RandomLesionCrop(scale=64, context_range=(2, 2), max_shift=0)
    done = crop(dict(img=img, img_path='', height=200, width=200, box=(80, 80, 120, 120)))
    assert done['img'][32, 32] == 255
    assert (done['img'] > 127).mean() == pytest.approx(1 / 4, abs=0.02)


def test_size_of_the_image_must_be_the_files():
    with pytest.raises(InputError, match='a.png: found 160x120 pixels; expected 320x240'):
        RandomLesionCrop(scale=8)(results(height=240, width=320))


@pytest.mark.parametrize(
    'options',
    [dict(context_range=(2, 1)), dict(max_shift=-1), dict(min_side=0), dict(max_attempts=0)],
    ids=str,
)
def test_wrong_options(options):
    with pytest.raises(ValueError, match='RandomLesionCrop: found'):
        RandomLesionCrop(scale=8, **options)
