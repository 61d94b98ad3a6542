import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from resampled_cases import FAR, IMAGE, LESION, evaluation_of

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.confusion import confusion_matrices
from mmdet_liver.evaluation.uncertainty import runs
from mmdet_liver.evaluation.uncertainty.comparison import (
    AT_BEST,
    AT_OVER_DETECTIONS_OF_A,
    AT_OVER_DETECTIONS_OF_B,
    Difference,
    compare,
)
from mmdet_liver.evaluation.uncertainty.runs import Run
from mmdet_liver.evaluation.uncertainty.units import resampling_units

ONE, TWO = [(1, LESION)], [(1, LESION), (2, FAR)]


def arm(tmp_path, predictions, annotations=ONE, **kwargs):
    return evaluation_of(tmp_path, [(annotations, p) for p in predictions], **kwargs)


def compared(a, b, resamples=200, seed=0):
    first = a if not isinstance(a, list) else a[0]
    return compare(a, b, resampling_units(first.truth), resamples, seed)


def slow_within(evaluation, allowed):
    """The lowest of all scores with at most so many over-detections, one by one."""
    scores = sorted({s for s in evaluation.outcomes.score.tolist() if s > 0}, reverse=True)
    matrix, chosen = confusion_matrices(evaluation.outcomes, np.array([2.0]))[0], np.nan
    for score in scores:
        candidate = confusion_matrices(evaluation.outcomes, np.array([score]))[0]
        if candidate[0].sum() > allowed:
            break
        matrix, chosen = candidate, score
    return matrix, chosen


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(IMAGE, st.integers(0, 3)), min_size=1, max_size=5),
    st.sampled_from([0, 0.5, 1, 2, 5, 100]),
    st.sampled_from([1, 2, 4096]),
)
def test_over_detections_allowed_as_in_the_slow_loop(tmp_path, images, allowed, at_once):
    assume(any(times for _, times in images))
    whole = evaluation_of(tmp_path, [image for image, _ in images])
    grown = evaluation_of(tmp_path, [image for image, times in images for _ in range(times)])
    run, weights = Run(whole), np.array([[w for _, w in images], [1] * len(images)], float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, '_AT_ONCE', at_once)
        above = run.score_above(weights, np.array([allowed, 0]))
        matrices = run.matrices_above(weights, above)
        reading = run.at_over_detections(weights, np.array([allowed, 0]))
    assert matrices[0].tolist() == slow_within(grown, allowed)[0].tolist()
    expected, score_thr = slow_within(whole, 0)
    assert matrices[1].tolist() == expected.tolist()
    assert reading.over_detections.tolist() == matrices[:, 0].sum(axis=1).tolist()
    np.testing.assert_equal(reading.score_thr[1], score_thr)


def test_an_arm_is_no_better_than_itself(tmp_path):
    rng = np.random.default_rng(0)
    predictions = [
        [(int(rng.integers(1, 3)), box, float(rng.random())) for box in (LESION, FAR)]
        for _ in range(30)
    ]
    a = arm(tmp_path, predictions, TWO)
    comparison = compared(a, a)
    assert len(comparison.settings) == 3
    for setting in comparison.settings.values():
        for scores in (setting.mean, *setting.per_class.values()):
            for d in scores.values():
                assert (d.difference, d.interval, d.share_a_better) == (0, [0, 0], 0)


def test_better_in_every_image(tmp_path):
    better = arm(tmp_path, [[(1, LESION, 0.9), (2, FAR, 0.9)]] * 25, TWO)
    worse = arm(tmp_path, [[(1, LESION, 0.9), (1, FAR, 0.9)]] * 25, TWO)
    best = compared(better, worse).settings[AT_BEST]
    # Worse: of class a half the calls are right, all found; of b none. (2/3 + 0) / 2.
    assert best.mean['f1'] == Difference(
        1.0, pytest.approx(1 / 3), pytest.approx(2 / 3), pytest.approx([2 / 3] * 2), 1.0
    )
    assert best.per_class['b']['recall'] == Difference(1.0, 0.0, 1.0, [1.0, 1.0], 1.0)


def test_at_equal_over_detections(tmp_path):
    # A finds 20 of 30 lesions without an over-detection, at any threshold up to 0.9.
    a = arm(tmp_path, [[(1, LESION, 0.9)]] * 20 + [[]] * 10)
    # B finds 15 at 0.8, and all with 6 over-detections at 0.3.
    b = arm(
        tmp_path,
        [[(1, LESION, 0.8)]] * 15
        + [[(1, LESION, 0.3)]] * 9
        + [[(1, LESION, 0.3), (1, FAR, 0.3)]] * 6,
    )
    settings_ = compared(a, b).settings
    best, of_a, of_b = (
        settings_[name] for name in (AT_BEST, AT_OVER_DETECTIONS_OF_A, AT_OVER_DETECTIONS_OF_B)
    )
    # F1: A 40 / (20 + 30); B at 0.3 60 / (36 + 30), at 0.8 30 / (15 + 30).
    assert (best.mean['f1'].a, best.mean['f1'].b) == pytest.approx((0.8, 60 / 66))
    assert best.over_detections_per_image == {'a': 0.0, 'b': 0.2}
    assert (of_a.mean['f1'].a, of_a.mean['f1'].b) == pytest.approx((0.8, 30 / 45))
    assert of_a.over_detections_per_image == {'a': 0.0, 'b': 0.0}
    assert of_a.score_thr == {'a': 0.9, 'b': 0.8}
    assert (of_b.mean['f1'].a, of_b.mean['f1'].b) == pytest.approx((0.8, 60 / 66))
    assert of_b.over_detections_per_image == {'a': 0.0, 'b': 0.2}
    # A resample without an over-detection of B lets B keep all.
    assert best.mean['f1'].share_a_better < 0.05 < 0.8 < of_a.mean['f1'].share_a_better


def test_swapped_arms_change_the_sign(tmp_path):
    rng = np.random.default_rng(1)

    def noisy(found):
        return [
            [(1, LESION, float(rng.random()))] * int(rng.random() < found)
            + [(1, FAR, float(rng.random() ** 3))]
            for _ in range(40)
        ]

    a, b = arm(tmp_path, noisy(0.9)), arm(tmp_path, noisy(0.6))
    one, two = compared(a, b, seed=7), compared(b, a, seed=7)
    for here, there in (
        (AT_BEST, AT_BEST),
        (AT_OVER_DETECTIONS_OF_A, AT_OVER_DETECTIONS_OF_B),
        (AT_OVER_DETECTIONS_OF_B, AT_OVER_DETECTIONS_OF_A),
    ):
        d, e = one.settings[here].mean['f1'], two.settings[there].mean['f1']
        assert d.difference == -e.difference
        assert d.interval == pytest.approx([-e.interval[1], -e.interval[0]])
    assert one.settings[AT_BEST].mean['f1'].interval[0] > 0
    assert compared(a, b, seed=7).content() == one.content()
    assert compared(a, b, seed=8).content() != one.content()


def test_several_runs_are_averaged(tmp_path):
    # Recall 1 and 1/2 against 1/2: 0.75 and 0.5.
    all_found, half = (arm(tmp_path, [[(1, LESION, 0.9)]] * n + [[]] * (20 - n)) for n in (20, 10))
    recall = compared([all_found, half], half).settings[AT_BEST].mean['recall']
    assert (recall.a, recall.b, recall.difference) == pytest.approx((0.75, 0.5, 0.25))
    single = compared(all_found, half).settings[AT_BEST].mean['recall']
    assert recall.interval == pytest.approx([end / 2 for end in single.interval])


def test_a_class_without_lesions_has_no_difference(tmp_path):
    a = arm(tmp_path, [[(2, LESION, 0.9)]] * 3)
    found = compared(a, a).settings[AT_BEST].per_class['b']['f1']
    assert asdict(found) == dict.fromkeys(asdict(found))


def test_without_resamples_there_are_differences_only(tmp_path):
    a, b = arm(tmp_path, [[(1, LESION, 0.9)]] * 3), arm(tmp_path, [[]] * 3)
    found = compared(a, b, resamples=0).settings[AT_BEST].mean['f1']
    assert found == Difference(1.0, 0.0, 1.0, None, None)


def test_nothing_kept(tmp_path):
    a, b = arm(tmp_path, [[]] * 3), arm(tmp_path, [[(1, LESION, 0.5), (1, FAR, 0.6)]] * 3)
    comparison = compared(a, b)
    assert comparison.settings[AT_OVER_DETECTIONS_OF_A].score_thr == {'a': None, 'b': None}
    json.dumps(comparison.content(), allow_nan=False)


@pytest.mark.parametrize(
    'other, match',
    [
        pytest.param(dict(predictions=[[]] * 4), 'different ground truths', id='images'),
        pytest.param(
            dict(predictions=[[]] * 3, annotations=[(1, FAR)]), 'different ground truths', id='box'
        ),
        pytest.param(
            dict(predictions=[[]] * 3, annotations=[(2, LESION)]), 'ground truths', id='class'
        ),
        pytest.param(dict(predictions=[[]] * 3, iou_thr=0.5), 'thresholds 0.25 and 0.5', id='IoU'),
    ],
)
def test_only_what_is_scored_on_the_same_data(tmp_path, other, match):
    with pytest.raises(InputError, match=match):
        compared(arm(tmp_path, [[]] * 3), arm(tmp_path, **other))
