"""What the tolerant reader makes of broken entries, and what it still refuses."""

import pytest
from checked_sets import coco, image, kinds, lesion, read

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.checking.reading import path_of, read_coco_file, text_of

GOOD = coco([image(1), image('b')], [lesion(1, 1), lesion(2, 'b')])


def test_good_file_comes_as_it_is(tmp_path):
    file = read(tmp_path, GOOD)
    assert file.findings == []
    assert {s: getattr(file, s) for s in ('images', 'annotations', 'categories')} == {
        s: GOOD[s] for s in ('images', 'annotations', 'categories')
    }
    assert (file.name, file.split, file.version_of) == (str(tmp_path / 'a.json'), 'a', None)


@pytest.mark.parametrize(
    'section, key, value, message',
    [
        pytest.param('images', 'id', None, 'id None', id='null id'),
        pytest.param('images', 'id', [1], 'id [1]', id='id no table can hold'),
        pytest.param('images', 'id', True, 'id True', id='a truth value is no number'),
        pytest.param('images', 'file_name', '', "file_name ''", id='no name'),
        pytest.param('images', 'file_name', 'a\0b', 'file_name', id='name with a null byte'),
        pytest.param('images', 'file_name', 7, 'file_name 7', id='a number as name'),
        pytest.param('images', 'width', 0, 'width 0', id='no width'),
        pytest.param('images', 'width', '100', "width '100'", id='width as text'),
        pytest.param('images', 'height', float('nan'), 'height nan', id='height NaN'),
        pytest.param('images', 'height', 80.5, 'height 80.5', id='half a pixel'),
        pytest.param('images', 'height', float('inf'), 'height inf', id='height infinite'),
        pytest.param('images', 'height', -(10**400), 'height -1', id='beyond any float'),
        pytest.param('annotations', 'id', {}, 'id {}', id='annotation id'),
        pytest.param('annotations', 'image_id', [1], 'image_id [1]', id='image_id'),
        pytest.param('annotations', 'category_id', 1.5, 'category_id 1.5', id='category_id'),
        pytest.param('categories', 'name', None, 'name None', id='nameless class'),
    ],
)
def test_a_broken_value_is_noted_and_taken_out(tmp_path, section, key, value, message):
    first, *others = GOOD[section]
    file = read(tmp_path, {**GOOD, section: [{**first, key: value}, *others]})
    assert kinds(file.findings) == ['broken entry']
    said = file.findings[0].message
    assert f'{section}, entry 0: {message}' in said and '; expected a' in said
    entries = getattr(file, section)
    assert entries == [{k: v for k, v in first.items() if k != key}, *others]


def test_all_problems_of_an_entry_are_found_and_its_name_is_told(tmp_path):
    file = read(tmp_path, coco([{'id': 1, 'file_name': 'x.png'}], [{'id': 9}]))
    assert [(f.message.split(';')[0], f.image, f.annotation) for f in file.findings] == [
        ('images, entry 0: no width', 'x.png', ''),
        ('images, entry 0: no height', 'x.png', ''),
        ('annotations, entry 0: no image_id', '', '9'),
        ('annotations, entry 0: no category_id', '', '9'),
    ]


def test_what_is_no_object_is_left_out(tmp_path):
    file = read(tmp_path, coco([image(1), 'b.png', None, [3]]))
    assert kinds(file.findings) == ['broken entry'] * 3
    assert "entry 1: 'b.png', which is no object" in file.findings[0].message
    assert file.images == [image(1)]


def test_whole_sizes_may_be_written_as_floats(tmp_path):
    assert read(tmp_path, coco([image(1, width=100.0)])).findings == []


@pytest.mark.parametrize('section', ['images', 'annotations', 'categories'])
def test_repeated_ids(tmp_path, section):
    first, *others = GOOD[section]
    file = read(tmp_path, {**GOOD, section: [first, *others, first, first]})
    assert kinds(file.findings) == ['id twice'] * 2
    assert f'{section}: id 1 again' in file.findings[0].message
    assert len(getattr(file, section)) == len(others) + 3


@pytest.mark.parametrize(
    'text, message',
    [
        pytest.param('{', 'no JSON', id='cut off'),
        pytest.param('[]', 'a JSON list', id='results'),
        pytest.param('{"images": [], "annotations": []}', 'categories: nothing', id='a list less'),
        pytest.param(
            '{"images": {}, "annotations": [], "categories": []}', 'images: object', id='no list'
        ),
    ],
)
def test_what_is_no_coco_file_is_refused(tmp_path, text, message):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(InputError, match='a.json: found .*' + message):
        read_coco_file(tmp_path / 'a.json')


@pytest.mark.parametrize(
    'info, split, version_of, for_training',
    [
        pytest.param({}, 'a', None, False, id='nothing said'),
        pytest.param(
            {'split': 'train', 'split_sha256': 'f'}, 'train', ('train', 'f'), True, id='ours'
        ),
        pytest.param({'split': 'val'}, 'val', None, False, id='no hash'),
        pytest.param({'split': 3, 'split_sha256': 'f'}, 'a', None, False, id='another use of it'),
    ],
)
def test_the_split_that_a_file_says_it_is(tmp_path, info, split, version_of, for_training):
    file = read(tmp_path, coco([image(1)], **info))
    assert (file.split, file.version_of, file.for_training) == (split, version_of, for_training)


def test_info_may_be_missing_or_anything(tmp_path):
    assert read(tmp_path, {**GOOD, 'info': 'ours'}, 'my_train.json').for_training


@pytest.mark.parametrize(
    'value, text',
    [
        ('p1', 'p1'),
        (' p1 ', 'p1'),
        (7, '7'),
        (7.0, '7'),
        (float('nan'), ''),
        (None, ''),
        ([1], ''),
    ],
)
def test_ids_of_patients_as_text(value, text):
    assert text_of({'patient_id': value}, 'patient_id') == text
    assert text_of({}, 'patient_id') == ''


def test_one_way_to_write_a_path():
    assert path_of({'file_name': './x//y.png'}) == 'x/y.png'
    assert path_of({}) == ''
