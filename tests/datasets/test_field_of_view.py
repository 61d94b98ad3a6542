"""The estimated scan lines, against the geometry that the phantom was drawn with."""

import cv2
import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets.transforms.field_of_view import scan_lines  # noqa: E402
from mmdet_liver.preparation.phantom.sector import Sector  # noqa: E402


def fan(sector):
    """A uniform sector, and its true lateral place and depth, 0..1, per pixel."""
    v, u = np.mgrid[: sector.height, : sector.width] + 0.5
    x = (u - sector.center * sector.width) * sector.mm_per_pixel
    y = (v - sector.top * sector.height) * sector.mm_per_pixel - sector.sag_mm
    angle = np.degrees(np.arctan2(x, y + sector.radius_mm))
    lateral = (angle + sector.half_angle) / (2 * sector.half_angle)
    depth = (np.hypot(x, y + sector.radius_mm) - sector.radius_mm) / sector.depth_mm
    return np.where(sector.contains(x, y), 120, 0).astype(np.uint8), lateral, depth


def compare(img, lateral, depth):
    """Mean absolute errors inside the sector, and that of the depth near the probe."""
    lines = scan_lines(img)
    size = img.shape[1::-1]
    found = [cv2.resize(np.ascontiguousarray(m), size) for m in (lines.lateral, lines.depth)]
    inside = (img if img.ndim == 2 else img[..., 0]) > 0
    errors = [np.abs(f - t) for f, t in zip(found, (lateral, depth), strict=True)]
    return [error[inside].mean() for error in errors] + [errors[1][inside & (depth < 0.1)].mean()]


@pytest.mark.parametrize(
    'sector',
    [
        pytest.param(Sector(640, 480, 60, 31, 120), id='curved'),
        pytest.param(Sector(640, 480, 60, 31, 90, center=0.55), id='off the middle'),
        pytest.param(Sector(512, 512, 50, 35, 160), id='deep'),
        pytest.param(Sector(160, 160, 40, 29, 150), id='small image'),
    ],
)
@pytest.mark.parametrize('kind', [np.uint8, np.float32])
def test_curved_array(sector, kind):
    img, lateral, depth = fan(sector)
    errors = compare(img.astype(kind), lateral, depth)
    assert max(errors) < 0.03


@pytest.mark.parametrize('flip', [False, True])
def test_flipped_images_have_flipped_lines(flip):
    img, lateral, depth = fan(Sector(640, 480, 60, 31, 90, center=0.45))
    if flip:
        img, lateral, depth = img[:, ::-1], 1 - lateral[:, ::-1], depth[:, ::-1]
    assert max(compare(np.ascontiguousarray(img), lateral, depth)) < 0.03


def test_linear_array():
    img = np.zeros((300, 400, 3), np.uint8)
    img[40:280, 50:350] = 90
    y, x = np.mgrid[:300, :400] + 0.5
    assert max(compare(img, (x - 50) / 300, (y - 40) / 240)) < 0.02


@pytest.mark.parametrize('grey', [0, 128], ids=['black', 'tissue all over'])
def test_without_an_outline_the_image_is_the_sector(grey):
    img = np.full((120, 90), grey, np.uint8)
    lines = scan_lines(img)
    assert lines.lateral[0, [0, -1]].tolist() == pytest.approx([0, 1], abs=0.02)
    assert lines.depth[[0, -1], 0].tolist() == pytest.approx([0, 1], abs=0.02)


@pytest.mark.parametrize('shape', [(1, 1), (1, 300), (300, 1), (2, 2, 3)])
def test_tiny_images(shape):
    lines = scan_lines(np.full(shape, 50, np.uint8))
    assert lines.lateral.shape == lines.depth.shape
    assert np.isfinite(lines.lateral).all() and np.isfinite(lines.depth).all()
