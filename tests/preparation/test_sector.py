"""The sector's box against the geometry that the phantom was drawn with."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from pytest import approx

from mmdet_liver.preparation.cleansing.sector import sector_box, sector_mask, small_copy
from mmdet_liver.preparation.phantom.marks import Marks, burn_in
from mmdet_liver.preparation.phantom.scanners import SCANNERS
from mmdet_liver.preparation.phantom.sector import Sector, polar_grid
from mmdet_liver.preparation.phantom.tissue import Tissue
from mmdet_liver.preparation.phantom.ultrasound import Knobs, render

MARKS = Marks(
    header=('PHANTOM HOSP  ID 0000000 M060', '2020/01/01 10:00:00', 'A5  MI 1.2  24 fps'),
    label='RT LOBE',
    calipers=((200.0, 150.0, 260.0, 200.0),),
    body_mark=True,
)


def shown(sector: Sector) -> np.ndarray:
    """(height, width) bool, the pixels of the field of view."""
    v, u = np.mgrid[: sector.height, : sector.width] + 0.5
    x = (u - sector.center * sector.width) * sector.mm_per_pixel
    y = (v - sector.top * sector.height) * sector.mm_per_pixel - sector.sag_mm
    return sector.contains(x, y)


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def liver(scanner, sector: Sector) -> np.ndarray:
    x, y = polar_grid(sector)
    tissue = Tissue(x, y, *(np.zeros_like(x) for _ in range(3)))
    return render(np.random.default_rng(0), tissue, sector, scanner.processing, Knobs())


def textured(height: int, width: int, mean: float = 110, std: float = 30) -> np.ndarray:
    noise = cv2.GaussianBlur(np.random.default_rng(1).normal(size=(height, width)), (0, 0), 4)
    return np.clip(mean + std * noise / noise.std(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize('depth_mm', [90, 150])
@pytest.mark.parametrize('scanner', SCANNERS, ids=lambda s: s.name)
def test_box_is_the_phantoms_field_of_view(scanner, depth_mm):
    sector = scanner.sector(depth_mm)
    marks = MARKS if scanner.style.header else replace(MARKS, header=())
    image = burn_in(liver(scanner, sector), marks, scanner.style, sector)
    image = np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else image
    size = np.array([sector.width, sector.height] * 2)
    expected = box_of(shown(sector)) / size
    assert sector_box(image) / size == approx(expected, rel=0, abs=0.025)


def test_marks_outside_change_nothing():
    scanner = SCANNERS[0]
    sector = scanner.sector(120)
    plain = liver(scanner, sector)
    marked = burn_in(plain, Marks(MARKS.header, 'LIVER'), scanner.style, sector)
    assert sector_box(marked) == sector_box(plain)


def test_text_that_touches_the_sector_is_left_out():
    scanner = SCANNERS[0]
    sector = scanner.sector(120)
    image = liver(scanner, sector)
    box = sector_box(image)
    left = int(np.flatnonzero(shown(sector)[240])[0])
    cv2.putText(image, 'PT JOHN DOE', (left - 110, 246), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)
    mask = sector_mask(small_copy(image)[0])
    assert mask[60, left // 4 + 3] and not mask[60, : left // 4 - 5].any()  # a quarter as large
    assert sector_box(image) == box


def test_colour_or_grey_is_all_the_same():
    scanner = SCANNERS[0]
    image = liver(scanner, scanner.sector(120))
    assert sector_box(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)) == sector_box(image)


@pytest.mark.parametrize(
    'image',
    [
        pytest.param(textured(470, 560), id='tissue fills the frame'),
        pytest.param(textured(471, 563), id='and the frame is no multiple of the small copy'),
        pytest.param(np.zeros((480, 640), np.uint8), id='black'),
        pytest.param(np.full((480, 640), 200, np.uint8), id='uniform'),
        pytest.param(
            cv2.putText(
                np.zeros((480, 640), np.uint8), 'REPORT', (40, 60), cv2.FONT_HERSHEY_SIMPLEX, 1, 255
            ),
            id='nothing but writing',
        ),
        pytest.param(
            cv2.circle(np.zeros((480, 640), np.uint8), (300, 200), 60, 180, -1), id='a small disc'
        ),
    ],
)
def test_whole_image_where_no_part_of_it_is_a_sector(image):
    assert sector_box(image) == (0, 0, image.shape[1], image.shape[0])


@pytest.mark.parametrize('black', [0, 16], ids=['digital', 'captured from video'])
def test_border_is_cropped(black):
    image = np.full((600, 800), black, np.uint8)
    image[80:520, 100:700] = textured(440, 600)
    assert sector_box(image) == approx((100, 80, 700, 520), rel=0, abs=8)


def test_both_views_of_a_divided_screen():
    image = np.zeros((480, 800), np.uint8)
    image[60:400, 20:360] = textured(340, 340)
    image[100:300, 500:780] = textured(200, 280)
    assert sector_box(image) == approx((20, 60, 780, 400), rel=0, abs=8)


@pytest.mark.parametrize(
    'width, height', [(1, 1), (7, 5), (3000, 1), (1, 3000), (60000, 40), (201, 199), (401, 3)]
)
def test_any_size_gives_a_box_inside(width, height):
    noise = np.random.default_rng(0).integers(0, 255, (height, width), dtype=np.uint8)
    x0, y0, x1, y1 = sector_box(noise)
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
