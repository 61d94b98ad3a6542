"""Which images are shown: every class, lesion-free ones, spread over the set."""

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.heatmaps.choosing import choose_images, find_images


@pytest.mark.parametrize(
    'labels, count, chosen',
    [
        pytest.param([], 3, [], id='no images'),
        pytest.param([[], [], []], 2, [0, 2], id='all lesion-free'),
        pytest.param([[0]] * 8, 2, [2, 6], id='one class: middles of both halves'),
        pytest.param([[0]] * 8 + [[]] * 2, 1, [4], id='one image: with a lesion'),
        pytest.param([[0]] * 8 + [[]] * 2, 2, [4, 9], id='two images: the second without'),
        pytest.param([[], [0], [0], [1], [2]], 3, [2, 3, 0], id='classes take turns'),
        pytest.param([[], [0], [0], [1], [2]], 4, [2, 3, 4, 0], id='lesion-free ones last'),
        pytest.param([[0], [0], [0, 1]], 2, [1, 2], id='an image shows its rarest class'),
        pytest.param([[0], [1]], 9, [0, 1], id='fewer images than wanted'),
    ],
)
def test_choose_images(labels, count, chosen):
    assert choose_images(labels, count) == chosen


PATHS = ['data/images/p1/a.png', 'data/images/p2/a.png', 'data/images/p2/ba.png']


@pytest.mark.parametrize(
    'wanted, found',
    [(['ba.png'], [2]), (['p2/a.png', 'p1/a.png'], [1, 0]), ([PATHS[1]], [1])],
)
def test_find_images(wanted, found):
    assert find_images(PATHS, wanted) == found


@pytest.mark.parametrize('name, fits', [('a.png', 2), ('c.png', 0), ('a', 0)])
def test_a_name_must_fit_one_image(name, fits):
    with pytest.raises(InputError, match=f'{name}: found {fits} images of that name among 3'):
        find_images(PATHS, [name])
