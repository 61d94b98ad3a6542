"""Pages drawn from files: lesions, masks, and what does not open."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_liver.preparation.cleansing.review import pages
from mmdet_liver.preparation.cleansing.review.pages import (
    Layout,
    Page,
    Picture,
    PictureGroup,
    draw_page,
)

LAYOUT = Layout(columns=2, rows=1, tile_px=(120, 90))
MESSAGE, MAGENTA, CYST = (120, 120, 120), (255, 0, 255), (86, 180, 233)


def draw(root: Path, *pictures: Picture) -> list[np.ndarray]:
    """The pictures as they come out on a page, without frames and captions."""
    draw_page(root, Page('k/page_0001.png', 'title', (PictureGroup(pictures),), LAYOUT))
    page = np.asarray(Image.open(root / 'k/page_0001.png').convert('RGB'))
    return [page[48:138, 18 + i * 138 :][:, :120] for i in range(len(pictures))]


def share_of(place: np.ndarray, color: tuple[int, int, int]) -> float:
    return (place == color).all(axis=2).mean()


@pytest.fixture
def grey(tmp_path):
    path = tmp_path / 'grey.png'
    cv2.imwrite(str(path), np.full((180, 240), 100, np.uint8))
    return path


def test_lesions_are_drawn_in_their_colour(tmp_path, grey):
    (place,) = draw(tmp_path, Picture(grey, ('a',), boxes=(((80, 60, 160, 120), 'cyst'),)))
    assert (place[30:60, 40:80] == 100).all()
    assert (place[28:30, 40:80] == CYST).all()


def test_mask_is_laid_over_the_darkened_image(tmp_path, grey):
    mask = np.zeros((180, 240), np.uint8)
    mask[60:120, 80:160] = 255
    cv2.imwrite(str(tmp_path / 'mask.png'), mask)
    before, masked = draw(
        tmp_path, Picture(grey, ('a',)), Picture(grey, ('b',), mask=tmp_path / 'mask.png')
    )
    assert (before == 100).all()
    assert (masked[30:60, 40:80] == MAGENTA).all() and (masked[:29] == 60).all()


def test_a_single_masked_pixel_shows_on_a_small_picture(tmp_path):
    cv2.imwrite(str(tmp_path / 'large.png'), np.zeros((540, 720), np.uint8))
    mask = np.zeros((540, 720), np.uint8)
    mask[300, 400] = 255
    cv2.imwrite(str(tmp_path / 'mask.png'), mask)
    (place,) = draw(tmp_path, Picture(tmp_path / 'large.png', (), mask=tmp_path / 'mask.png'))
    assert np.argwhere((place == MAGENTA).all(axis=2)).tolist() == [[50, 66]]


def test_mask_of_a_data_set_that_was_shrunk(tmp_path, grey):
    mask = np.zeros((90, 120), np.uint8)
    mask[30:60, 40:80] = 255
    cv2.imwrite(str(tmp_path / 'mask.png'), mask)
    (place,) = draw(tmp_path, Picture(grey, (), mask=tmp_path / 'mask.png'))
    assert (place[30:60, 40:80] == MAGENTA).all() and share_of(place, MAGENTA) < 0.12


def truncated(path: Path) -> None:
    rng = np.random.default_rng(0)
    _, data = cv2.imencode('.png', rng.integers(0, 256, (90, 120), np.uint8))
    path.write_bytes(data.tobytes()[:2000])


@pytest.mark.parametrize(
    'spoil',
    [
        pytest.param(lambda path: None, id='missing'),
        pytest.param(lambda path: path.write_bytes(b'rubbish'), id='rubbish'),
        pytest.param(truncated, id='truncated'),
        pytest.param(lambda path: path.mkdir(), id='a folder'),
    ],
)
def test_what_does_not_open_is_a_tile_that_says_so(tmp_path, grey, spoil):
    broken = tmp_path / 'broken.png'
    spoil(broken)
    boxes = (((80, 60, 160, 120), 'cyst'),)
    bad, badly_masked = draw(
        tmp_path, Picture(broken, ('a',), boxes=boxes), Picture(grey, ('b',), mask=broken)
    )
    for place in (bad, badly_masked):
        assert share_of(place, MESSAGE) > 0.5 and share_of(place, (255, 255, 255)) > 0.005
        assert share_of(place, CYST) == 0


def test_one_broken_image_leaves_its_neighbour_alone(tmp_path, grey):
    bad, good = draw(tmp_path, Picture(tmp_path / 'gone.png', ()), Picture(grey, ()))
    assert share_of(bad, MESSAGE) > 0.5 and (good == 100).all()


def test_the_message_does_not_name_this_machine(tmp_path):
    # The same review of the same data in two folders has the same bytes.
    for name in ('a', 'another'):
        draw(tmp_path / name, Picture(Path(name, 'gone.png'), ()))
    first, second = ((tmp_path / n / 'k/page_0001.png').read_bytes() for n in ('a', 'another'))
    assert first == second


def test_an_image_too_large_to_hold_is_not_decoded(tmp_path, grey, monkeypatch):
    monkeypatch.setattr(pages, 'MAX_PIXELS', 240 * 180 - 1)
    monkeypatch.setattr(pages, 'read_image', None)
    (place,) = draw(tmp_path, Picture(grey, ()))
    assert share_of(place, MESSAGE) > 0.5


def test_no_picture_says_why(tmp_path):
    (place,) = draw(tmp_path, Picture(None, ('unknown',), instead='not in the manifest'))
    assert share_of(place, MESSAGE) > 0.5 and share_of(place, (255, 255, 255)) > 0.005


def test_an_image_shown_twice_is_read_once(tmp_path, grey, monkeypatch):
    opened = []
    read = pages.read_image
    monkeypatch.setattr(pages, 'read_image', lambda path: opened.append(path) or read(path))
    cv2.imwrite(str(tmp_path / 'mask.png'), np.zeros((180, 240), np.uint8))
    draw(tmp_path, Picture(grey, ()), Picture(grey, (), mask=tmp_path / 'mask.png'))
    assert opened == [grey, tmp_path / 'mask.png']
