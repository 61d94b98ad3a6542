"""Who the phantom's patients are, over many of them, without a picture."""

from collections import Counter

import numpy as np
import pytest

from mmdet_liver import taxonomy
from mmdet_liver.preparation.phantom.patients import sample_patient

KINDS = {*taxonomy.names(taxonomy.LIVER), None}


@pytest.fixture(scope='module')
def people():
    return [sample_patient(7, i) for i in range(5000)]


def ages(people, diagnosis):
    return np.array([p.age for p in people if p.diagnosis == diagnosis])


def males(people, diagnosis):
    return np.mean([p.sex == 'M' for p in people if p.diagnosis == diagnosis])


@pytest.mark.parametrize('seed', range(5))
def test_ten_patients_hold_every_diagnosis_and_a_healthy_one(seed):
    assert {sample_patient(seed, i).diagnosis for i in range(10)} == KINDS


def test_shares_of_the_diagnoses(people):
    shares = {k: n / len(people) for k, n in Counter(p.diagnosis for p in people).items()}
    expected = {'cyst': 0.28, 'hemangioma': 0.28, 'HCC': 0.2, 'Meta': 0.16, None: 0.08}
    assert shares == pytest.approx(expected)


@pytest.mark.parametrize(
    'diagnosis, mean, spread, male',
    [
        pytest.param('HCC', 70, 9, 0.74, id='HCC older and male'),
        pytest.param('hemangioma', 52, 14, 0.36, id='hemangioma female'),
        pytest.param('cyst', 60, 28 / 3**0.5, 0.48, id='cyst flat'),
        pytest.param('Meta', 66, 11, 0.52, id='Meta both'),
    ],
)
def test_age_and_sex(people, diagnosis, mean, spread, male):
    assert ages(people, diagnosis).mean() == pytest.approx(mean, abs=1.5)
    assert ages(people, diagnosis).std() == pytest.approx(spread, abs=1.5)
    assert males(people, diagnosis) == pytest.approx(male, abs=0.06)


def test_young_patients_have_hemangioma_rather_than_hcc(people):
    assert (ages(people, 'hemangioma') < 40).mean() > 0.1
    assert (ages(people, 'HCC') < 40).mean() < 0.01


def test_cysts_come_at_every_age_alike(people):
    counts = np.histogram(ages(people, 'cyst'), bins=[32, 46, 60, 74, 89])[0]
    assert counts.max() / counts.min() < 1.35


def test_a_patient_depends_on_seed_and_index_only():
    assert sample_patient(3, 40) == sample_patient(3, 40)
    assert sample_patient(3, 40) != sample_patient(4, 40)
    assert [sample_patient(0, i).patient_id for i in (0, 24)] == ['P00001', 'P00025']
