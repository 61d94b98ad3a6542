import random

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets.transforms.ultrasound_effects import noise_field  # noqa: E402
from mmdet_liver.datasets.transforms.ultrasound_views import (  # noqa: E402
    RandomGamma,
    RandomSpeckle,
    RandomTissueCrop,
    random_box,
    share_inside,
    tissue_integral,
)


@pytest.fixture(autouse=True)
def seed():
    random.seed(0)


@pytest.fixture
def half_dark():
    """120 x 200, BGR; tissue of grey 100 on the right half only."""
    img = np.zeros((120, 200, 3), np.uint8)
    img[:, 100:] = 100
    return img


def grey_levels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize('shape', [pytest.param((40, 60), id='grey'), pytest.param((40, 60, 3))])
@pytest.mark.parametrize('box', [(0, 0, 60, 40), (7, 3, 11, 20), (59, 39, 1, 1)])
def test_share_inside_counts_pixels(shape, box):
    img = grey_levels(*shape)
    x, y, width, height = box
    inside = (img if img.ndim == 2 else img[..., 1])[y : y + height, x : x + width]
    assert share_inside(tissue_integral(img, 128), box) == pytest.approx(np.mean(inside > 128))


def test_random_boxes_lie_inside_and_have_the_area():
    boxes = np.array([random_box((120, 200), (0.2, 0.6), (0.75, 4 / 3)) for _ in range(2000)])
    x, y, width, height = boxes.T
    area = width * height / (120 * 200)
    assert (boxes >= 0).all()
    assert (x + width <= 200).all()
    assert (y + height <= 120).all()
    assert area.max() <= 0.61
    assert area.mean() == pytest.approx(0.4, abs=0.02)


def test_crops_keep_tissue(half_dark):
    options = dict(scale=32, crop_ratio_range=(0.1, 0.3), max_attempts=50)
    keep = RandomTissueCrop(min_tissue=0.9, **options)
    lax = RandomTissueCrop(min_tissue=0, **options)
    integral = tissue_integral(half_dark, 4)
    shares = [share_inside(integral, keep.choose(half_dark)) for _ in range(100)]
    lax_shares = [share_inside(integral, lax.choose(half_dark)) for _ in range(100)]
    assert min(shares) >= 0.9
    assert min(lax_shares) < 0.1


def test_dark_image_is_no_error():
    results = RandomTissueCrop(scale=(24, 32))({'img': np.zeros((50, 70, 3), np.uint8)})
    assert results['img'].shape == (24, 32, 3)
    assert results['img_shape'] == (24, 32)


def test_best_attempt_is_taken_when_none_suffices(half_dark):
    options = dict(scale=8, crop_ratio_range=(1, 1), aspect_ratio_range=(0.5, 2), min_tissue=1)
    one, many = (RandomTissueCrop(max_attempts=n, **options) for n in (1, 30))
    integral = tissue_integral(half_dark, 4)

    def mean_share(crop):
        return np.mean([share_inside(integral, crop.choose(half_dark)) for _ in range(50)])

    assert mean_share(many) > mean_share(one) + 0.05


@pytest.mark.parametrize(
    'gamma, grey, expected',
    [
        pytest.param(1, 100, 100, id='unchanged'),
        pytest.param(2, 100, 39, id='darker'),  # 255 * (100 / 255) ** 2 = 39.2
        pytest.param(0.5, 100, 160, id='brighter'),  # 255 * (100 / 255) ** 0.5 = 159.7
        pytest.param(2, 255, 255, id='white stays'),
        pytest.param(0.5, 0, 0, id='black stays'),
    ],
)
def test_gamma(gamma, grey, expected):
    img = np.full((4, 5, 3), grey, np.uint8)
    out = RandomGamma(gamma_range=(gamma, gamma))({'img': img})['img']
    assert out.dtype == np.uint8
    assert (out == expected).all()


def test_speckle_is_multiplicative_and_grey():
    img = np.zeros((100, 100, 3), np.uint8)
    img[:50] = 100
    out = RandomSpeckle(sigma_range=(0.2, 0.2))({'img': img})['img']
    assert (out[50:] == 0).all()
    assert (out == out[..., :1]).all()
    assert out[:50].std() == pytest.approx(20, rel=0.15)
    assert out[:50].mean() == pytest.approx(100, rel=0.05)


def test_grain_correlates_neighbours():
    fine, coarse = noise_field((200, 200), 1, seed=0), noise_field((200, 200), 3, seed=0)

    def neighbour_correlation(field):
        return np.corrcoef(field[:, :-1].ravel(), field[:, 1:].ravel())[0, 1]

    assert abs(neighbour_correlation(fine)) < 0.05
    assert neighbour_correlation(coarse) > 0.5
    assert coarse.std() == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    'transform', [RandomTissueCrop(scale=16), RandomGamma(), RandomSpeckle()], ids=repr
)
def test_same_seed_same_view(transform):
    views = []
    for start in (1, 1, 2):
        random.seed(start)
        views.append(transform({'img': grey_levels(60, 80, 3)})['img'])
    assert (views[0] == views[1]).all()
    assert (views[0] != views[2]).any()


@pytest.mark.parametrize(
    'cfg',
    [
        dict(type='RandomTissueCrop', scale=8, max_attempts=0),
        dict(type='RandomTissueCrop', scale=8, crop_ratio_range=(0, 1)),
        dict(type='RandomGamma', gamma_range=(0, 1)),
        dict(type='RandomTissueCrop', scale=8, aspect_ratio_range=(0, 1)),
        dict(type='RandomSpeckle', grain_range=(0.5, 1)),
        dict(type='RandomSpeckle', grain_range=(3, 2)),
        dict(type='RandomSpeckle', sigma_range=(-0.1, 0.1)),
    ],
    ids=str,
)
def test_wrong_options(cfg):
    with pytest.raises(ValueError, match='got'):
        TRANSFORMS.build(cfg)
