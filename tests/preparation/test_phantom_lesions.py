"""Each kind of lesion looks as radiology says, and its box fits it."""

import numpy as np
import pytest

from mmdet_liver.preparation.phantom.disease import sample_lesions
from mmdet_liver.preparation.phantom.lesions import Lesion, paint
from mmdet_liver.preparation.phantom.sector import Sector, polar_grid
from mmdet_liver.preparation.phantom.tissue import Tissue
from mmdet_liver.preparation.phantom.ultrasound import Knobs, Processing, backscatter
from mmdet_liver.preparation.phantom.views import View, lesion_box

SECTOR = Sector(640, 480, 60, 31, 140)
MIDDLE = View(0, 0, 0)
LOOKS = {
    'cyst': {'clutter': 10, 'wall': 2, 'septum': 0, 'enhancement': 8, 'edge_shadow': 3},
    'hemangioma': {'level': 9, 'core': 0, 'enhancement': 1},
    'HCC': {'halo': -12, 'halo_mm': 3, 'septa': 5, 'enhancement': 1, 'edge_shadow': 10},
    'Meta': {'rim': -12, 'core': 4, 'core_share': 0.55, 'necrosis': 0},
}
NODULES = tuple((0.45 * np.cos(a), 0.45 * np.sin(a), level) for a, level in [(0, 6), (3.1, -8)])


def lesion_of(diagnosis: str, **changes) -> Lesion:
    given = {
        'center': (0.0, 60.0, 0.0),
        'axes': (20.0, 20.0),
        'angle': 0.0,
        'bumps': (),
        'look': LOOKS[diagnosis],
        'waves': (0.0, 0.0, 0.0),
        'nodules': NODULES if diagnosis == 'HCC' else (),
    }
    return Lesion(diagnosis=diagnosis, **(given | changes))


def power_of(diagnosis: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """dB of a lesion in homogeneous liver, and x and y of every sample."""
    x, y = polar_grid(SECTOR)
    tissue = Tissue(x, y, *(np.zeros_like(x) for _ in range(3)))
    paint(lesion_of(diagnosis), tissue)
    rng = np.random.default_rng(0)
    return backscatter(rng, tissue, SECTOR, Processing(looks=3), Knobs(slope=0)), x, y


def within(x: np.ndarray, y: np.ndarray, low: float, high: float) -> np.ndarray:
    distance = np.hypot(x, y - 60)
    return (distance >= low) & (distance < high)


def liver_level(power: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    return power[(np.abs(y - 60) < 15) & (np.abs(x) > 30) & (np.abs(x) < 50)].mean()


@pytest.mark.parametrize(
    'diagnosis, low, high, least, most',
    [
        pytest.param('cyst', 0, 14, -60, -25, id='cyst is empty'),
        pytest.param('hemangioma', 0, 18, 6, 12, id='hemangioma is bright'),
        pytest.param('Meta', 0, 8, 2, 6, id='Meta has a bright centre'),
        pytest.param('Meta', 13, 18, -14, -9, id='Meta has a dark rim'),
        pytest.param('HCC', 17.9, 19.2, -14, -5, id='HCC has a dark halo'),
    ],
)
def test_level_of_a_part_against_liver(diagnosis, low, high, least, most):
    power, x, y = power_of(diagnosis)
    difference = power[within(x, y, low, high)].mean() - liver_level(power, x, y)
    assert least < difference < most


def test_hemangioma_is_homogeneous_and_hcc_a_mosaic():
    spread = {}
    for diagnosis in ('hemangioma', 'HCC'):
        power, x, y = power_of(diagnosis)
        centre = within(x, y, 0, 14)
        left, right = (power[centre & side].mean() for side in (x < -4, x > 4))
        spread[diagnosis] = abs(left - right)
    assert spread['hemangioma'] < 0.7
    assert spread['HCC'] > 6


@pytest.mark.parametrize('diagnosis, brighter', [('cyst', True), ('Meta', False)])
def test_enhancement_behind_a_cyst_only(diagnosis, brighter):
    power, x, y = power_of(diagnosis)
    deep = (y > 88) & (y < 115)
    behind = power[deep & (np.abs(x) < 8)].mean()
    beside = power[deep & (np.abs(x) > 45) & (np.abs(x) < 65)].mean()
    assert (behind - beside > 4) == brighter


def test_hcc_throws_shadows_below_its_sides():
    power, x, y = power_of('HCC')
    deep = (y > 88) & (y < 115)
    angle = np.arctan2(x, y + SECTOR.radius_mm)
    side = np.arcsin(20 / 120)  # the tangent from the array's centre to the lesion
    under_side = deep & (np.abs(np.abs(angle) - side) < 0.015)
    assert power[under_side].mean() < power[deep & (np.abs(angle) < 0.05)].mean() - 3
    assert power[under_side].mean() < power[deep & (np.abs(angle) > 0.28)].mean() - 3


@pytest.mark.parametrize('seed', range(4))
def test_metastases_of_a_patient_are_several_and_alike(seed):
    lesions = sample_lesions(np.random.default_rng(seed), 'Meta')
    shares = [m.look['core_share'] for m in lesions]
    assert len(lesions) >= 2
    assert max(shares) / min(shares) < 1.2
    gaps = [np.hypot(*np.subtract(a.center, b.center)[:2]) for a in lesions for b in lesions
            if a is not b]  # fmt: skip
    assert min(gaps) > 20


@pytest.mark.parametrize(
    'center, axes, view',
    [
        pytest.param((0, 60, 0), (20, 15), MIDDLE, id='in the middle'),
        pytest.param((-25, 80, 0), (18, 18), View(5, 0, 0.1), id='tilted probe'),
        pytest.param((47, 80, 0), (15, 15), MIDDLE, id='cut by the side of the fan'),
    ],
)
def test_box_is_tight_around_what_is_shown(center, axes, view):
    lesion = lesion_of('Meta', center=center, axes=axes, bumps=((2, 0.1, 0.3), (3, 0.05, 1.0)))
    v, u = np.mgrid[:480, :640] + 0.5
    x = (u - SECTOR.center * 640) * SECTOR.mm_per_pixel
    y = (v - SECTOR.top * 480) * SECTOR.mm_per_pixel - SECTOR.sag_mm
    at_x, at_y = view.to_patient(x, y)
    dx, dy = at_x - center[0], at_y - center[1]
    inside = np.hypot(dx, dy) <= lesion.outline(np.arctan2(dy, dx))
    rows, columns = np.nonzero(inside & SECTOR.contains(x, y))
    expected = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert lesion_box(view, SECTOR, lesion) == pytest.approx(expected, abs=2)


@pytest.mark.parametrize('center', [(90, 60, 0), (0, 150, 0), (88, 80, 0)])
def test_lesion_mostly_outside_the_fan_has_no_box(center):
    assert lesion_box(MIDDLE, SECTOR, lesion_of('cyst', center=center)) is None


@pytest.mark.parametrize('z, radius', [(0, 20), (12, 16), (-12, 16), (19, None), (60, None)])
def test_plane_off_the_centre_cuts_a_smaller_disc(z, radius):
    cut = lesion_of('cyst').cut(z)
    assert (cut and pytest.approx(cut.radius)) == radius


def test_probe_frame_and_back():
    view = View(12, 0, 0.2)
    x, y = np.array([3.0, -40]), np.array([10.0, 80])
    back = view.to_probe(*view.to_patient(x, y))
    np.testing.assert_allclose(back, (x, y), atol=1e-5)
