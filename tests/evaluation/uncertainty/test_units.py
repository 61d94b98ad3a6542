import pytest
from coco_cases import ground_truth, write

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.detection_files import read_truth
from mmdet_liver.evaluation.uncertainty.units import patients_of, resampling_units


def truth_of(tmp_path, entries):
    content = ground_truth({i: [] for i in range(len(entries))})
    for image, entry in zip(content['images'], entries, strict=True):
        image |= entry
    return read_truth(write(tmp_path / 'gt.json', content))


@pytest.mark.parametrize(
    'values, expected',
    [
        pytest.param(['P2', 'P1', 'P2'], [0, 1, 0], id='texts, in order of appearance'),
        pytest.param([20, 3, 20.0, '3', ' 3'], [0, 1, 0, 1, 1], id='numbers and texts alike'),
        pytest.param([0, '0', -1], [0, 0, 1], id='0 is a patient'),
        pytest.param([None, 'P1', '', ' '], [-1, 0, -1, -1], id='unknown'),
    ],
)
def test_patients(tmp_path, values, expected):
    truth = truth_of(tmp_path, [{'patient_id': value} for value in values])
    assert patients_of(truth).tolist() == expected


def test_nan_is_unknown(tmp_path):
    truth = truth_of(tmp_path, [{}])
    truth.images[0]['patient_id'] = float('nan')  # as a reader of tables would leave it
    assert patients_of(truth).tolist() == [-1]


@pytest.mark.parametrize('value', [['P1'], {'id': 1}, True])
def test_a_patient_is_a_number_or_a_text(tmp_path, value):
    truth = truth_of(tmp_path, [{}, {'patient_id': value}])
    with pytest.raises(InputError, match='image 1: found patient_id .*; expected a number'):
        patients_of(truth)


P, Q = {'patient_id': 'P'}, {'patient_id': 'Q'}
CLUSTER = {'cluster_id': 'P'}  # named like a patient, and yet another unit


@pytest.mark.parametrize(
    'entries, groups, name',
    [
        pytest.param([P, Q, P], [[0, 2], [1]], 'patients', id='patients'),
        pytest.param([{}, {}], [[0], [1]], 'images', id='nothing known'),
        pytest.param([CLUSTER, {}, CLUSTER], [[0, 2], [1]], 'clusters and images', id='clusters'),
        pytest.param(
            [P, CLUSTER, {}, CLUSTER, P, {}],
            [[0, 4], [1, 3], [2], [5]],
            'patients, clusters and images',
            id='all three',
        ),
        pytest.param([P | CLUSTER, Q | CLUSTER], [[0], [1]], 'patients', id='the patient first'),
    ],
)
def test_what_is_drawn(tmp_path, entries, groups, name):
    units = resampling_units(truth_of(tmp_path, entries))
    found = [[i for i, u in enumerate(units.of_image) if u == unit] for unit in range(units.count)]
    assert sorted(found) == groups
    assert units.name == name


def test_the_note_says_what_was_drawn(tmp_path):
    units = resampling_units(truth_of(tmp_path, [P, CLUSTER, {}, CLUSTER, P, {}, {}]))
    assert units.note == (
        '1 patients with 2 images were drawn. 2 images of the rest were drawn as 1 clusters of '
        'near-duplicates. 3 images of the rest were drawn one by one. '
        'These are only 5: the intervals are not to be trusted.'
    )


def test_the_note_says_that_no_patient_is_known(tmp_path):
    note = resampling_units(truth_of(tmp_path, [{}] * 20)).note
    assert note.startswith('No image says which of the patients it belongs to')
    assert 'not to be trusted' not in note


@pytest.mark.parametrize('count, warned', [(19, True), (20, False)])
def test_few_units(tmp_path, count, warned):
    entries = [{'patient_id': i} for i in range(count)] * 2
    assert ('not to be trusted' in resampling_units(truth_of(tmp_path, entries)).note) is warned


def test_another_key(tmp_path):
    units = resampling_units(truth_of(tmp_path, [{'site': 'x'}, {'site': 'x'}, {}]), 'site')
    assert (units.count, units.name) == (2, 'groups by site and images')


def test_a_key_that_no_image_has(tmp_path):
    with pytest.raises(InputError, match="'pateint_id': found no image .* patient_id, width"):
        resampling_units(truth_of(tmp_path, [P]), 'pateint_id')
