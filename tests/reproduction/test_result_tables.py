"""The tables and figures of `results.json`'s content, for contents written by hand."""

import pytest

from mmdet_liver.reproduction.figures import draw_confusion_matrices
from mmdet_liver.reproduction.tables import mean_count, tables

SCORES = {'precision': 0.5, 'recall': 0.25, 'f1': 1 / 3, 'f1_interval': [0.2, 0.45]}
APS = dict.fromkeys(('mAP', 'AP50', 'AP75', 'AP_S', 'AP_M', 'AP_L'))
INTERVALS = dict.fromkeys(('precision', 'recall', 'f1'))
MEAN = {**APS, **SCORES, 'intervals': INTERVALS, 'per_class': {'cyst': SCORES},
        'over_detections_per_image': 0.1, 'score_thrs': [0.3]}  # fmt: skip
ARM = {'finished_seeds': [0, 1], 'labels': ['None', 'cyst'], 'mean': MEAN, 'seeds': {},
       'confusion_matrix': [[0, 2.5], [6, 2]], 'training_seconds': 1, 'pretraining_seconds': None,
       'devices': ['cpu']}  # fmt: skip
NOT_RUN = {**ARM, 'finished_seeds': [], 'labels': None, 'mean': None, 'confusion_matrix': None}


def content(**changes):
    return {'arms': {'a': ARM, 'b': NOT_RUN}, 'seeds': [0, 1], 'comparisons': [], 'runs': [],
            'missing': [], **changes}  # fmt: skip


def test_each_class_is_counted_as_in_the_study():
    table = next(t for t in tables(content()) if t.title.startswith('Each class'))
    assert table.rows == (
        ('a', 'cyst', '8', '2.5', '6', '0.5000', '0.2500', '0.3333 (0.2000 to 0.4500)'),
    )


@pytest.mark.parametrize(
    'of_a, of_b, said',
    [
        pytest.param([0, 1], [0, 1], 'a (A) minus b (B)', id='alike'),
        pytest.param([0, 1], [], 'a (A) minus b (B); seeds of A: 0, 1, of B: none', id='unlike'),
    ],
)
def test_a_comparison_of_unlike_seeds_says_so(of_a, of_b, said):
    pair = {'a': 'a', 'b': 'b', 'seeds': {'a': of_a, 'b': of_b}, 'settings': None}
    assert said in [table.title for table in tables(content(comparisons=[pair]))]


def test_mean_counts():
    assert [mean_count(value) for value in (3.0, 0, 2.5, 1234567)] == ['3', '0', '2.5', '1234567']


def test_places_without_an_arm_stay_empty(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        'mmdet_liver.reproduction.figures._draw_matrix', lambda axes, arm: drawn.append(axes)
    )
    arms = {f'arm{i}': ARM for i in range(5)}
    assert draw_confusion_matrices(content(arms=arms), tmp_path / 'matrices.png')
    others = set(drawn[0].figure.axes) - set(drawn)
    assert len(others) == 3 and not any(axes.axison for axes in others)
