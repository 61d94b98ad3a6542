"""Tiles: what they hold, and their correlation against numpy's."""

import cv2
import numpy as np
import pytest

from mmdet_liver.preparation.cleansing import tiles
from mmdet_liver.preparation.cleansing.tiles import Tiles, make_tile, tile_text

RNG = np.random.default_rng(0)


def texture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (64, 64))
    rough = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.clip(120 + 25 / rough.std() * rough, 0, 255).astype(np.uint8)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    texts = [tile_text(make_tile(image)) for image in (a, b)]
    return float(Tiles(texts).correlations(np.array([0]), np.array([1]))[0])


@pytest.mark.parametrize(
    'change',
    [
        pytest.param(lambda i: cv2.convertScaleAbs(i, alpha=0.4), id='gain'),
        pytest.param(lambda i: i // 2 + np.arange(64, dtype=np.uint8)[:, None], id='a ramp'),
        pytest.param(lambda i: cv2.GaussianBlur(i, (0, 0), 0.7), id='blurred'),
        pytest.param(lambda i: i * np.linspace(0.3, 1, 64), id='a shadow'),
    ],
)
def test_edges_and_texture_outlast_changes_of_brightness(change):
    image = texture(1)
    assert correlation(image, change(image).astype(np.uint8)) > 0.9


def test_pictures_of_the_same_disc_in_other_tissue_differ():
    # The hash, and a plain correlation, see the disc alone.
    images = [texture(seed) // 4 + 60 for seed in (1, 2)]
    for image in images:
        cv2.circle(image, (32, 32), 14, 5, -1)
    plain = np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1]
    assert plain > 0.7 and correlation(*images) < plain - 0.15


def test_correlations_are_those_of_numpy(monkeypatch):
    monkeypatch.setattr(tiles, '_BLOCK', 7)
    stack = RNG.integers(1, 256, (12, 32, 32), dtype=np.uint8)
    stack[3] = stack[2] // 2 + 60
    stack[4] = 255 - stack[2] // 2
    i, j = RNG.integers(0, 12, (2, 100))
    found = Tiles([tile_text(tile) for tile in stack]).correlations(i, j)
    every = np.corrcoef(stack.reshape(12, -1).astype(float))
    np.testing.assert_allclose(found, every[i, j], atol=1e-5)
    assert every[2, 3] > 0.99 and every[2, 4] < -0.99


def test_no_pair_has_no_correlation():
    none = np.zeros(0, int)
    assert Tiles([]).correlations(none, none).shape == (0,)


def test_a_flat_or_unknown_tile_is_like_no_other():
    flat = make_tile(np.full((64, 64), 90, np.uint8))
    assert (flat == 128).all()
    some = Tiles([tile_text(flat), '', tile_text(make_tile(texture(0)))])
    i, j = np.divmod(np.arange(9), 3)
    assert some.correlations(i, j).round(5).tolist() == [0] * 8 + [1]
