"""Scores of predictions, by hand and against scikit-learn; intervals and differences of arms."""

import json

import numpy as np
import pytest

from mmdet_liver.evaluation.uncertainty.resamples import image_weights
from mmdet_liver.probing.arms import Arm, Features, Voting, baseline_arms
from mmdet_liver.probing.assessment import assess, estimate
from mmdet_liver.probing.lesion_crops import read_lesions
from mmdet_liver.probing.pixels import pixel_features
from mmdet_liver.probing.scores import confusion, malignant_classes, read_scores

import probed_sets  # isort: skip

LABELS = np.array([0, 0, 0, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, -1])


def test_scores_by_hand():
    weights = np.array([[1, 1, 1, 1, 1], [0, 1, 3, 2, 0]])
    malignant = np.array([False, True, False])
    scores = read_scores(PREDICTED, LABELS, weights, malignant, 3)
    assert scores['accuracy'].tolist() == [3 / 5, 3 / 6]
    assert scores['recall'][0].tolist() == [2 / 3, 1, 0]
    assert scores['recall'][1, :2].tolist() == [1 / 4, 1] and np.isnan(scores['recall'][1, 2])
    np.testing.assert_allclose(scores['balanced_accuracy'], [5 / 9, 5 / 8])
    assert scores['malignancy_accuracy'].tolist() == [3 / 5, 3 / 6]  # no prediction is wrong
    scores = read_scores(np.array([2, 0, 1, 1, 0]), LABELS, weights, malignant, 3)
    assert scores['malignancy_accuracy'].tolist() == [4 / 5, 3 / 6]  # 2 for 0: both benign


def test_scores_are_those_of_scikit_learn():
    metrics = pytest.importorskip('sklearn.metrics')
    rng = np.random.default_rng(3)
    labels, predicted = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    weights = rng.integers(0, 4, 200)
    scores = read_scores(predicted, labels, weights[None], None, 4)
    drawn = labels, predicted
    accuracy = metrics.accuracy_score(*drawn, sample_weight=weights)
    balanced = metrics.balanced_accuracy_score(*drawn, sample_weight=weights)
    assert scores['accuracy'] == [pytest.approx(accuracy)]
    assert scores['balanced_accuracy'] == [pytest.approx(balanced)]
    assert (confusion(predicted, labels, 4) == metrics.confusion_matrix(*drawn)).all()


def test_no_lesion_has_no_score():
    scores = read_scores(PREDICTED, LABELS, np.zeros((1, 5)), None, 3)
    assert all(np.isnan(values).all() for values in scores.values())


@pytest.mark.parametrize(
    'malignancy, expected',
    [
        (('benign', 'malignant', 'benign'), [False, True, False]),
        pytest.param(('benign', 'malignant'), None, id='the classes are no finer'),
        pytest.param(('benign', 'malignant', None), None, id='unknown'),
        pytest.param(('benign', 'benign'), None, id='all the same'),
    ],
)
def test_malignant_classes(malignancy, expected):
    found = malignant_classes(malignancy)
    assert (found if found is None else found.tolist()) == expected


@pytest.fixture(scope='module')
def lesions(tmp_path_factory):
    root = tmp_path_factory.mktemp('scored')
    files = [
        probed_sets.write_set(root, 'train', 'abc', 0),
        probed_sets.write_set(root, 'val', 'vwxyz', 1),
    ]
    return read_lesions(*files, root / 'images', 32, 1.5)


def arm(name, *predicted, kind='checkpoint'):
    return Arm(name, kind, '', tuple(np.array(p) for p in predicted), None)


def test_intervals_are_over_patients(lesions):
    # Both lesions of a patient are right or wrong together: 5 draws of 0 or 1, not 10.
    right = lesions[1].labels.copy()
    right[:2] = 1 - right[:2]
    found = assess([arm('a', right)], lesions[1], resamples=4000, seed=0)
    assert found.units.count == 5 and found.units.name == 'patients'
    drawn = found.drawn['a']['accuracy']
    assert drawn[0] == 0.8
    assert drawn[1:].std() == pytest.approx(np.sqrt(0.8 * 0.2 / 5), rel=0.05)
    assert set(np.round(drawn[1:] * 5, 9)) <= {0, 1, 2, 3, 4, 5}


def test_a_lesion_is_drawn_with_its_image(tmp_path):
    files = [probed_sets.write_set(tmp_path, s, p, 0) for s, p in (('train', 'a'), ('val', 'vwx'))]
    content = json.loads(files[1].read_text())
    first = content['annotations'].pop(1)  # its image is now lesion-free
    content['annotations'] += [{**first, 'id': 9, 'image_id': 5, 'bbox': [0, 0, 4, 4]}]
    for image in content['images']:
        del image['patient_id']  # images are drawn one by one
    files[1].write_text(json.dumps(content))
    val = read_lesions(*files, tmp_path / 'images', 16, 1.5)[1]
    assert val.image.tolist() == [0, 2, 3, 4, 5, 5]
    right = np.array([1, 0, 1, 1, 0, 0], bool)
    found = assess([arm('a', np.where(right, val.labels, -1))], val, 30, seed=4)
    (weights,) = image_weights(found.units, 30, 4)
    slow = [
        sum(row[i] for i, is_right in zip(val.image, right, strict=True) if is_right)
        / sum(row[i] for i in val.image)
        for row in weights
    ]
    np.testing.assert_allclose(found.drawn['a']['accuracy'][1:], slow)


def test_an_arm_differs_from_itself_by_nothing(lesions):
    labels = lesions[1].labels
    arms = [arm('a', labels), arm('b', labels), arm('c', 1 - labels, kind='random')]
    found = assess(arms, lesions[1], 50, 0).differences()
    assert [(d['a'], d['b']) for d in found] == [('a', 'b'), ('a', 'c'), ('b', 'c')]
    none = {'value': 0.0, 'interval': [0.0, 0.0], 'share_a_better': 0.0}
    assert found[0]['accuracy'] == found[0]['balanced_accuracy'] == none
    all_of_it = {'value': 1.0, 'interval': [1.0, 1.0], 'share_a_better': 1.0}
    assert found[1]['accuracy'] == all_of_it


def test_runs_are_averaged(lesions):
    labels = lesions[1].labels
    found = assess([arm('r', labels, 1 - labels, labels, labels)], lesions[1], 20, 0)
    assert found.score('r', 'accuracy') == {'value': 0.75, 'interval': [0.75, 0.75]}
    assert found.score('r', 'recall')['value'] == [0.75, 0.75]
    assert found.confusion['r'].tolist() == [[3.75, 1.25], [1.25, 3.75]]


def test_without_resamples_there_is_no_interval():
    assert estimate(np.array([0.5])) == {'value': 0.5, 'interval': None}
    assert estimate(np.array([np.nan])) == {'value': None, 'interval': None}


def test_baselines(lesions):
    pixels, majority = baseline_arms(Voting(*lesions, k=3))
    assert (pixels.predicted[0] == lesions[1].labels).all()
    assert majority.predicted[0].tolist() == [0] * 10  # the first of equals
    assert 'cyst' in majority.what and majority.features is None
    assert isinstance(pixels.features, Features)


def test_pixels_do_not_see_the_gain():
    crops = np.random.default_rng(0).integers(0, 100, (3, 40, 40, 1), np.uint8).repeat(3, axis=3)
    features, brighter = pixel_features(crops), pixel_features(crops * 2 + 20)
    assert features.shape == (3, 1024)
    for one, other in zip(features, brighter, strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.999
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.999
