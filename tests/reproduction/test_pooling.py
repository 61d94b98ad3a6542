from dataclasses import replace

import numpy as np
import pytest
from coco_cases import ground_truth, results, write

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.confusion import precision_recall_f1
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.scoring import ChosenOn, evaluate
from mmdet_liver.evaluation.uncertainty.comparison import (
    AT_OVER_DETECTIONS_OF_A,
    AT_OVER_DETECTIONS_OF_B,
)
from mmdet_liver.evaluation.uncertainty.intervals import find_intervals, interval
from mmdet_liver.reproduction.content import difference
from mmdet_liver.reproduction.pooling import AT_CHOSEN, Drawn, SeedRun, at_rate, pool

LESION, FAR = (100, 100, 40, 40), (300, 300, 40, 40)


def evaluation_of(tmp_path, images, patients, **kwargs):
    """`images`: (annotations, predictions) each, as in `coco_cases`; one patient id each."""
    truth = ground_truth({i: image[0] for i, image in enumerate(images)}, ('a', 'b'))
    for image, patient in zip(truth['images'], patients, strict=True):
        image['patient_id'] = patient
    read = read_truth(write(tmp_path / 'gt.json', truth))
    entries = results({i: image[1] for i, image in enumerate(images)})
    return evaluate(read, to_detections(entries, read, 'results'), **kwargs)


def scene(generator, images):
    """Two places an image, lesions and predictions of random class and score at them."""
    found = []
    for _ in range(images):
        lesions = [(int(generator.integers(1, 3)), place) for place in (LESION, FAR)
                   if generator.random() < 0.7]  # fmt: skip
        predicted = [
            (int(generator.integers(1, 3)), place, float(generator.integers(1, 20)) / 20)
            for place in (LESION, FAR, LESION, FAR)
            if generator.random() < 0.6
        ]
        found.append((lesions, predicted))
    return found


def moved(images, seed):
    """The same images and lesions, with other scores."""
    generator = np.random.default_rng(seed)
    return [(lesions, [(c, box, float(generator.integers(1, 20)) / 20) for c, box, _ in predicted])
            for lesions, predicted in images]  # fmt: skip


def fold(tmp_path, number, seed=None, images=12):
    """A fold's test with its val; `seed` gives other predictions on the same images."""
    generator = np.random.default_rng(number)
    parts = [scene(generator, images), scene(generator, images)]
    if seed is not None:
        parts = [moved(part, seed) for part in parts]
    patients = [f'{number}-{i // 2}' for i in range(images)]
    val = evaluation_of(tmp_path, parts[0], patients)
    test = evaluation_of(tmp_path, parts[1], patients, score_thr=ChosenOn(val, 'val'))
    for image in test.truth.images:
        image['file_name'] = f'{number}/{image["file_name"]}'
    return test


def arm(tmp_path, seeds, folds=3):
    return [[fold(tmp_path, number, seed) for number in range(folds)] for seed in seeds]


def test_one_fold_and_seed_is_the_evaluations_own_bootstrap(tmp_path):
    test = fold(tmp_path, 0)
    reference = find_intervals(test, resamples=300, seed=5).values
    reading = pool({'a': [[test]]}, resamples=300, seed=5).arms['a']
    for score in ('precision', 'recall', 'f1'):
        values = getattr(reading.mean, score)
        assert values[0] == pytest.approx(float(getattr(test.mean, score)))
        assert interval(values[1:]) == pytest.approx(reference['mean'][score])
        for c, name in enumerate('ab'):
            own = getattr(reading.scores, score)[1:, c]
            assert interval(own) == pytest.approx(reference['per_class'][name][score])


def slow_at_chosen(folds, drawn):
    """Sum of the folds' matrices at their own thresholds; images repeated one by one."""
    total = 0
    for test, of_test, of_val in zip(folds, drawn.tests, drawn.vals, strict=True):
        val = test.chosen_on
        swept = [slow_matrix(val, thr, of_val[0]) for thr in val.sweep.score_thrs]
        f1 = [precision_recall_f1(m).f1.mean() for m in swept]
        best = val.sweep.score_thrs[int(np.round(f1, 12).argmax())]
        total = total + slow_matrix(test, best, of_test[0])
    return total


def slow_matrix(evaluation, score_thr, weights):
    matrix = np.zeros((3, 3))
    outcomes, lesions = evaluation.outcomes, evaluation.truth.lesions
    for image, row, column, score in zip(
        outcomes.image, outcomes.row, outcomes.column, outcomes.score, strict=True
    ):
        if score >= score_thr:
            matrix[row, column] += weights[image]
    for image, label in zip(lesions.image, lesions.classes, strict=True):
        matrix[label, 0] += weights[image]
    matrix[1:, 0] -= matrix[1:, 1:].sum(axis=1)
    return matrix


def drawn_once(folds, seed):
    generator = np.random.default_rng(seed)

    def weights(evaluation):
        return generator.integers(0, 3, (1, len(evaluation.truth.images))).astype(float)

    return Drawn([weights(test) for test in folds], [weights(test.chosen_on) for test in folds])


@pytest.mark.parametrize('seed', range(4))
def test_folds_add_up_as_in_the_slow_loop(tmp_path, seed):
    (folds,) = arm(tmp_path, [seed])
    drawn = drawn_once(folds, seed)
    reading, over = SeedRun(folds).at_chosen(drawn)
    expected = slow_at_chosen(folds, drawn)
    assert reading.scores.f1[0] == pytest.approx(precision_recall_f1(expected).f1)
    assert reading.over_detections[0] == sum(over)[0] == expected[0].sum()


@pytest.mark.parametrize('allowed', [0, 1, 3.5, 100])
def test_over_detections_are_matched_in_every_fold(tmp_path, allowed):
    (folds,) = arm(tmp_path, [1])
    drawn = drawn_once(folds, 2)
    reading = SeedRun(folds).at_over_detections(drawn, [np.array([allowed])] * 3)
    expected = 0
    for test, weights in zip(folds, drawn.tests, strict=True):
        best = np.zeros((3, 3))
        best[1:, 0] = slow_matrix(test, 2.0, weights[0])[1:, 0]
        for thr in sorted(set(test.outcomes.score.tolist()), reverse=True):
            candidate = slow_matrix(test, thr, weights[0])
            if candidate[0].sum() > allowed:
                break
            best = candidate
        expected = expected + best
    assert reading.scores.recall[0] == pytest.approx(precision_recall_f1(expected).recall)
    assert reading.over_detections[0] == expected[0].sum()


def test_an_arm_against_itself_differs_by_nothing(tmp_path):
    seeds = arm(tmp_path, [1, 2])
    pooled = pool({'a': seeds, 'b': seeds}, [('a', 'b')], resamples=20)
    settings = pooled.pairs['a', 'b']
    assert set(settings) == {AT_CHOSEN, AT_OVER_DETECTIONS_OF_A, AT_OVER_DETECTIONS_OF_B,
                             *map(at_rate, (0.25, 0.5, 1))}  # fmt: skip
    for a, b in settings.values():
        found = difference(a.mean.f1, b.mean.f1)
        assert (found.difference, found.share_a_better) == (0, 0)
        assert found.interval == [0, 0]


def test_seeds_are_averaged_within_each_resample(tmp_path):
    seeds = arm(tmp_path, [1, 2])
    both = pool({'a': seeds}, resamples=30).arms['a']
    each = [pool({'a': [seed]}, resamples=30).arms['a'] for seed in seeds]
    np.testing.assert_allclose(both.mean.f1, np.mean([e.mean.f1 for e in each], axis=0))
    # The data themselves: the matrices at the chosen thresholds.
    matrix = sum(test.matrix for test in seeds[0])
    assert each[0].mean.f1[0] == pytest.approx(precision_recall_f1(matrix).f1.mean())


def test_at_matched_over_detections_b_may_have_as_many_as_a(tmp_path):
    pooled = pool({'a': arm(tmp_path, [1]), 'b': arm(tmp_path, [2])}, [('a', 'b')], resamples=0)
    at_a = pooled.pairs['a', 'b'][AT_OVER_DETECTIONS_OF_A]
    allowed = pooled.arms['a'].over_detections[0]
    assert all(reading.over_detections[0] <= allowed for reading in at_a)
    for rate in (0.25, 0.5, 1):
        for reading, seed in zip(pooled.pairs['a', 'b'][at_rate(rate)], (1, 2), strict=True):
            (folds,) = arm(tmp_path, [seed])
            once = Drawn([np.ones((1, 12))] * 3, [np.ones((1, 12))] * 3)
            expected = SeedRun(folds).at_over_detections(once, [np.array([12 * rate])] * 3)
            assert reading.mean.recall[0] == expected.mean.recall[0]
            assert 0 < reading.over_detections[0] <= 36 * rate


def test_difference_by_hand():
    a, b = np.array([0.5, 0.6, 0.4, np.nan]), np.array([0.4, 0.3, 0.5, 0.1])
    found = difference(a, b)
    assert (found.a, found.b, found.share_a_better) == (0.5, 0.4, 0.5)
    assert found.difference == pytest.approx(0.1)
    assert found.interval == pytest.approx([-0.09, 0.29])


def test_an_image_in_two_tests_is_refused(tmp_path):
    test = fold(tmp_path, 0)
    with pytest.raises(InputError, match='two tests'):
        pool({'a': [[test, test]]}, resamples=0)


def test_arms_of_different_images_are_refused(tmp_path):
    with pytest.raises(InputError, match='different'):
        pool({'a': [[fold(tmp_path, 0)]], 'b': [[fold(tmp_path, 0, images=8)]]}, resamples=0)


@pytest.mark.parametrize('changed', ['a box', 'the order of val'])
def test_arms_of_other_boxes_or_val_images_are_refused(tmp_path, changed):
    one = fold(tmp_path, 0)
    truth, val = one.truth, one.chosen_on
    if changed == 'a box':
        lesions = replace(truth.lesions, boxes=truth.lesions.boxes + 1)
        other = replace(one, truth=replace(truth, lesions=lesions))
    else:
        turned = replace(val.truth, images=val.truth.images[::-1])
        other = replace(one, chosen_on=replace(val, truth=turned))
    with pytest.raises(InputError, match='different'):
        pool({'a': [[one]], 'b': [[other]]}, resamples=0)
