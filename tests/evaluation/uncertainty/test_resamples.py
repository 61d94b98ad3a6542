import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from resampled_cases import IMAGE, evaluation_of

from mmdet_liver.evaluation.confusion import SCORE_THRS, confusion_matrices
from mmdet_liver.evaluation.uncertainty import resamples
from mmdet_liver.evaluation.uncertainty.counts import grid_counts
from mmdet_liver.evaluation.uncertainty.resamples import image_weights, rows_at_once
from mmdet_liver.evaluation.uncertainty.units import Units


def units_of(of_image):
    of_image = np.array(of_image, np.int64)
    return Units(of_image, int(of_image.max()) + 1, 'patients', '')


def drawn(of_image, count, seed=0, at_once=None):
    return np.concatenate(list(image_weights(units_of(of_image), count, seed, at_once)))


def test_a_unit_brings_all_its_images():
    weights = drawn([0, 1, 0, 2, 1], 50)
    assert weights.shape == (50, 5)
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()  # as many units as there are


def test_draws_are_with_replacement():
    # Binomial(40, 1/40) each: mean 1, variance 0.975, none in (39/40)^40 = 0.363 of all.
    weights = drawn(range(40), 2000)
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(0.975, abs=0.02)
    assert (weights == 0).mean() == pytest.approx(0.363, abs=0.01)


def test_the_seed_decides():
    assert (drawn(range(9), 20, seed=3) == drawn(range(9), 20, seed=3)).all()
    assert (drawn(range(9), 20, seed=3) != drawn(range(9), 20, seed=4)).any()


@pytest.mark.parametrize('at_once', [1, 7, 30, 31, 100])
def test_rows_at_a_time_do_not_matter(at_once):
    chunks = list(image_weights(units_of([0, 1, 2, 1]), 31, 0, at_once))
    assert max(map(len, chunks)) == min(at_once, 31)
    assert (np.concatenate(chunks) == drawn([0, 1, 2, 1], 31)).all()


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(resamples, '_WEIGHTS_AT_ONCE', 100)
    assert rows_at_once(30, 10) == 3
    assert rows_at_once(1000) == 1


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(IMAGE, st.integers(0, 3)), min_size=1, max_size=5),
    st.sampled_from([SCORE_THRS, np.array([0.3]), np.array([0.31, 0.9])]),
)
def test_counts_are_those_of_repeated_images(tmp_path, images, score_thrs):
    assume(any(times for _, times in images))
    weights = np.array([[weight for _, weight in images], [1] * len(images)])
    whole = evaluation_of(tmp_path, [image for image, _ in images])
    grown = evaluation_of(tmp_path, [image for image, times in images for _ in range(times)])
    matrices = grid_counts(whole, score_thrs).matrices(weights)
    assert matrices[0].tolist() == confusion_matrices(grown.outcomes, score_thrs).tolist()
    assert matrices[1].tolist() == confusion_matrices(whole.outcomes, score_thrs).tolist()
