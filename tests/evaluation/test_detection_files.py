import json

import pytest
from coco_cases import ground_truth, results, write

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.detection_files import read_detections, read_truth

BOX = (10, 20, 30, 40)
GOOD = results({1: [(1, BOX, 0.5), (2, BOX, 0.25)], 2: [(1, BOX, 1)]})


def changed(entry: int, **values) -> list:
    return [{**e, **(values if i == entry else {})} for i, e in enumerate(GOOD)]


def without(key: str) -> list:
    return [GOOD[0], {k: v for k, v in GOOD[1].items() if k != key}]


@pytest.fixture
def truth(tmp_path):
    return read_truth(write(tmp_path / 'gt.json', ground_truth({1: [(1, BOX)], 2: []})))


def test_reads_results(tmp_path, truth):
    found = read_detections(write(tmp_path / 'r.json', GOOD), truth)
    assert found.image.tolist() == [0, 0, 1]
    assert found.classes.tolist() == [1, 2, 1]
    assert found.boxes.tolist() == [[10, 20, 40, 60]] * 3
    assert found.scores.tolist() == [0.5, 0.25, 1]


def test_no_results_are_results(tmp_path, truth):
    assert read_detections(write(tmp_path / 'r.json', []), truth).boxes.shape == (0, 4)


@pytest.mark.parametrize(
    'entries, message',
    [
        pytest.param(changed(2, image_id=99), 'entry 2: found image_id 99', id='unknown image'),
        pytest.param(changed(1, category_id=5), 'entry 1: found category_id 5', id='category'),
        pytest.param(changed(1, image_id=[1]), r'entry 1: found image_id \[1\]', id='list as id'),
        pytest.param(changed(1, score=float('nan')), 'entry 1: found score nan', id='NaN score'),
        pytest.param(changed(1, score='0.5'), "entry 1: found score '0.5'", id='text score'),
        pytest.param(changed(1, score=None), 'entry 1: found score None', id='null score'),
        pytest.param(changed(2, score=1.01), 'entry 2: found score 1.01', id='score over 1'),
        pytest.param(changed(2, score=-0.1), 'entry 2: found score -0.1', id='score below 0'),
        pytest.param(changed(0, bbox=[1, 2, -3, 4]), 'entry 0: found bbox', id='negative size'),
        pytest.param(
            changed(1, bbox=[1, 2, float('inf'), 4]), 'entry 1: found bbox', id='infinite size'
        ),
        pytest.param(changed(1, bbox=[1, 2, 3]), r'entry 1: found bbox \[1, 2, 3\]', id='three'),
        pytest.param(without('bbox'), "entry 1: found no 'bbox'", id='no box'),
        pytest.param(without('score'), "entry 1: found no 'score'", id='no score'),
        pytest.param(without('image_id'), "entry 1: found no 'image_id'", id='no image'),
        pytest.param([*GOOD, 7], 'entry 3: found a JSON number', id='not an object'),
        pytest.param({'annotations': []}, 'found a JSON object; expected a list', id='not a list'),
    ],
)
def test_bad_results_are_named(tmp_path, truth, entries, message):
    path = write(tmp_path / 'r.json', entries)
    with pytest.raises(InputError, match=message) as caught:
        read_detections(path, truth)
    assert str(caught.value).startswith(str(path))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(
    'change, message',
    [
        pytest.param({'images': [{'id': 1}, {'id': 1}]}, 'entry 1: found id 1 again', id='image'),
        pytest.param({'images': []}, 'no images', id='empty data set'),
        pytest.param({'images': [{}]}, "images, entry 0: found no 'id'", id='image without id'),
        pytest.param({'categories': []}, 'no categories', id='no categories'),
        pytest.param({'categories': [{'id': 1, 'name': 'None'}]}, "not 'None'", id='class None'),
        pytest.param(
            {'categories': [{'id': 1, 'name': 'a'}, {'id': 1, 'name': 'b'}]}, 'again', id='category'
        ),
        pytest.param({'annotations': None}, 'annotations as a JSON null', id='null annotations'),
        pytest.param(
            {'annotations': [{'image_id': 3, 'category_id': 1, 'bbox': BOX}]},
            'annotations, entry 0: found image_id 3',
            id='annotation of an unknown image',
        ),
        pytest.param(
            {'annotations': [{'image_id': 1, 'category_id': 1, 'bbox': [1, 2, 3, -4]}]},
            'annotations, entry 0: found bbox',
            id='negative size',
        ),
        pytest.param(
            {'annotations': [{'image_id': 1, 'category_id': 1, 'bbox': BOX, 'ignore': 'no'}]},
            "found ignore 'no'",
            id='ignore that is no flag',
        ),
    ],
)
def test_bad_truth_is_named(tmp_path, change, message):
    path = write(tmp_path / 'gt.json', {**ground_truth({1: [(1, BOX)], 2: []}), **change})
    with pytest.raises(InputError, match=message) as caught:
        read_truth(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param(b'[{"image_id": 1,', 'found no JSON', id='cut off'),
        pytest.param('["肝"]'.encode('shift-jis'), 'found no JSON', id='not UTF-8'),
        pytest.param(None, 'found no such file', id='missing'),
    ],
)
def test_unreadable_files_are_named(tmp_path, truth, text, message):
    path = tmp_path / 'r.json'
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(InputError, match=message):
        read_detections(path, truth)


def test_missing_flags_mean_0_and_order_is_kept(tmp_path):
    content = ground_truth({5: [(2, BOX)], 3: [(1, BOX), (3, BOX, 'ignore'), (4, BOX, 'iscrowd')]})
    content['annotations'].reverse()
    read = read_truth(write(tmp_path / 'gt.json', json.loads(json.dumps(content))))
    assert read.lesions.classes.tolist() == [2, 1]
    assert read.lesions.offsets.tolist() == [0, 1, 2]
    assert (read.ignored.classes.tolist(), read.crowds.classes.tolist()) == ([3], [4])
