"""Sheets: where pictures stand, what a caption keeps, that nothing is distorted or changes.

Numbers are those of the layout: 44 px title, 18 px between pictures and at the edge, 17 px a
caption line, 28 px a heading, a picture stands 4 px below the top of its place.
"""

import struct

import numpy as np
import pytest
from PIL import Image, ImageFont

from mmdet_liver.sheet_layout import fill_shelves, paginate
from mmdet_liver.sheet_text import clip_text, wrap_text
from mmdet_liver.sheets import Group, Tile, draw_groups, draw_sheet, fit_tile, message_image

GROUND, PANEL = (182, 182, 182), (210, 210, 210)
RED, GREEN = (200, 30, 30), (30, 150, 50)


def plain(color: tuple[int, int, int], size: tuple[int, int] = (60, 40), **more) -> Tile:
    image = np.full((size[1], size[0], 3), color[::-1], np.uint8)  # BGR
    return Tile(image, **more)


def drawn(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert('RGB'))


def color_at(page: np.ndarray, x: int, y: int) -> tuple[int, ...]:
    return tuple(page[y, x].tolist())


def test_pictures_stand_row_by_row(tmp_path):
    colors = [(10 * i, 5, 250 - 10 * i) for i in range(7)]
    tiles = [plain(color, caption=('a', 'b')) for color in colors]
    draw_sheet(tiles, tmp_path / 'a.png', title='seven', columns=3, tile_px=(60, 40))
    page = drawn(tmp_path / 'a.png')
    row_height = 40 + 2 * 17 + 2 * 18
    assert page.shape[:2] == (44 + 3 * row_height + 18, 3 * (60 + 18) + 18)
    for i, color in enumerate(colors):
        left, top = 18 + (i % 3) * 78, 44 + (i // 3) * row_height + 4
        assert (page[top : top + 40, left : left + 60] == color).all()
        assert color_at(page, left - 1, top) == color_at(page, left, top - 1) == GROUND
    assert color_at(page, 18 + 78, 44 + 2 * row_height + 4) == GROUND  # no eighth picture


@pytest.mark.parametrize(
    'size, box',
    [
        pytest.param((120, 40), (0, 60, 120, 100), id='wide: full width, at the bottom'),
        pytest.param((50, 200), (0, 0, 25, 100), id='high: full height, at the left'),
        pytest.param((12, 4), (0, 60, 120, 100), id='a small one grows'),
    ],
)
def test_picture_is_fitted_undistorted(tmp_path, size, box):
    tile = plain((0, 0, 0), size)
    draw_sheet([tile], tmp_path / 'a.png', title='', columns=1, tile_px=(120, 100))
    place = drawn(tmp_path / 'a.png')[48:148, 18:138]
    black = np.argwhere((place == 0).all(axis=2))[:, ::-1]
    assert (*black.min(axis=0), *(black.max(axis=0) + 1)) == box


def test_fitting_twice_changes_nothing():
    tile = Tile(np.random.default_rng(0).integers(0, 256, (333, 471), np.uint8))
    once = fit_tile(tile, (240, 200))
    assert once.image.shape == (170, 240)
    assert fit_tile(once, (240, 200)) is once


def test_box_and_frame_are_around_what_they_mark(tmp_path):
    tile = plain((90, 90, 90), (200, 100), boxes=(((40, 20, 100, 60), RED),), frame=GREEN)
    draw_sheet([tile], tmp_path / 'a.png', title='', columns=1, tile_px=(100, 50))
    page = drawn(tmp_path / 'a.png')
    place = page[48:98, 18:118]  # half the size: the lesion is (20, 10, 50, 30)
    assert (place[10:30, 20:50] == 90).all()
    assert (place[8:10, 18:52] == RED).all() and (place[10:30, 50:52] == RED).all()
    assert (place[7, 17:53] == 0).all() and (place[31, 18:52] == RED).all()
    assert color_at(place, 54, 20) == (90, 90, 90)
    assert (page[44:48, 14:122] == GREEN).all() and (page[98:102, 14:122] == GREEN).all()
    assert color_at(page, 13, 60) == color_at(page, 122, 60) == GROUND


@pytest.mark.parametrize(
    'box',
    [
        pytest.param((-1e9, -1e9, 1e9, 1e9), id='far outside'),
        pytest.param((60, 40, 60, 40), id='no area, at the corner'),
        pytest.param((300, 300, 310, 310), id='wholly outside'),
    ],
)
@pytest.mark.parametrize('size', [(60, 40), (1, 400), (400, 1)])
def test_odd_boxes_do_not_stop_the_sheet(tmp_path, box, size):
    draw_sheet([plain((0, 0, 0), size, boxes=((box, RED),))], tmp_path / 'a.png', title='')
    assert (drawn(tmp_path / 'a.png') == RED).all(axis=2).any()


def test_grey_and_colour_images_keep_their_pixels(tmp_path):
    grey = np.arange(2400, dtype=np.uint32).reshape(40, 60) % 256
    tiles = [Tile(grey.astype(np.uint8)), plain((200, 100, 50))]
    draw_sheet(tiles, tmp_path / 'a.png', title='', columns=2, tile_px=(60, 40))
    page = drawn(tmp_path / 'a.png')
    assert (page[48:88, 18:78] == grey[..., None]).all()
    assert color_at(page, 18 + 78, 48) == (200, 100, 50)


def test_groups_have_panels_headings_and_frames(tmp_path):
    groups = [
        Group((plain(RED), plain(RED)), 'a pair', RED),
        Group((plain(GREEN),), 'one'),
        Group((plain((1, 2, 3)),)),
    ]
    draw_groups(groups, tmp_path / 'a.png', title='', columns=3, tile_px=(60, 40))
    page = drawn(tmp_path / 'a.png')
    top = 44 + 28 + 4  # below the heading
    assert color_at(page, 18, top) == color_at(page, 96, top) == RED
    assert color_at(page, 90, top) == PANEL  # between the two of the pair
    assert color_at(page, 18 - 7, top) == RED and color_at(page, 18 + 60 + 18 + 60 + 6, top) == RED
    assert color_at(page, 174, top) == GREEN and color_at(page, 170, top) == PANEL
    second = 44 + 28 + 40 + 36
    assert color_at(page, 18, second + 4) == (1, 2, 3)  # no heading, no panel
    assert color_at(page, 16, second + 4) == GROUND


def test_no_tiles_is_a_sheet_with_a_title(tmp_path):
    draw_sheet([], tmp_path / 'a.png', title='nothing was left out')
    page = drawn(tmp_path / 'a.png')
    assert page.shape == (44 + 18, 6 * 258 + 18, 3) and (page == 0).any()


def test_same_tiles_same_bytes(tmp_path):
    rng = np.random.default_rng(1)
    tiles = [Tile(rng.integers(0, 256, (90, 70, 3), np.uint8), ('name',)) for _ in range(3)]
    for name in 'ab':
        draw_sheet(tiles, tmp_path / f'{name}.png', title='t')
    data = (tmp_path / 'a.png').read_bytes()
    assert data == (tmp_path / 'b.png').read_bytes()
    chunks, place = set(), 8
    while place < len(data):
        (length,) = struct.unpack('>I', data[place : place + 4])
        chunks.add(data[place + 4 : place + 8])
        place += 12 + length
    assert chunks == {b'IHDR', b'IDAT', b'IEND'}  # no date, no software


def test_a_failure_leaves_the_old_sheet(tmp_path):
    draw_sheet([plain(RED)], tmp_path / 'a.png', title='')
    before = (tmp_path / 'a.png').read_bytes()
    with pytest.raises(Exception, match=r'.'):
        draw_sheet([Tile(np.zeros((0, 0), np.uint8))], tmp_path / 'a.png', title='')
    assert (tmp_path / 'a.png').read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ['a.png']


def length(text: str, font_px: int = 13) -> float:
    return ImageFont.load_default(font_px).getlength(text)


@pytest.mark.parametrize('width', [30, 100, 131, 240])
def test_clipped_text_is_the_longest_that_fits(width):
    text = 'malignant, left out, 3 bits from the one kept, and so on to the end of the line'
    clipped = clip_text(text, width)
    kept = clipped.removesuffix('…')
    assert clipped.endswith('…') and text.startswith(kept) and length(clipped) <= width
    assert length(text[: len(kept) + 2] + '…') > width


@pytest.mark.parametrize(
    'text, expected',
    [
        pytest.param('fits', 'fits', id='short text is left alone'),
        pytest.param('', '', id='nothing'),
        pytest.param('a\n b\t', 'a b', id='one line'),
        pytest.param('640×480 → 肝', '640x480 -> ?', id='what the font lacks'),
        pytest.param('° ± · …', '° ± · …', id='what the font has'),
        pytest.param('Évora Ｓ８', 'Evora S8', id='accents and wide letters'),
    ],
)
def test_text_as_it_is_drawn(text, expected):
    assert clip_text(text, 500) == expected


@pytest.mark.parametrize(
    'text, lines, expected',
    [
        pytest.param('one two', 3, ('one two',), id='fits'),
        pytest.param('one two three', 3, ('one two', 'three'), id='breaks at a space'),
        pytest.param('one two three four', 2, ('one two', 'three four'), id='the rest at the end'),
        pytest.param(
            'unbreakablylongword on', 3, ('unbreakablylongword', 'on'), id='one long word'
        ),
    ],
)
def test_wrap_text(text, lines, expected):
    assert length('one two') < 60 < length('one two three')
    assert wrap_text(text, 60, lines) == expected


@pytest.mark.parametrize(
    'sizes, expected',
    [
        pytest.param([2, 2, 2], [(1, [0, 1, 2])], id='three pairs side by side'),
        pytest.param([5, 4, 2, 1], [(1, [0, 3]), (1, [1, 2])], id='gaps are filled'),
        pytest.param([5, 4, 1], [(1, [0, 2]), (1, [1])], id='the first gap first'),
        pytest.param([7], [(2, [0])], id='a large one has two rows'),
        pytest.param([7, 2, 8, 1], [(2, [0]), (1, [1, 3]), (2, [2])], id='rows of one height only'),
        pytest.param([14, 13], [(3, [0]), (3, [1])], id='five across, three rows'),
        pytest.param([10, 2], [(2, [0]), (1, [1])], id='no pair beside two rows'),
        pytest.param([], [], id='none'),
    ],
)
def test_shelves(sizes, expected):
    assert [(s.rows, s.groups) for s in fill_shelves(sizes, columns=6)] == expected


@pytest.mark.parametrize(
    'sizes, expected',
    [
        pytest.param([6, 6, 6], [[0, 1], [2]], id='two rows a page'),
        pytest.param([5, 6, 6, 1], [[0, 3, 1], [2]], id='back to an earlier page'),
        pytest.param([18, 2], [[0], [1]], id='one that is higher than a page'),
        pytest.param([6, 12, 6], [[0, 2], [1]], id='a group is not divided'),
        pytest.param([], [], id='none'),
    ],
)
def test_paginate(sizes, expected):
    assert paginate(sizes, columns=6, rows=2) == expected


def test_a_page_of_many_is_laid_out_as_it_was_counted():
    # Most clusters are pairs; the largest come first.
    sizes = sorted(np.random.default_rng(2).geometric(0.4, 3000).clip(1, 17) + 1, reverse=True)
    pages = paginate(sizes, columns=6, rows=5)
    assert sorted(i for page in pages for i in page) == list(range(3000))
    for page in pages:
        shelves = fill_shelves([sizes[i] for i in page], 6)
        assert sum(shelf.rows for shelf in shelves) <= 5
        assert [n for shelf in shelves for n in shelf.groups] == list(range(len(page)))
    filled = sum(sizes) / (len(pages) * 30)
    assert filled > 0.85


def test_message_is_legible_on_its_own_grey():
    picture = message_image('a file that does not decode', (240, 200))
    assert picture.shape == (200, 240, 3)
    assert (picture[0, 0] == 120).all() and picture.max() == 255
