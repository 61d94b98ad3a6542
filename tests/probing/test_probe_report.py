"""The files of a probe: numbers as tables, names, which lesions a sheet shows, maps."""

import csv
import io

import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.probing import maps as maps_module
from mmdet_liver.probing.arms import Arm
from mmdet_liver.probing.assessment import assess
from mmdet_liver.probing.lesion_crops import read_lesions
from mmdet_liver.probing.maps import draw_map, place_on_map, require_map_maker
from mmdet_liver.probing.neighbour_sheets import choose_lesions, draw_neighbours
from mmdet_liver.probing.neighbours import NOBODY, Neighbours
from mmdet_liver.probing.report import report_content, report_csv, report_markdown, summary_line

import probed_sets  # isort: skip

SETTING = {
    'k': 3,
    'crop_size': 32,
    'context': 1.5,
    'stage': 4,
    'train_lesions': 6,
    'val_lesions': 10,
    'groups_in_both': 0,
}


@pytest.fixture(scope='module')
def lesions(tmp_path_factory):
    root = tmp_path_factory.mktemp('reported')
    files = [
        probed_sets.write_set(root, 'train', 'abc', 0),
        probed_sets.write_set(root, 'val', 'vwxyz', 1),
    ]
    return read_lesions(*files, root / 'images', 32, 1.5)


@pytest.fixture(scope='module')
def content(lesions):
    labels = lesions[1].labels
    arms = [
        Arm('a|b', 'checkpoint', '', (labels,), None),
        Arm('none', 'majority', '', (np.zeros_like(labels),), None),
    ]
    assessment = assess(arms, lesions[1], 100, 0)
    assert summary_line(assessment) == 'balanced accuracy: a|b 1.000, none 0.500'
    return report_content(assessment, SETTING)


def test_markdown_has_a_row_an_arm(content):
    lines = report_markdown(content).splitlines()
    assert '| features | accuracy | balanced accuracy | cyst | HCC |' in lines
    full = '1.000 [1.000, 1.000]'
    assert f'| a/b | {full} | {full} | {full} | {full} |' in lines
    half, gain = '0.500 [0.500, 0.500]', '+0.500 [+0.500, +0.500] | 100.0%'
    assert f'| none | {half} | {half} | {full} | 0.000 [0.000, 0.000] |' in lines
    assert f'| a/b - none | {gain} | {gain} |' in lines
    assert 'are in train too' not in lines[0]
    shared = report_markdown({**content, 'groups_in_both': 3})
    assert '3 are in train too' in shared


def test_csv_is_the_same_numbers(content):
    one, two = csv.DictReader(io.StringIO(report_csv(content)))
    assert one['arm'] == 'a|b' and one['runs'] == '1'
    assert float(two['recall_HCC']) == 0 and float(two['accuracy_high']) == 0.5
    assert len(one) == 2 + 3 * 4


def test_json_names_its_axes(content):
    assert content['labels'] == list(probed_sets.NAMES)
    assert content['resampled'] == 'patients' and content['units'] == 5
    assert content['arms'][1]['confusion_matrix'] == [[5, 0], [5, 0]]


@pytest.mark.parametrize(
    'labels, count, chosen',
    [
        pytest.param([0] * 5 + [1] * 5, 4, [0, 4, 5, 9], id='evenly'),
        pytest.param([0, 1, 1, 1, 1, 2], 4, [0, 1, 4, 5], id='a class that is used up'),
        pytest.param([1, 0], 9, [1, 0], id='all'),
    ],
)
def test_choose_lesions(labels, count, chosen):
    assert choose_lesions(np.array(labels), count) == chosen


def test_sheet_shows_lesions_without_neighbours_too(lesions, tmp_path):
    found = Neighbours(np.full((10, 2), NOBODY), np.full((10, 2), -np.inf))
    found.index[1:, 0], found.similarity[1:, 0] = 2, 0.5
    predicted = np.array([NOBODY] + [0] * 9)
    paths = tmp_path / 'a.png', tmp_path / 'b.png'
    for path in paths:
        draw_neighbours(*lesions, found, predicted, path, title='t', lesions=4)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_map_is_the_same_twice_and_takes_some_of_many(tmp_path, monkeypatch):
    pytest.importorskip('sklearn')
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 40)
    features = rng.normal(size=(40, 8)) + 5 * np.eye(8)[labels]
    paths = tmp_path / 'a.png', tmp_path / 'b.png', tmp_path / 'c.png'
    for i, path in enumerate(paths):
        if i == 2:
            monkeypatch.setattr(maps_module, 'MOST_DOTS', 20)
        parts = (features, labels), (features[:10] + 0.1, labels[:10])
        draw_map(*parts, probed_sets.NAMES, path, title='t')
    assert paths[0].read_bytes() == paths[1].read_bytes() != paths[2].read_bytes()


def test_map_keeps_groups_together():
    pytest.importorskip('sklearn')
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    features = rng.normal(size=(60, 8)) + 20 * np.eye(8)[labels]
    places = place_on_map(features)
    gap = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(gap, np.inf)
    assert (labels[gap.argmin(axis=1)] == labels).all()
    assert (place_on_map(features[:2]) == 0).all()  # too few for a map


def test_missing_scikit_learn_is_said_at_once(monkeypatch):
    monkeypatch.setattr(maps_module.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(InputError, match='--no-maps'):
        require_map_maker()
