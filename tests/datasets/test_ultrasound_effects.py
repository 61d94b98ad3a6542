"""The grey value effects, against values by hand and slow loops."""

import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets.transforms.ultrasound_effects import (  # noqa: E402
    add_decibels,
    add_speckle,
    apply_gamma,
    depth_gain,
    noise_field,
    shadow,
)

KINDS = [
    pytest.param(np.uint8, (40, 30), id='uint8 grey'),
    pytest.param(np.uint8, (40, 30, 3), id='uint8 colour'),
    pytest.param(np.float32, (40, 30), id='float grey'),
    pytest.param(np.float32, (40, 30, 3), id='float colour'),
]
MAP = np.linspace(-70, 70, 40 * 30, dtype=np.float32).reshape(40, 30)
EFFECTS = {
    'one gain': lambda img: add_decibels(img, 7.5),
    'a map': lambda img: add_decibels(img, MAP),
    'gamma': lambda img: apply_gamma(img, 0.7),
    'speckle': lambda img: add_speckle(img, noise_field((40, 30), 2.0, seed=3), 0.3),
}


def grey_levels(shape, kind=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(kind)


@pytest.mark.parametrize(
    ('decibels', 'grey', 'expected'),
    [
        pytest.param(0, 100, 100, id='none'),
        pytest.param(6, 100, 126, id='up'),  # 100 + 6 * 255 / 60 = 125.5, to the even
        pytest.param(-12, 100, 49, id='down'),
        pytest.param(60, 100, 255, id='clipped at white'),
        pytest.param(-60, 100, 0, id='clipped at black'),
        pytest.param(20, 0, 0, id='black stays black'),
        pytest.param(20, 2, 7, id='near black hardly moves'),  # 2 + 85 * 2 / 32 = 7.3
        pytest.param(20, 16, 58, id='half at half the knee'),  # 16 + 42.5 = 58.5
        pytest.param(20, 32, 117, id='whole at the knee'),
    ],
)
@pytest.mark.parametrize(('kind', 'shape'), KINDS)
def test_decibels_by_hand(decibels, grey, expected, kind, shape):
    img = np.full(shape, grey, kind)
    for given in (decibels, np.full(shape[:2], decibels, np.float32)):
        out = add_decibels(img, given)
        assert out.dtype == kind and out.shape == shape
        np.testing.assert_allclose(out, expected, atol=0.51)


@pytest.mark.parametrize('decibels', [-60, -20, -3, 3, 20, 60])
def test_grey_values_keep_their_order(decibels):
    ladder = np.arange(256, dtype=np.uint8)[None]
    out = add_decibels(ladder, decibels).astype(int)
    assert (np.diff(out) >= 0).all()


def test_a_map_shifts_each_pixel_by_its_own():
    img = grey_levels((40, 30, 3))
    expected = np.stack(
        [
            [add_decibels(img[y, x : x + 1], float(MAP[y, x]))[0] for x in range(30)]
            for y in range(40)
        ]
    )
    assert (add_decibels(img, MAP) == expected).all()


@pytest.mark.parametrize('effect', EFFECTS)
@pytest.mark.parametrize(('kind', 'shape'), KINDS)
def test_all_kinds_of_images_agree(effect, kind, shape):
    before = grey_levels(shape, kind)
    img = before.copy()
    out = EFFECTS[effect](img)
    assert out.dtype == kind and out.shape == shape
    assert out.min() >= 0 and out.max() <= 255
    assert (out != before).any()
    assert (img == before).all(), 'the input is left alone'
    assert (EFFECTS[effect](np.zeros(shape, kind)) == 0).all(), 'black stays black'
    # A channel for itself, as uint8, differs by the rounding alone.
    channel = img if img.ndim == 2 else img[..., 1]
    alone = EFFECTS[effect](channel.astype(np.uint8)).astype(float)
    np.testing.assert_allclose(out if img.ndim == 2 else out[..., 1], alone, atol=0.501)


@pytest.mark.parametrize('effect', EFFECTS)
def test_grey_in_three_channels_stays_grey(effect):
    out = EFFECTS[effect](np.repeat(grey_levels((40, 30))[..., None], 3, axis=2))
    assert (out == out[..., :1]).all()


def test_noise_hangs_on_the_seed():
    one, same, other = (noise_field((20, 30), 2.5, seed) for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize(
    ('depth', 'slope', 'sliders', 'expected'),
    [
        pytest.param(0.0, -12, [0, 0], 0, id='nothing at the probe'),
        pytest.param(0.5, -12, [0, 0], -6, id='half way'),
        pytest.param(1.0, -12, [0, 0], -12, id='at the bottom'),
        pytest.param(0.25, 0, [0, 4, 0], 2, id='between two sliders'),
        pytest.param(0.5, -10, [0, 4, 0], -1, id='both'),
        pytest.param(1.2, 0, [0, 4, 1], 1, id='below the sector'),
    ],
)
def test_depth_gain(depth, slope, sliders, expected):
    decibels = depth_gain(np.full((2, 3), depth), slope, np.array(sliders, float))
    assert decibels.dtype == np.float32
    assert decibels == pytest.approx(expected)


def shadow_at(lateral, depth):
    at = np.array([[lateral]]), np.array([[depth]])
    return shadow(*at, place=0.4, width=0.1, start=0.5, loss=20.0).item()


@pytest.mark.parametrize(
    ('lateral', 'depth', 'expected'),
    [
        pytest.param(0.4, 0.9, -20, id='in the middle'),
        pytest.param(0.4, 0.5, -20, id='from where it starts'),
        pytest.param(0.4, 0.46, 0, id='before it starts'),
        pytest.param(0.45, 0.9, -20 * np.exp(-1 / 16), id='flat inside'),
        pytest.param(0.5, 0.9, -20 / np.e, id='at its width'),
        pytest.param(0.6, 0.9, 0, id='beside it'),
    ],
)
def test_shadow(lateral, depth, expected):
    assert shadow_at(lateral, depth) == pytest.approx(expected, abs=1e-4)
