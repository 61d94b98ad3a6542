import json
import math

import numpy as np
import pytest
from coco_cases import ground_truth, results, write

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.report.assessment import Options, assess
from mmdet_liver.evaluation.report.content import content, plain
from mmdet_liver.evaluation.report.inputs import Inputs
from mmdet_liver.evaluation.report.summary import summary_text
from mmdet_liver.evaluation.scoring import ChosenOn, evaluate

A, B, C = (10, 10, 40, 40), (100, 100, 20, 20), (200, 10, 40, 40)
MALIGNANCY = ('benign', 'malignant', 'benign', 'malignant')
# Patient p has images 1 and 2, q image 3, r the lesion-free 4 and 5.
PATIENTS = {1: 'p', 2: 'p', 3: 'q', 4: 'r', 5: 'r'}
LESIONS = {1: [(1, A), (2, B)], 2: [(2, A)], 3: [(4, A)], 4: [], 5: []}
# At 0.5: the cyst is right, an HCC is called Meta, an HCC is missed (its only prediction is
# too low), Meta is right, and image 4 has an over-detection.
FOUND = {
    1: [(1, A, 0.9), (4, B, 0.8)],
    2: [(2, A, 0.3)],
    3: [(4, A, 0.7), (3, A, 0.6)],
    4: [(2, C, 0.75)],
}


@pytest.fixture
def files(tmp_path):
    truth = ground_truth(LESIONS)
    for image in truth['images']:
        image |= {'patient_id': PATIENTS[image['id']], 'sex': 'F' if image['id'] < 3 else 'M'}
    for category, side in zip(truth['categories'], MALIGNANCY, strict=True):
        category['supercategory'] = side
    return write(tmp_path / 'gt.json', truth), write(tmp_path / 'results.json', results(FOUND))


@pytest.fixture
def evaluation(files):
    truth = read_truth(files[0])
    return evaluate(truth, to_detections(results(FOUND), truth, 'results'), score_thr=0.5)


def numbers(evaluation, files, resamples=50, other=None, **options):
    assessment = assess(evaluation, Options(resamples=resamples, **options), other)
    return content(assessment, Inputs(*files))


def test_numbers_worked_out_by_hand(evaluation, files):
    m = numbers(evaluation, files)
    assert m['data'] == {
        'lesion_free_images': 2,
        'ignored_annotations': 0,
        'patients': 3,
        'images_of_unknown_patient': 0,
        'predictions': 6,
    }
    assert m['confusion_matrix'][2] == [1, 0, 0, 0, 1]  # of two HCC one missed, one called Meta
    assert m['confusion_matrix_shares'][2] == [0.5, 0, 0, 0, 0.5]
    assert m['malignancy']['table'] == {
        'benign': {'called_benign': 1, 'called_malignant': 0, 'missed': 0},
        'malignant': {'called_benign': 0, 'called_malignant': 2, 'missed': 1},
    }
    assert m['malignancy']['sensitivity'] == pytest.approx(2 / 3)
    assert (m['malignancy']['specificity'], m['malignancy']['sensitivity_found']) == (1, 1)
    assert m['malignancy']['of_class'] == dict(
        zip(('cyst', 'HCC', 'hemangioma', 'Meta'), MALIGNANCY, strict=True)
    )
    images = m['image_level']['lesion']
    assert (images['positive'], images['negative']) == (3, 2)
    assert images['sensitivity'] == pytest.approx(2 / 3)  # image 2 is not called
    assert images['specificity'] == 0.5
    patients = m['patient_level']['lesion']
    assert (patients['sensitivity'], patients['specificity']) == (1, 0)
    assert m['over_detections_per'] == {
        'image': 0.2,
        'lesion_free_image': 0.5,
        'patient': pytest.approx(1 / 3),
    }
    assert m['error_types']['types']['background']['count'] == 1
    # All lesions at 0 false positives but the HCC called Meta: 3 of 4.
    assert m['froc']['per_class']['cyst']['sensitivity'] == [1.0] * 7
    assert m['froc']['per_class']['hemangioma']['mean'] is None
    assert m['average_precision']['per_class']['cyst']['AP50'] == pytest.approx(1)
    assert m['average_precision']['per_class']['cyst']['AP_L'] is None
    # Down to 0.3 an HCC is right: two of four classes' F1 rise, none falls.
    assert m['best_exact']['mean']['score_thr'] == 0.3
    assert m['best_exact']['per_class']['hemangioma'] is None


def test_it_is_json_without_nan(evaluation, files):
    m = numbers(evaluation, files, strata=('sex',))
    assert json.loads(json.dumps(m, allow_nan=False)) == m
    assert [row['name'] for row in m['strata']['sex']] == ['M', 'F']
    assert [entry['role'] for entry in m['inputs']] == ['ground truth', 'results']


def test_intervals_are_named_as_the_numbers_are(evaluation, files):
    m = numbers(evaluation, files)
    added = {'level', 'resampled', 'units', 'note', 'resamples', 'seed', 'undefined', 'optimism'}
    assert_pairs(m['intervals'], m, added | {'score_thr_treatment'})
    assert (m['intervals']['resampled'], m['intervals']['units']) == ('patients', 3)


def assert_pairs(intervals, values, leave=()):
    """Every interval has its number: a pair beside a number, a list of pairs beside a list."""
    for name, part in intervals.items():
        if name in leave:
            continue
        assert name in values, name
        if isinstance(part, dict):
            assert_pairs(part, values[name])
        elif part is not None and isinstance(values[name], list):
            assert len(part) == len(values[name])
        elif part is not None and values[name] is not None:
            low, high = part
            assert low <= high


def test_a_threshold_chosen_on_other_data(evaluation, files):
    chosen = ChosenOn(evaluation, 'val.json')
    m = numbers(evaluate(evaluation.truth, evaluation.detections, score_thr=chosen), files)
    # The best of the grid on these data, by the sweep.
    best = max(m['sweep'], key=lambda point: (round(point['f1'], 12), -point['score_thr']))
    assert (m['score_thr'], m['score_thr_source']) == (best['score_thr'], 'chosen on val.json')
    assert 'chosen again' in m['intervals']['score_thr_treatment']


def test_compared_with_nothing_at_all(evaluation, files):
    m = numbers(evaluation, files, other=to_detections([], evaluation.truth, 'none'))
    row = m['comparison']['at_best']['mean']['f1']
    assert (row['b'], row['difference']) == (0, row['a'])
    assert row['a'] == max(point['f1'] for point in m['sweep'])


def test_without_resamples_there_are_no_intervals(evaluation, files):
    other = to_detections([], evaluation.truth, 'none')
    m = numbers(evaluation, files, resamples=0, other=other)
    assert m['intervals'] is None
    row = m['comparison']['at_best']['mean']['f1']
    assert (row['interval'], row['share_a_better']) == (None, None)
    assert row['difference'] > 0


def test_the_summary_leaves_out_what_is_not_known(evaluation, files, tmp_path):
    full = summary_text(evaluation, numbers(evaluation, files))
    assert 'malignant   sensitivity 0.6667, specificity 1.0000' in full
    assert 'images      sensitivity 0.6667, specificity 0.5000' in full
    assert '50 resamples of 3 patients' in full
    path = write(tmp_path / 'bare.json', ground_truth({1: []}))
    bare = read_truth(path)
    nothing = evaluate(bare, to_detections([], bare, 'none'))
    text = summary_text(nothing, numbers(nothing, (path, path)))
    assert 'malignant' not in text
    assert 'nan' not in text.lower()


def test_a_key_that_no_image_has_is_named(evaluation):
    with pytest.raises(InputError, match="strata by 'scanner'.*one of file_name, height, id, pat"):
        assess(evaluation, Options(strata=('scanner',)))


def test_plain_values():
    assert plain({'a': np.array([1.0, math.nan]), 'b': (np.int64(3), np.bool_(True))}) == {
        'a': [1.0, None],
        'b': [3, True],
    }
