import numpy as np
import pytest
from coco_cases import NAMES, ground_truth, results, write
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.scoring import evaluate
from mmdet_liver.evaluation.sheets import worst
from mmdet_liver.evaluation.sheets.findings import (
    Findings,
    confusions,
    missed,
    over_detections,
    spread,
)
from mmdet_liver.evaluation.sheets.worst import draw_worst_sheets

A, B, C = (10, 10, 30, 30), (60, 60, 20, 20), (60, 5, 40, 30)
# Lesions by number: 0 cyst and 1 HCC of image 0, 2 Meta and 3 cyst of image 1, 4 HCC of
# image 2; predictions by number in the order of FOUND.
TRUTH = {1: [(1, A), (2, B)], 2: [(4, A), (1, C)], 3: [(2, B)], 4: [], 5: [(3, A, 'ignore')]}
FOUND = {
    1: [(1, A, 0.9), (1, B, 0.5), (2, B, 0.2), (3, C, 0.4)],
    2: [(1, A, 0.7), (4, A, 0.6), (2, B, 0.8)],
    3: [(3, B, 0.1), (2, B, 0.05)],
    4: [(4, C, 0.8), (4, A, 0.2)],
    5: [(2, A, 0.95)],
}


def scored(folder, truth=TRUTH, found=FOUND, score_thr=0.3, patients=None):
    content = ground_truth(truth)
    for category, name in zip(content['categories'], NAMES, strict=True):
        category['supercategory'] = 'malignant' if name in ('HCC', 'Meta') else 'benign'
    for image, patient in zip(content['images'], patients or (), strict=False):
        image['patient_id'] = patient
    read = read_truth(write(folder / 'gt.json', content))
    return evaluate(read, to_detections(results(found), read, 'results'), score_thr=score_thr)


@pytest.fixture
def paths(tmp_path):
    made = [tmp_path / f'{i}.png' for i in range(5)]
    for path in made:
        Image.new('L', (120, 90), 40).save(path)
    return made


@pytest.fixture
def pages(monkeypatch):
    """Figures as they are saved."""
    figures, save = [], Figure.savefig

    def saved(figure, *args, **options):
        save(figure, *args, **options)
        figures.append(figure)

    monkeypatch.setattr(Figure, 'savefig', saved)
    return figures


def rows(findings):
    columns = (findings.image, findings.lesion, findings.detection)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_findings(tmp_path):
    evaluation = scored(tmp_path)
    # Image, lesion, prediction; of equal scores the earlier, the excused one is none.
    assert rows(over_detections(evaluation)) == [(1, -1, 6), (3, -1, 9), (0, -1, 3)]
    assert rows(confusions(evaluation)) == [(1, 2, 4), (0, 1, 1)]
    # The HCC before the larger cyst; what was best on each, or nothing.
    assert rows(missed(evaluation)) == [(2, 4, 7), (1, 3, -1)]


def test_findings_are_the_matrix(tmp_path):
    for score_thr in (0.0, 0.15, 0.5, 0.7, 1.0):
        evaluation = scored(tmp_path, score_thr=score_thr)
        matrix = evaluation.matrix
        wrong = matrix[1:, 1:].sum() - np.trace(matrix)
        assert len(over_detections(evaluation)) == matrix[0].sum()
        assert len(missed(evaluation)) == matrix[:, 0].sum()
        assert len(confusions(evaluation)) == wrong


@pytest.mark.parametrize(
    'images, patients, count, kept',
    [
        pytest.param([0, 0, 0, 1], [-1] * 2, 9, [0, 1, 3], id='two of an image'),
        pytest.param([0, 1, 2, 3, 4, 5], [7] * 5 + [8], 9, [0, 1, 2, 3, 5], id='four of a patient'),
        pytest.param([0, 1, 2, 3, 4], [-1] * 5, 9, [0, 1, 2, 3, 4], id='unknown is no patient'),
        pytest.param([0, 1, 2], [0, 1, 2], 2, [0, 1], id='only so many'),
        pytest.param([], [], 9, [], id='none'),
    ],
)
def test_spread(images, patients, count, kept):
    none = np.full(len(images), -1)
    findings = Findings(np.array(images, int), none, none)
    assert spread(findings, np.array(patients, int), count).tolist() == kept


@given(
    st.lists(st.integers(0, 5), max_size=40),
    st.lists(st.integers(-1, 2), min_size=6, max_size=6),
    st.integers(1, 12),
)
def test_spread_is_that_of_a_loop(images, patients, count):
    kept, of_image, of_patient = [], [0] * 6, [0] * 4
    for place, image in enumerate(images):
        known = patients[image] >= 0
        if of_image[image] < 2 and not (known and of_patient[patients[image]] == 4):
            kept.append(place)
            of_image[image] += 1
            of_patient[patients[image]] += 1
    none = np.full(len(images), -1)
    findings = Findings(np.array(images, int), none, none)
    assert spread(findings, np.array(patients), count).tolist() == kept[:count]


def test_sheets_say_and_show_each_mistake(tmp_path, paths, pages):
    written = draw_worst_sheets(scored(tmp_path), paths, tmp_path / 'out')
    assert [path.name for path in written] == [
        'worst_over_detections.png',
        'worst_missed.png',
        'worst_confusions.png',
    ]
    captions = [[axes.get_title(loc='left').split('\n') for axes in page.axes] for page in pages]
    assert captions == [
        [
            ['1.  None → HCC 0.80', '2.png'],
            ['2.  None → Meta 0.80', '4.png'],
            ['3.  None → hemangioma 0.40', '1.png'],
        ],
        [
            ['1.  HCC → None, best on it hemangioma 0.10', '3.png'],
            ['2.  cyst → None, no prediction on it', '2.png'],
        ],
        [['1.  Meta → cyst 0.70', '2.png'], ['2.  HCC → cyst 0.50', '1.png']],
    ]
    assert pages[1].texts[0].get_text() == (
        'missed lesions: 2 of 2, malignant first, then the largest; score ≥ 0.3, IoU ≥ 0.25'
    )
    assert thick(pages[0].axes[0]) == [(59.5, 59.5, 20, 20)]
    assert thick(pages[1].axes[1]) == [(59.5, 4.5, 40, 30)]
    assert thick(pages[2].axes[0]) == [(9.5, 9.5, 30, 30)] * 2  # the lesion and what is said of it
    # Of the first missed one also what was best on it, though below the threshold.
    shown = [t.get_text() for t in pages[1].axes[0].texts]
    assert shown == ['hemangioma 0.10']


def thick(axes):
    boxes = [p for p in axes.patches if isinstance(p, Rectangle) and p.get_linewidth() > 3]
    return [(*box.get_xy(), box.get_width(), box.get_height()) for box in boxes]


def test_same_again_and_only_shown_images_are_read(tmp_path, paths, monkeypatch):
    read, reader = [], worst.read_image
    monkeypatch.setattr(worst, 'read_image', lambda path: (read.append(path.name), reader(path))[1])
    paths[4].unlink()  # on no sheet
    evaluation = scored(tmp_path)
    first = draw_worst_sheets(evaluation, paths, tmp_path / 'a', tiles=1)
    assert read == ['1.png', '2.png', '1.png']
    again = draw_worst_sheets(evaluation, paths, tmp_path / 'b', tiles=1)
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]


def test_no_mistake_no_sheet(tmp_path, paths):
    right = scored(tmp_path, {1: [(1, A)], 2: []}, {1: [(1, A, 0.9)]})
    old = tmp_path / 'out/worst_missed.png'
    old.parent.mkdir()
    old.write_bytes(b'of an earlier run')
    assert draw_worst_sheets(right, paths, tmp_path / 'out') == []
    assert not list(old.parent.iterdir())


def test_one_patient_does_not_fill_a_sheet(tmp_path, paths, pages):
    truth = {i: [] for i in range(5)}
    found = {i: [(1, A, 0.9), (2, B, 0.8), (3, C, 0.7)] for i in range(5)}
    one = scored(tmp_path, truth, found, patients=['P1'] * 4 + ['P2'])
    draw_worst_sheets(one, paths, tmp_path / 'out')
    names = [axes.get_title(loc='left').split('\n')[1] for axes in pages[0].axes]
    assert names == ['0.png', '1.png', '2.png', '3.png', '4.png', '4.png']
    assert pages[0].texts[0].get_text().startswith('over-detections: 6 of 15,')


def test_missing_image_is_named(tmp_path, paths):
    paths[1].unlink()
    with pytest.raises(InputError, match='1.png: found no such file'):
        draw_worst_sheets(scored(tmp_path), paths, tmp_path / 'out')
    assert not (tmp_path / 'out/worst_over_detections.png').exists()


def test_names_too_long_stay_above_their_tile(tmp_path, paths, pages):
    content = ground_truth(TRUTH)
    for category in content['categories']:
        category['name'] = f'cholangiocellular carcinoma {category["id"]}'
    for image in content['images']:
        image['file_name'] = f'患者{"x" * 60}/$1.png'
    read = read_truth(write(tmp_path / 'gt.json', content))
    evaluation = evaluate(read, to_detections(results(FOUND), read, 'results'), score_thr=0.3)
    draw_worst_sheets(evaluation, paths, tmp_path / 'out')
    for page in pages:
        page.draw_without_rendering()
        for axes in page.axes:
            caption = axes._left_title.get_window_extent()
            assert caption.width < 396 and caption.x1 < page.bbox.x1
        legend = page.legends[0].get_window_extent()
        assert legend.x1 < page.bbox.x1
        assert legend.y0 > max(axes._left_title.get_window_extent().y1 for axes in page.axes)
