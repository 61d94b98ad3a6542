"""One wrong value among good ones is named, wherever it stands, and nothing else is."""

import json

import pytest
from coco_cases import ground_truth, write
from hypothesis import given
from hypothesis import strategies as st
from test_scoring import PROPERTY

from mmdet_liver import coco_files
from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.detection_files import read_detections, read_truth, to_detections

NAN, INFINITE = float('nan'), float('inf')
BOX = [1, 2, 3, 4]
GOOD = {'image_id': 1, 'category_id': 2, 'bbox': BOX, 'score': 0.5}
WRONG = [
    *[('image_id', v) for v in (99, '1', None, True, [1], {}, 1.5, NAN)],
    *[('category_id', v) for v in (0, 5, '2', None, True, [2])],
    *[('score', v) for v in (-1e-6, 1.000001, 2, NAN, INFINITE, -INFINITE, '0.5', None)],
    *[('score', v) for v in (True, False, [0.5], {}, 10**400)],
    *[('bbox', v) for v in (None, 7, 'abcd', {}, [], [1, 2, 3], [1, 2, 3, 4, 5], [BOX])],
    *[('bbox', [*BOX[:k], v, *BOX[k + 1 :]]) for k in (0, 3) for v in (NAN, INFINITE, '1', True)],
    *[('bbox', [1, 2, v, 4]) for v in (-1, -1e-9, None, 1e200, 10**400, 2**70 * 1.0e90)],
]


@pytest.fixture(scope='module')
def truth(tmp_path_factory):
    path = tmp_path_factory.mktemp('truth') / 'gt.json'
    return read_truth(write(path, ground_truth({1: [(1, BOX)], 2: []})))


@PROPERTY
@given(
    entry=st.integers(0, 6),
    wrong=st.sampled_from(WRONG),
    part=st.sampled_from([1, 50, 1 << 20]),
    indent=st.sampled_from([None, 1]),
)
def test_wrong_results_are_named(tmp_path, truth, entry, wrong, part, indent):
    key, value = wrong
    entries = [{**GOOD, **({key: value} if i == entry else {})} for i in range(7)]
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(entries, indent=indent))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(InputError) as from_file:
        patch.setattr(coco_files, '_PART', part)
        read_detections(path, truth)
    with pytest.raises(InputError) as in_memory:
        to_detections(entries, truth, path)
    for caught in (from_file, in_memory):
        message = str(caught.value)
        assert message.startswith(f'{path}, entry {entry}: found {key} ')
        assert '\n' not in message


@pytest.mark.parametrize('key, value', [w for w in WRONG if w[0] != 'score'])
def test_wrong_annotations_are_named(tmp_path, key, value):
    content = ground_truth({1: [(1, BOX)] * 3, 2: []})
    content['annotations'][1][key] = value
    path = write(tmp_path / 'gt.json', content)
    with pytest.raises(InputError, match=f'annotations, entry 1: found {key} '):
        read_truth(path)


@pytest.mark.parametrize('value', [True, None, 1.5, [1], 2])
def test_wrong_image_ids_are_named(tmp_path, value):
    content = ground_truth({1: [], 2: [], 3: []})
    content['images'][2]['id'] = value
    with pytest.raises(InputError, match='images, entry 2: found id '):
        read_truth(write(tmp_path / 'gt.json', content))


@pytest.mark.parametrize('number', [0, 1, 0.25, 2**63, 1e-300])
def test_whole_numbers_are_numbers(tmp_path, truth, number):
    entries = [{**GOOD, 'bbox': [0, 0.5, number, 1]}, GOOD, {**GOOD, 'score': 1}]
    found = to_detections(entries, truth, 'results')
    assert found.boxes[0].tolist() == [0, 0.5, number, 1.5]
    assert found.scores.tolist() == [0.5, 0.5, 1]


TEXT = st.text(alphabet='ab"\\{}[], \n肝')
VALUE = st.recursive(
    st.none() | st.integers(0, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUE, max_size=3), max_size=8)
LAYOUT = st.sampled_from([{}, {'indent': 2}, {'separators': (',', ':')}, {'ensure_ascii': False}])


def joined(path, part):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coco_files, '_PART', part)
        parts = list(coco_files.read_json_in_parts(path, 'results'))
    if all(isinstance(p, list) for p in parts):
        return [entry for p in parts for entry in p]
    assert len(parts) == 1
    return parts[0]


@PROPERTY
@given(OBJECTS | VALUE, LAYOUT, st.integers(1, 40))
def test_parts_together_are_the_whole(tmp_path, content, layout, part):
    path = tmp_path / 'list.json'
    path.write_text(json.dumps(content, **layout), encoding='utf-8')
    assert joined(path, part) == content


@PROPERTY
@given(OBJECTS, st.integers(1, 40), st.integers(0, 60), st.binary(max_size=2))
def test_broken_files_give_the_same_error_or_content(tmp_path, content, part, place, bytes_):
    path = tmp_path / 'list.json'
    whole = json.dumps(content).encode()
    path.write_bytes(whole[:place] + bytes_ + whole[place + 1 :])

    def outcome(read):
        try:
            return read()
        except InputError as error:
            return str(error)

    as_whole = outcome(lambda: coco_files.read_json(path, 'results'))
    assert outcome(lambda: joined(path, part)) == as_whole


def test_a_list_is_really_read_in_parts(tmp_path, monkeypatch):
    path = write(tmp_path / 'list.json', [GOOD] * 50)
    monkeypatch.setattr(coco_files, '_PART', 200)
    monkeypatch.setattr(coco_files, 'read_json', None)
    parts = list(coco_files.read_json_in_parts(path, 'results'))
    assert len(parts) > 2
    assert sum(map(len, parts)) == 50


@pytest.mark.parametrize('part', [200, 1000, 3000])
@pytest.mark.parametrize(
    'trap', [{'text': '},{' * 2000}, {'list': [{}] * 2000}], ids=['text', 'nested list']
)
def test_a_wrong_cut_is_noticed(tmp_path, part, trap):
    entries = [{**GOOD, 'number': i} for i in range(100)]
    entries = [*entries, trap, *entries]
    path = tmp_path / 'list.json'
    path.write_text(json.dumps(entries, separators=(',', ':')))
    assert joined(path, part) == entries


def test_numbers_too_long_to_read_are_no_json(tmp_path, truth):
    path = tmp_path / 'r.json'
    path.write_text('[{"image_id": ' + '1' * 5000 + '}]')
    with pytest.raises(InputError, match='r.json: found no JSON'):
        read_detections(path, truth)
