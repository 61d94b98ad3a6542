import numpy as np
import pytest
from coco_cases import NAMES
from figure_cases import labels, line, texts
from matplotlib.colors import to_rgb

from mmdet_liver.evaluation.figures.comparison import draw_comparison
from mmdet_liver.evaluation.figures.confusion_matrix import draw_confusion_matrix
from mmdet_liver.evaluation.figures.error_types import draw_error_types
from mmdet_liver.evaluation.figures.froc import draw_froc
from mmdet_liver.evaluation.figures.precision_recall import draw_precision_recall
from mmdet_liver.evaluation.figures.reliability import draw_reliability
from mmdet_liver.evaluation.figures.strata import draw_strata
from mmdet_liver.evaluation.figures.thresholds import draw_f1_by_threshold
from mmdet_liver.evaluation.measures.calibration import calibration
from mmdet_liver.evaluation.measures.error_types import ERROR_TYPES, ErrorTypes, error_types
from mmdet_liver.evaluation.measures.froc import FrocEvents, froc_events
from mmdet_liver.evaluation.measures.operating_points import best_mean, threshold_curves
from mmdet_liver.evaluation.measures.strata import Stratum, by_lesion_size
from mmdet_liver.evaluation.uncertainty.comparison import (
    AT_BEST,
    AT_OVER_DETECTIONS_OF_A,
    Comparison,
    Difference,
    Setting,
    compare,
)
from mmdet_liver.evaluation.uncertainty.units import resampling_units

NONE_ERRORS = np.zeros(0, int)


def draw_all(evaluation, folder):
    truth, found = evaluation.truth, evaluation.detections
    curves = threshold_curves(evaluation.outcomes)
    draw_confusion_matrix(evaluation, folder / 'matrix.png')
    draw_f1_by_threshold(evaluation, folder / 'f1.png', best=best_mean(curves))
    draw_froc(froc_events(truth, found, 0.25), truth.labels, folder / 'froc.png')
    draw_precision_recall(evaluation, curves, folder / 'pr.png')
    draw_reliability(calibration(evaluation.outcomes), folder / 'reliability.png')
    draw_error_types(error_types(truth, found, score_thr=0.3), 0.3, folder / 'errors.png')
    draw_strata(by_lesion_size(evaluation), folder / 'strata.png')


def test_all_are_whole(any_evaluation, tmp_path, drawn):
    draw_all(any_evaluation, tmp_path)  # `drawn` fails on a warning and on what is cut off
    assert len(drawn) == len(list(tmp_path.glob('*.png'))) == 7


def test_same_numbers_same_bytes(score, tmp_path):
    for name in ('a', 'b'):
        draw_all(score(), tmp_path / name)
    for path in (tmp_path / 'a').iterdir():
        assert path.read_bytes() == (tmp_path / 'b' / path.name).read_bytes(), path.name


def test_confusion_matrix(score, tmp_path, drawn):
    draw_confusion_matrix(score(), tmp_path / 'a.png')
    (axes,) = drawn[0].axes
    cells = {(t.get_position()[0], round(t.get_position()[1])): t.get_text() for t in axes.texts}
    written = [t.get_text() for t in axes.texts]
    # Cyst: 2 of 2; HCC: 1 right, 1 taken for Meta; Meta: 1 missed; one over-detection.
    assert written.count('2') == 1 and written.count('1') == 4
    assert sorted(t for t in written if t.endswith('%')) == ['100%'] * 3 + ['50%'] * 2
    assert cells[0, 0] == '–' and cells[3, 3] == '0'
    assert [t.get_text() for t in axes.get_xticklabels()] == ['None', *NAMES]


def test_f1_by_threshold(score, tmp_path, drawn):
    evaluation = score()
    best = best_mean(threshold_curves(evaluation.outcomes))
    intervals = {'f1_interval': (0.4, 0.45), 'score_thr_interval': (0.2, 0.5)}
    draw_f1_by_threshold(evaluation, tmp_path / 'a.png', best=best, **intervals)
    (axes,) = drawn[0].axes
    assert line(axes, 'F1') == (
        evaluation.sweep.score_thrs.tolist(),
        evaluation.sweep.mean.f1.tolist(),
    )
    # Cyst 1, HCC 2/3, Meta 0 (a wrong and a missed one); hemangioma has no lesion.
    assert evaluation.mean.f1 == pytest.approx(5 / 9)
    assert line(axes, 'in use 0.3: F1 0.5556') == ([0.3], [evaluation.mean.f1])
    assert line(axes, 'exact best 0.4: F1 0.5556') == ([0.4], [best.f1])
    assert line(axes, '_F1 interval') == ([0.3, 0.3], [0.4, 0.45])
    assert line(axes, '_threshold interval')[0] == [0.2, 0.5]


def test_froc(tmp_path, drawn):
    # Two images, two lesions; hits at 0.9 and 0.5, one false positive at 0.7: 0.5 an image.
    events = FrocEvents(
        lesion_image=np.array([0, 1]),
        hit_image=np.array([0, 1]),
        hit_score=np.array([0.9, 0.5]),
        false_image=np.array([1]),
        false_score=np.array([0.7]),
        num_images=2,
    )
    empty = FrocEvents(*[NONE_ERRORS] * 5, num_images=2)
    pairs = [[0.25, 0.75]] * 6 + [None]
    intervals = {
        'any': {'sensitivity': pairs},
        'per_class': {n: {'sensitivity': [None] * 7} for n in NAMES},
    }
    labels_ = ('None', *NAMES)
    draw_froc((events, events, *[empty] * 3), labels_, tmp_path / 'a.png', intervals)
    (axes,) = drawn[0].axes
    assert line(axes, '_any lesion') == ([0.1, 0.5, 0.5, 10], [0.5, 1, 1, 1])
    assert line(axes, '_cyst at the rates')[1] == [0.5, 0.5, 1, 1, 1, 1, 1]
    assert labels(axes).count('_any lesion interval') == 6
    assert [t.get_text() for t in axes.get_xticklabels()] == [
        '1/8',
        '1/4',
        '1/2',
        '1',
        '2',
        '4',
        '8',
    ]
    assert [t.get_text() for t in drawn[0].legends[0].texts] == ['any lesion 0.857', 'cyst 0.857']


def test_precision_recall(score, tmp_path, drawn):
    evaluation = score()
    draw_precision_recall(evaluation, threshold_curves(evaluation.outcomes), tmp_path / 'a.png')
    (axes,) = drawn[0].axes
    assert line(axes, '_cyst') == ([0.5, 1.0], [1, 1])
    assert line(axes, '_HCC') == ([0.5], [1])
    assert line(axes, '_HCC in use') == ([0.5], [1])
    assert line(axes, '_Meta in use') == ([0], [0])
    assert '_hemangioma' not in labels(axes)  # it has no lesion
    recall, precision = map(np.array, line(axes, '_F1 0.8'))
    assert 2 * recall * precision / (recall + precision) == pytest.approx(0.8)


def test_reliability(score, tmp_path, drawn):
    draw_reliability(calibration(score().outcomes), tmp_path / 'a.png')
    upper, lower = drawn[0].axes
    # Right at 0.9, 0.8, 0.4; wrong at 0.7, 0.6.
    heights = [bar.get_height() for bar in upper.patches]
    assert heights == [0, 0, 0, 1, 0, 0, 0, 1, 1, 0]
    assert line(upper, 'mean of the bin') == ([0.4, 0.6, 0.7, 0.8, 0.9], [1, 0, 0, 1, 1])
    assert upper.get_title() == 'ECE 0.440 over 5 predictions'  # (.1+.2+.6+.7+.6) / 5
    assert [t.get_text() for t in lower.texts] == ['1'] * 5


def test_error_types(tmp_path, drawn):
    errors = ErrorTypes(
        names=ERROR_TYPES,
        counts=np.array([3, 0, 1, 1234, 0, 2]),
        delta_ap=np.array([0.031, 0, -0.0001, -0.02, np.nan, 0.5]),
        ap=0.4,
        of_prediction=NONE_ERRORS,
        missed=NONE_ERRORS,
    )
    draw_error_types(errors, 0.3, tmp_path / 'a.png')
    left, right = drawn[0].axes
    assert [bar.get_width() for bar in left.patches] == [3, 0, 1, 1234, 0, 2]
    assert [t.get_text() for t in left.texts] == ['3', '0', '1', '1,234', '0', '2']
    assert [t.get_text() for t in right.texts] == ['+3.1', '0.0', '0.0', '−2.0', '–', '+50.0']
    assert [t.get_text() for t in left.get_yticklabels()] == list(ERROR_TYPES)
    assert left.yaxis_inverted()  # the first on top


def test_comparison_of_an_arm_with_itself(any_evaluation, tmp_path, drawn):
    units = resampling_units(any_evaluation.truth)
    comparison = compare(any_evaluation, any_evaluation, units, 5)
    draw_comparison(comparison, tmp_path / 'a.png', ('a/results.json', 'b' * 90))
    assert any(t.startswith('A: a/results.json\nB: bbb') for t in texts(drawn[0]))


def test_comparison(tmp_path, drawn):
    def setting(*rows):
        mean, *own = ({'f1': Difference(None, None, d, i, None)} for d, i in rows)
        none = {'a': None, 'b': None}
        return Setting(mean, dict(zip(('HCC', 'Meta'), own, strict=True)), none, none)

    settings = {
        AT_BEST: setting((0.02, [-0.01, 0.05]), (-0.1, [-0.2, -0.05]), (None, None)),
        AT_OVER_DETECTIONS_OF_A: setting((0.0, [0.0, 0.0]), (0.3, None), (0.1, [0, 0.2])),
    }
    draw_comparison(Comparison(settings, None, 0, 0), tmp_path / 'a.png')
    (axes,) = drawn[0].axes
    points = [each.get_xdata().item() for each in axes.get_lines() if each.get_label() == '_point']
    assert points == [0.02, -0.1, 0.0, 0.3, 0.1]
    bars = [e.get_xdata().tolist() for e in axes.get_lines() if e.get_label() == '_interval']
    assert bars == [[-0.01, 0.05], [-0.2, -0.05], [0, 0], [0, 0.2]]
    assert [t.get_text() for t in axes.texts] == [
        'each at its own best threshold',
        '+0.020 (−0.010, +0.050)',
        '−0.100 (−0.200, −0.050)',
        '–',
        "at A's over-detections per image",
        '0.000 (0.000, 0.000)',
        '+0.300',
        '+0.100 (0.000, +0.200)',
    ]
    low, high = axes.get_xlim()
    assert -low == high > 0.3  # so that zero is in the middle, between the two words
    assert axes.get_xlabel().startswith('← B better') and 'A better →' in axes.get_xlabel()


def test_strata(tmp_path, drawn):
    def stratum(name, by, lesions, found, f1):
        return Stratum(name, by, 9, lesions, found, 0, 0, 0, f1, 0)

    nan = float('nan')
    rows = [
        stratum('F', 'sex', 1200, 0.9, 0.8),
        stratum('M', 'sex', 1, nan, nan),
        stratum('S', 'box area', 5, 0.5, nan),
    ]
    draw_strata(rows, tmp_path / 'a.png')
    (axes,) = drawn[0].axes
    assert [t.get_text() for t in axes.texts] == [
        'sex',
        '1,200 lesions',
        '1 lesion',
        'box area',
        '5 lesions',
    ]
    assert [e.get_xdata().item() for e in axes.get_lines()] == [0.9, 0.8, 0.5]
    assert [t.get_text() for t in axes.get_yticklabels()] == ['F', 'M', 'S']
    assert to_rgb(axes.get_lines()[1].get_markerfacecolor()) == (1, 1, 1)  # F1 is hollow
