import json

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from resampled_cases import DRAWN, FAR, IMAGES, LESION, evaluation_of, repeated

from mmdet_liver.evaluation.scoring import ChosenOn
from mmdet_liver.evaluation.uncertainty import resamples
from mmdet_liver.evaluation.uncertainty.intervals import find_intervals, interval
from mmdet_liver.evaluation.uncertainty.readings import OPTIMISM, Readings
from mmdet_liver.evaluation.uncertainty.units import patients_of

RIGHT = ([(1, LESION)], [(1, LESION, 0.9)])
MISSED = ([(1, LESION)], [])
OTHER = ([(2, LESION)], [(2, LESION, 0.9)])
OVER = ([], [(1, FAR, 0.9)])
# Best at 0.30 and at 0.70: a weak hit, and over-detections in between.
LOW = ([(1, LESION)], [(1, LESION, 0.3)])
NOISY = ([(1, LESION)], [(1, LESION, 0.9), (1, FAR, 0.65), (1, FAR, 0.65)])


def named(evaluation, weights):
    readings = Readings(evaluation, patients_of(evaluation.truth))
    return {path: values[0] for path, values in readings.named(weights[None].astype(float))}


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(IMAGES, DRAWN)
def test_every_number_is_that_of_repeated_patients(tmp_path, pairs, drawn):
    images, patients = [image for image, _ in pairs], [patient for _, patient in pairs]
    whole = evaluation_of(tmp_path, images, patients)
    assume(any(drawn[p] for p in patients))
    many = evaluation_of(tmp_path, *repeated(images, patients, drawn))
    weighted = named(whole, np.array([drawn[p] for p in patients]))
    plain = named(many, np.ones(len(many.truth.images)))

    absent = (many.outcomes.lesions == 0) & (whole.outcomes.lesions > 0)  # (C+1,)
    if absent.any():  # means over other classes
        gone = [path for path in weighted if path[0] == 'mean' or path[:2] == ('froc', 'mean')]
        assert all(np.isnan(weighted[path]).all() for path in gone)
        for path in [*gone, OPTIMISM]:
            weighted.pop(path), plain.pop(path, None)
    else:
        at, here = whole.sweep.best(), many.sweep.best()
        gain = many.sweep.mean.f1[here] - many.sweep.mean.f1[at]
        loss = whole.sweep.mean.f1[at] - whole.sweep.mean.f1[here]
        assert weighted.pop(OPTIMISM) == pytest.approx(gain + loss, abs=1e-12)
        assert plain.pop(OPTIMISM) == 0
    assert weighted.keys() == plain.keys()
    for path, values in weighted.items():
        np.testing.assert_allclose(values, plain[path], atol=1e-12, err_msg=str(path))


def test_the_data_themselves_are_one_of_the_resamples(tmp_path):
    evaluation = evaluation_of(tmp_path, [RIGHT, MISSED, LOW, OTHER, OVER, NOISY], list('ppqqrs'))
    values = named(evaluation, np.ones(6))
    assert values['score_thr',] == evaluation.score_thr
    for name, mean, by_class in zip(
        ('precision', 'recall', 'f1'),
        evaluation.mean.as_tuple(),
        evaluation.per_class.as_tuple(),
        strict=True,
    ):
        assert values['mean', name] == pytest.approx(mean)
        assert [values['per_class', c, name] for c in 'ab'] == pytest.approx(by_class.tolist())
    assert values['over_detections_per', 'image'] == pytest.approx(evaluation.matrix[0].sum() / 6)


def test_images_all_alike_leave_no_doubt(tmp_path):
    evaluation = evaluation_of(tmp_path, [([(1, LESION), (2, FAR)], [(1, LESION, 0.9)])] * 25)
    found = find_intervals(evaluation, resamples=100)
    assert found.values['mean'] == {'precision': [0.5] * 2, 'recall': [0.5] * 2, 'f1': [0.5] * 2}
    assert found.values['score_thr'] == [0.0, 0.0]
    assert found.values['over_detections_per']['lesion_free_image'] is None
    assert found.optimism == 0


def test_recall_at_a_fixed_threshold_is_binomial(tmp_path):
    # 300 of 400 found: 0.75 -+ 1.96 * sqrt(0.75 * 0.25 / 400) = 0.7076 to 0.7924.
    evaluation = evaluation_of(tmp_path, [RIGHT] * 300 + [MISSED] * 100, score_thr=0.5)
    found = find_intervals(evaluation)
    assert found.values['mean']['recall'] == pytest.approx([0.7076, 0.7924], abs=0.005)
    assert found.values['mean']['precision'] == [1.0, 1.0]
    assert found.values['froc']['any']['sensitivity'][0] == found.values['mean']['recall']


def test_patients_make_intervals_wider_than_images(tmp_path):
    images = [RIGHT] * 300 + [MISSED] * 100
    by_image = find_intervals(evaluation_of(tmp_path, images, list(range(400))), resamples=500)
    by_patient = find_intervals(
        evaluation_of(tmp_path, images, [i // 10 for i in range(400)]), resamples=500
    )
    widths = [np.ptp(found.values['mean']['recall']) for found in (by_image, by_patient)]
    assert widths[1] / widths[0] == pytest.approx(10**0.5, rel=0.15)
    assert [found.units.count for found in (by_image, by_patient)] == [400, 40]


def test_the_threshold_is_chosen_again(tmp_path):
    found = find_intervals(evaluation_of(tmp_path, [LOW] * 8 + [NOISY] * 4), resamples=500)
    assert found.score_thr == 'chosen again in each resample'
    low, high = found.values['score_thr']
    assert low == 0.0 and high == 0.7
    assert found.optimism > 0


def test_a_given_threshold_stays(tmp_path):
    evaluation = evaluation_of(tmp_path, [LOW] * 8 + [NOISY] * 4, score_thr=0.123456)
    found = find_intervals(evaluation, resamples=50)
    assert (found.score_thr, found.optimism) == ('fixed', None)
    assert found.values['score_thr'] == pytest.approx([0.123456] * 2)


def test_a_threshold_from_a_file_stays_and_it_is_said(tmp_path):
    content = {'score_thr': 0.2, 'labels': ['None', 'a', 'b'], 'iou_thr': 0.25}
    path = tmp_path / 'metrics.json'
    path.write_text(json.dumps(content))
    found = find_intervals(evaluation_of(tmp_path, [LOW] * 4, score_thr=path), resamples=50)
    assert found.score_thr == 'fixed: the data that it was chosen on are not at hand'


@pytest.mark.parametrize(
    'val, expected',
    [
        pytest.param([LOW] * 8 + [NOISY] * 4, [0.0, 0.7], id='val in doubt'),
        pytest.param([NOISY] * 30, [0.7, 0.7], id='val sure, whatever is best here'),
    ],
)
def test_a_threshold_chosen_on_val_is_chosen_again_there(tmp_path, val, expected):
    chosen_on = ChosenOn(evaluation_of(tmp_path, val, list(range(len(val)))), 'val.json')
    here = evaluation_of(tmp_path, [LOW] * 20, score_thr=chosen_on)
    found = find_intervals(here, resamples=500)
    assert found.values['score_thr'] == expected
    # At 0.70 nothing is found here.
    assert found.values['mean']['recall'] == [0.0, 1.0 if expected[0] == 0 else 0.0]
    assert found.score_thr.endswith(f'chosen on ({len(val)} patients)')
    assert found.optimism is None


def test_a_class_that_is_not_drawn_leaves_the_resample_out(tmp_path):
    # One of three patients has class b: it is not drawn in (2/3)^3 = 0.296 of the resamples.
    found = find_intervals(evaluation_of(tmp_path, [RIGHT, MISSED, OTHER]), resamples=2000)
    assert found.values['per_class']['b']['recall'] == [1.0, 1.0]
    assert found.undefined['per_class/b/recall'] == pytest.approx(0.296, abs=0.03)
    assert found.values['mean']['recall'][0] == 0.5  # a missed, b found


def test_what_has_no_value_is_none(tmp_path):
    found = find_intervals(evaluation_of(tmp_path, [RIGHT, MISSED]), resamples=50)
    assert found.values['per_class']['b'] == {'precision': None, 'recall': None, 'f1': None}
    assert found.undefined['per_class/b/f1'] == 1
    assert found.values['image_level']['lesion']['specificity'] is None
    assert 'patient_level' not in found.values
    # Means are over the classes that have lesions.
    assert found.values['froc']['mean'] == found.values['froc']['per_class']['a']
    assert found.values['mean']['recall'] == found.values['per_class']['a']['recall']


@pytest.mark.parametrize('images', [[([], [])] * 3, [OVER] * 3, [MISSED] * 3])
def test_no_lesion_no_prediction(tmp_path, images):
    found = find_intervals(evaluation_of(tmp_path, images), resamples=20)
    assert found.values['mean']['f1'] == [0.0, 0.0]
    json.dumps(found.content(), allow_nan=False)


def test_the_same_seed_gives_the_same_whatever_the_chunks(tmp_path, monkeypatch):
    evaluation = evaluation_of(tmp_path, [RIGHT, MISSED, LOW, OTHER, OVER, NOISY], list('ppqqrs'))
    whole = find_intervals(evaluation, resamples=100, seed=5).content()
    assert whole != find_intervals(evaluation, resamples=100, seed=6).content()
    monkeypatch.setattr(resamples, '_WEIGHTS_AT_ONCE', 6 * 7)
    assert find_intervals(evaluation, resamples=100, seed=5).content() == whole
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert (whole['resampled'], whole['units'], whole['resamples']) == ('patients', 4, 100)


@pytest.mark.parametrize(
    'values, expected',
    [
        pytest.param(np.arange(1001.0), [25.0, 975.0], id='percentiles'),
        pytest.param(np.array([np.nan, 2.0, 2.0]), [2.0, 2.0], id='NaN is left out'),
        pytest.param(np.array([np.nan]), None, id='never a value'),
    ],
)
def test_interval(values, expected):
    assert interval(values) == (expected and pytest.approx(expected))


def test_interval_of_each_column():
    assert interval(np.array([[1.0, np.nan], [1.0, np.nan]])) == [[1.0, 1.0], None]
