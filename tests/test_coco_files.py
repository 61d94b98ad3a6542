"""What every reader of COCO files refuses."""

import json

import pytest

from mmdet_liver.coco_files import read_coco, read_images
from mmdet_liver.errors import InputError

GOOD = {
    'images': [{'id': 1, 'file_name': 'a.png'}, {'id': 'b', 'file_name': 'b.png'}],
    'annotations': [
        {'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': [1, 2, 3, 4]},
        {'id': 2, 'image_id': 'b', 'category_id': 2, 'bbox': [1, 2, 3, 4]},
    ],
    'categories': [{'id': 1, 'name': 'cyst'}, {'id': 2, 'name': 'HCC'}],
}


def write(folder, content):
    (folder / 'coco.json').write_text(json.dumps(content))
    return folder / 'coco.json'


def without(section, key):
    first, second = GOOD[section]
    return {**GOOD, section: [first, {k: v for k, v in second.items() if k != key}]}


def changed(section, **values):
    first, second = GOOD[section]
    return {**GOOD, section: [first, {**second, **values}]}


def test_good_file_comes_as_it_is(tmp_path):
    path = write(tmp_path, {**GOOD, 'info': {}})
    assert read_coco(path) == GOOD
    assert read_images(path) == GOOD['images']


def test_no_annotations_are_no_error(tmp_path):
    assert read_coco(write(tmp_path, {**GOOD, 'annotations': []}))['annotations'] == []


def test_images_alone_suffice_for_pretraining(tmp_path):
    assert read_images(write(tmp_path, {'images': GOOD['images']})) == GOOD['images']


@pytest.mark.parametrize(
    'content, words',
    [
        pytest.param([], 'a JSON list', id='results'),
        pytest.param({}, "no 'images'", id='empty object'),
        pytest.param({**GOOD, 'categories': {}}, 'categories as a JSON object', id='an object'),
        pytest.param({**GOOD, 'images': []}, 'no images', id='no images'),
        pytest.param({**GOOD, 'categories': []}, 'no categories', id='no categories'),
        *(
            pytest.param(without(section, key), f"{section}, entry 1: found no '{key}'")
            for section, keys in {
                'images': ['id'],
                'annotations': ['image_id', 'category_id', 'bbox'],
                'categories': ['id', 'name'],
            }.items()
            for key in keys
        ),
        pytest.param(
            {**GOOD, 'annotations': [7]}, 'annotations, entry 0: found a JSON number', id='number'
        ),
        pytest.param(changed('images', id=1), 'images, entry 1: found id 1 again', id='image'),
        pytest.param(changed('images', id=1.5), 'entry 1: found id 1.5', id='fraction as id'),
        pytest.param(changed('categories', id=1), 'categories, entry 1: found id 1', id='category'),
        pytest.param(
            changed('annotations', image_id=2), "entry 1: found image_id 2; expected .*1, 'b'"
        ),
        pytest.param(changed('annotations', image_id=[1]), r'found image_id \[1\]', id='list'),
        pytest.param(
            changed('annotations', category_id=3), r'found category_id 3; expected one of \[1, 2\]'
        ),
    ],
)
def test_bad_file_is_one_clear_line(tmp_path, content, words):
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=words) as error:
        read_coco(path)
    assert str(error.value).startswith(str(path)) and '\n' not in str(error.value)


@pytest.mark.parametrize('read', [read_coco, read_images])
@pytest.mark.parametrize(
    'content, words',
    [
        pytest.param(None, 'no such file', id='missing'),
        pytest.param(b'{"images": [', 'no JSON', id='cut off'),
        pytest.param('["肝"]'.encode('shift-jis'), 'no JSON', id='not UTF-8'),
    ],
)
def test_unreadable_file_is_named(tmp_path, read, content, words):
    if content is not None:
        (tmp_path / 'coco.json').write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read(tmp_path / 'coco.json')
    assert '\n' not in str(error.value)
