import numpy as np
import pytest
from coco_cases import ground_truth, results, write
from PIL import Image

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.scoring import evaluate
from mmdet_liver.evaluation.sheets.contact_sheet import draw_contact_sheet
from mmdet_liver.evaluation.sheets.tiles import choose_tiles, image_tallies

A, B = (10, 10, 30, 30), (60, 60, 20, 20)


@pytest.fixture
def evaluation(tmp_path):
    truth = ground_truth({1: [(1, A), (2, B)], 2: [(1, A), (3, B, 'ignore')], 3: [], 4: [(4, A)]})
    found = {1: [(1, A, 0.9), (3, B, 0.8), (1, B, 0.7)], 3: [(2, A, 0.4)], 4: [(4, A, 0.2)]}
    read = read_truth(write(tmp_path / 'gt.json', truth))
    return evaluate(read, to_detections(results(found), read, 'results'), score_thr=0.3)


def test_tallies(evaluation):
    # correct, missed, over-detected, confused
    assert image_tallies(evaluation).tolist() == [
        [1, 0, 0, 1],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 1, 0, 0],
    ]


@pytest.mark.parametrize(
    'tallies, tiles, expected',
    [
        pytest.param(
            [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]],
            5,
            [
                (3, 'correct'),
                (2, 'missed'),
                (1, 'over-detected'),
                (0, 'confused'),
                (4, 'lesion-free'),
            ],
            id='the gravest kind, one of each',
        ),
        pytest.param(
            [[1, 0, 0, 0]] * 8 + [[0, 1, 0, 0]],
            4,
            [(0, 'correct'), (4, 'correct'), (7, 'correct'), (8, 'missed')],
            id='the rare kind is not crowded out',
        ),
        pytest.param([[0, 0, 0, 0]], 16, [(0, 'lesion-free')], id='fewer images than tiles'),
    ],
)
def test_choose_tiles(tallies, tiles, expected):
    chosen = choose_tiles(np.array(tallies), tiles)
    assert [k for _, k in chosen] == [k for _, k in expected]
    assert {n for n, k in chosen if k != 'correct'} == {n for n, k in expected if k != 'correct'}
    assert len({n for n, _ in chosen}) == len(expected)


def test_sheet_is_drawn_and_does_not_change(tmp_path, evaluation):
    paths = [tmp_path / f'{i}.png' for i in range(4)]
    modes = ('L', 'RGB', 'RGBA', 'P')
    for path, mode in zip(paths, modes, strict=True):
        Image.new(mode, (120, 90), 0).save(path)
    sheets = [tmp_path / 'out' / name for name in ('a.png', 'b.png')]
    for sheet in sheets:
        draw_contact_sheet(evaluation, paths, sheet)
    assert sheets[0].read_bytes() == sheets[1].read_bytes()
    drawn = np.asarray(Image.open(sheets[0]).convert('RGB')).reshape(-1, 3)
    assert Image.open(sheets[0]).width == 1600
    assert (drawn == (86, 180, 233)).all(axis=1).sum() > 100  # cyst's colour


def test_image_is_drawn_as_the_network_sees_it(tmp_path):
    read = read_truth(write(tmp_path / 'gt.json', ground_truth({1: [(1, A)], 2: [(1, A)]})))
    evaluation = evaluate(read, to_detections([], read, 'results'))
    Image.new('RGB', (120, 90), (200, 100, 50)).save(tmp_path / 'colour.png')
    Image.fromarray(np.full((90, 120), 40000, np.uint16)).save(tmp_path / 'deep.png')
    paths = [tmp_path / 'colour.png', tmp_path / 'deep.png']
    draw_contact_sheet(evaluation, paths, tmp_path / 'sheet.png')
    drawn = np.asarray(Image.open(tmp_path / 'sheet.png').convert('RGB')).reshape(-1, 3)
    for color in ((200, 100, 50), (156, 156, 156)):  # 40000 // 256
        assert (drawn == color).all(axis=1).sum() > 10_000


@pytest.mark.parametrize(
    'content, message',
    [
        pytest.param(None, 'no such file', id='missing'),
        pytest.param(b'\x89PNG\r\n\x1a\nrubbish', 'does not decode', id='rubbish'),
    ],
)
def test_bad_image_is_named(tmp_path, evaluation, content, message):
    paths = [tmp_path / f'{i}.png' for i in range(4)]
    if content is not None:
        for path in paths:
            path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        draw_contact_sheet(evaluation, paths, tmp_path / 'sheet.png')
    assert any(str(caught.value).startswith(str(path)) for path in paths)
    assert not (tmp_path / 'sheet.png').exists()


def test_many_predictions_and_odd_names_are_drawn(tmp_path):
    truth = ground_truth({1: [(1, A)]})
    truth['images'][0]['file_name'] = 'cost $1 or $x^2.png'  # no formula
    read = read_truth(write(tmp_path / 'gt.json', truth))
    far = (-1e9, -1e9, 2e9, 2e9)
    found = to_detections(results({1: [(2, B, 0.5)] * 300 + [(1, far, 0.9)]}), read, 'results')
    Image.new('L', (50, 400)).save(tmp_path / 'x.png')
    draw_contact_sheet(evaluate(read, found), [tmp_path / 'x.png'], tmp_path / 'sheet.png')
    assert Image.open(tmp_path / 'sheet.png').size[0] == 1600
