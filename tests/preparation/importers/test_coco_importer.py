import json

import cv2
import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.coco_file import import_coco
from mmdet_liver.preparation.importers.vocabulary import parse_vocabulary
from mmdet_liver.preparation.manifest import Record

CATEGORIES = [
    {'id': 7, 'name': 'hcc'},
    {'id': 3, 'name': 'cyst'},
    {'id': 5, 'name': 'gallstone'},
    {'id': 9, 'name': 'never used'},
]
ONLY_OURS = parse_vocabulary(['diagnosis:gallstone='])


def image(i, name, **more):
    return {'id': i, 'file_name': name, 'width': 60, 'height': 40, **more}


def box(image_id, category_id, bbox, **more):
    return {'image_id': image_id, 'category_id': category_id, 'bbox': bbox, **more}


@pytest.fixture
def folder(tmp_path):
    for name in ('a.png', 'sub/b.png', 'c.png'):
        (tmp_path / 'in' / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / 'in' / name), np.zeros((40, 60), np.uint8))
    return tmp_path / 'in'


def read(folder, images, annotations, words=ONLY_OURS, more=(), **options):
    contents = [(images, annotations), *more]
    paths = [folder.parent / f'{i}.json' for i in range(len(contents))]
    for path, (some_images, some) in zip(paths, contents, strict=True):
        content = {'images': some_images, 'annotations': some, 'categories': CATEGORIES}
        path.write_text(json.dumps(content))
    return import_coco(folder, paths, words, **options)


def test_images_and_annotations_become_records(folder):
    meta = {
        'patient_id': 12,
        'study_id': 's',
        'age': 45,
        'sex': 'male',
        'mm_per_pixel': 0.5,
        'fully_annotated': 1,
        'photographer': 'nobody',
    }
    images = [image('x', 'a.png', **meta), image('y', 'sub\\b.png')]
    annotations = [
        box('x', 7, [1, 2, 3.3, 6.8]),
        box('x', 3, [0.1, 0, 0.2, 1], iscrowd=1),
        box('x', 3, [0, 0, 5, 5], iscrowd=0, ignore=1),
        box('x', 5, [9, 9, 1, 1]),
        box('y', 5, [9, 9, 1, 1]),
    ]
    found = read(folder, images, annotations)
    a = Record('a.png', '12', 's', 45, 'M', mm_per_pixel=0.5, fully_annotated=True)
    boxes = [(1, 2, 4.3, 8.8), (0.1, 0, 0.3, 1), (0, 0, 5, 5)]
    assert [(r.image_path, r.diagnosis, r.box, r.ignore) for r in found.records] == [
        ('a.png', 'HCC', boxes[0], False),
        ('a.png', 'cyst', boxes[1], True),
        ('a.png', 'cyst', boxes[2], True),
        ('sub/b.png', None, None, False),
    ]
    first = found.records[0]
    assert (first.patient_id, first.study_id, first.age, first.sex) == ('12', 's', 45, 'M')
    assert (first.mm_per_pixel, first.fully_annotated) == (a.mm_per_pixel, True)
    assert found.records[3] == Record('sub/b.png')
    assert [d.image_path for d in found.decisions] == ['c.png']


def test_several_files_are_put_together(folder):
    images = [image(1, 'a.png'), image(2, 'c.png')]
    truth = [image(5, 'c.png'), image(6, 'a.png')]
    found = read(
        folder,
        images,
        [box(1, 7, [1, 1, 2, 2])],
        more=[(truth, [box(6, 7, [1, 1, 2, 2]), box(5, 3, [0, 0, 9, 9])])],
        include_unlisted=True,
    )
    assert {(r.image_path, r.diagnosis, r.fully_annotated) for r in found.records} == {
        ('a.png', 'HCC', None), ('c.png', 'cyst', None), ('sub/b.png', None, False)
    }  # fmt: skip
    assert [(d.image_path, d.action, d.value) for d in found.decisions] == [('a.png', 'flagged', 1)]


def test_images_of_a_dropped_diagnosis_are_left_out(folder):
    words = parse_vocabulary([], ['Gallstone'])
    images = [image(1, 'a.png'), image(2, 'c.png')]
    found = read(folder, images, [box(1, 7, [1, 1, 2, 2]), box(1, 5, [1, 1, 2, 2])], words)
    assert [r.image_path for r in found.records] == ['c.png']
    assert [d.image_path for d in found.decisions] == ['a.png', 'sub/b.png']


ONE = [image(1, 'a.png')]


@pytest.mark.parametrize(
    'images, annotations, named',
    [
        pytest.param(ONE, [box(1, 5, [0, 0, 1, 1])] * 2, "1 unknown: 'gallstone' (2x)", id='word'),
        pytest.param([image(1, 'd.png')], [], "images, entry 0: found no image 'd.png'", id='gone'),
        pytest.param([image(1, '../a.png')], [], "found the path '../a.png'", id='way out'),
        pytest.param([image(1, 'a.png', height=41)], [], '60x40 pixels, but 60x41', id='size'),
        pytest.param([image(1, 'a.png', sex='?')], [], 'images, sex: found 1 unknown', id='sex'),
        pytest.param([image(1, 'a.png', age=[1])], [], 'images, age: found 1 unknown', id='age'),
        pytest.param(ONE, [box(1, 7, [0, 0, 0, 1])], 'annotations, entry 0', id='no width'),
        pytest.param(ONE, [box(1, 7, [0, 0, 1])], 'the bbox [0, 0, 1]', id='three numbers'),
        pytest.param(ONE, [box(1, 7, [0, 0, 1, float('nan')])], 'the bbox', id='NaN'),
        pytest.param(ONE, [box(1, 7, '0011')], 'the bbox 0011', id='text'),
        pytest.param(ONE, [box(2, 7, [0, 0, 1, 1])], 'image_id 2', id='unknown image'),
        pytest.param([{'id': 1}], [], "no 'file_name'", id='no file name'),
    ],
)
def test_bad_file_is_one_line(folder, images, annotations, named):
    with pytest.raises(InputError) as error:
        read(folder, images, annotations, parse_vocabulary())
    assert named in str(error.value) and '\n' not in str(error.value)


def test_damaged_image_is_left_to_the_cleansing(folder):
    (folder / 'a.png').write_bytes(b'\x89PNG')
    assert [r.image_path for r in read(folder, ONE, []).records] == ['a.png']
