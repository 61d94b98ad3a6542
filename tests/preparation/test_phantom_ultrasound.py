"""The physics of the phantom: speckle, attenuation, compression, scan conversion."""

import cv2
import numpy as np
import pytest

from mmdet_liver.preparation.phantom.sector import LINES, SAMPLES, Sector, polar_grid, scan_convert
from mmdet_liver.preparation.phantom.tissue import Tissue
from mmdet_liver.preparation.phantom.ultrasound import (
    Knobs,
    Processing,
    backscatter,
    beam_loss,
    compress,
    envelope,
    speckle,
)

SECTOR = Sector(640, 480, 60, 31, 140)


def homogeneous(sector: Sector = SECTOR) -> Tissue:
    x, y = polar_grid(sector)
    return Tissue(x, y, *(np.zeros_like(x) for _ in range(3)))


def test_speckle_of_homogeneous_tissue_is_rayleigh():
    amplitude = envelope(speckle(np.random.default_rng(0), (1.3, 1.5)))
    # Rayleigh: mean / std = sqrt(pi / (4 - pi)) = 1.913; P(a > rms) = exp(-1) = 0.368
    assert amplitude.mean() / amplitude.std() == pytest.approx(1.913, abs=0.03)
    assert (amplitude**2).mean() == pytest.approx(2, rel=0.03)
    assert (amplitude**2 > (amplitude**2).mean()).mean() == pytest.approx(0.368, abs=0.01)


def test_smooth_reflector_keeps_its_amplitude_under_the_pulse():
    mean = np.full((SAMPLES, LINES), 20, np.float32)
    quiet = np.zeros_like(mean)
    echoes = speckle(np.random.default_rng(0), (1.3, 1.5), mean, quiet)
    np.testing.assert_allclose(envelope(echoes), 20, rtol=1e-4)


@pytest.mark.parametrize('looks, std_db', [(1, 5.57), (4, 2.31)])
def test_compounding_steadies_the_speckle(looks, std_db):
    # log of a gamma variable: std = 10 / ln 10 * sqrt(trigamma(looks))
    processing = Processing(looks=looks, pulse_mm=0.35, beam_lines=(1.5, 1.5))
    power = backscatter(np.random.default_rng(1), homogeneous(), SECTOR, processing, Knobs(slope=0))
    assert power[60:400].std() == pytest.approx(std_db, abs=0.15)


@pytest.mark.parametrize('slope', [0.0, -0.05, -0.1])
def test_echoes_fall_with_depth(slope):
    processing = Processing(looks=3)
    power = backscatter(
        np.random.default_rng(0), homogeneous(), SECTOR, processing, Knobs(slope=slope)
    )
    depths = SECTOR.depths()[:, 0]
    near, far = (power[(depths > d - 5) & (depths < d + 5)].mean() for d in (30, 100))
    assert far - near == pytest.approx(70 * slope, abs=0.5)


def test_weak_attenuation_brightens_what_lies_behind_and_nothing_else():
    tissue = homogeneous()
    depths = SECTOR.depths()[:, 0]
    layer = (depths > 40) & (depths < 70)
    tissue.loss[layer, 100:140] = -0.2
    lost = beam_loss(tissue, SECTOR)
    assert lost[depths > 75, 110:130].mean() == pytest.approx(-6, abs=0.1)
    assert np.abs(lost[:, :90]).max() < 0.01
    assert np.abs(lost[depths < 35]).max() < 0.01


def test_compression_is_logarithmic_between_black_and_white():
    levels = np.tile(np.float32([-40, -10, 0, 10, 60])[:, None, None], (1, 9, 9))
    gray = [compress(level, Processing(dynamic_range=60)).mean() for level in levels]
    # white at 0.52 * 60 = 31.2 dB above liver, black 60 dB below white
    expected = [0, 255 * 18.8 / 60, 255 * 28.8 / 60, 255 * 38.8 / 60, 255]
    assert gray == pytest.approx(expected, abs=1)


@pytest.mark.parametrize('x_mm, y_mm', [(0, 50), (30, 60), (-45, 100)])
def test_scan_conversion_puts_a_point_where_the_geometry_says(x_mm, y_mm):
    x, y = polar_grid(SECTOR)
    spot = (255 * ((x - x_mm) ** 2 + (y - y_mm) ** 2 < 16)).astype(np.uint8)
    v, u = np.nonzero(scan_convert(spot, SECTOR) > 127)
    at = SECTOR.to_pixels(np.array(float(x_mm)), np.array(float(y_mm)))
    assert (u.mean() + 0.5, v.mean() + 0.5) == pytest.approx(at, abs=1)
    assert len(u) == pytest.approx(np.pi * 16 / SECTOR.mm_per_pixel**2, rel=0.05)


def test_outside_the_fan_is_black_and_inside_is_not():
    image = scan_convert(np.full((SAMPLES, LINES), 200, np.uint8), SECTOR)
    v, u = np.mgrid[:480, :640] + 0.5
    x = (u - 320) * SECTOR.mm_per_pixel
    y = (v - SECTOR.top * 480) * SECTOR.mm_per_pixel - SECTOR.sag_mm
    inside = SECTOR.contains(x, y)
    edge = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5)))
    core = cv2.erode(inside.astype(np.uint8), np.ones((5, 5)))
    assert (image[core > 0] == 200).all()
    assert not image[edge == 0].any()


def test_speckle_grows_wider_with_depth_on_the_screen():
    processing = Processing(looks=1, smoothing=0)
    power = backscatter(np.random.default_rng(0), homogeneous(), SECTOR, processing, Knobs(slope=0))
    image = scan_convert(compress(power, processing).astype(np.uint8), SECTOR).astype(float)

    def width(rows: slice) -> float:
        strip = image[rows, 250:390] - image[rows, 250:390].mean()
        return (strip[:, :-3] * strip[:, 3:]).mean() / (strip**2).mean()

    assert width(slice(360, 420)) > width(slice(100, 160)) + 0.1
