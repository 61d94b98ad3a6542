"""Boxes and classes: each kind of problem, and what is no problem."""

import pytest
from checked_sets import CATEGORIES, coco, image, kinds, lesion, read

from mmdet_liver.preparation.checking.annotations import (
    box_problem,
    check_annotations,
    check_classes,
    check_images_listed,
)

INF, NAN = float('inf'), float('nan')


@pytest.mark.parametrize(
    'box, kind',
    [
        pytest.param([10, 20, 30, 40], None, id='inside'),
        pytest.param([0, 0, 100, 72], None, id='nine tenths of the image'),
        pytest.param([0, 0, 100, 72.1], 'box of the whole image', id='more than nine tenths'),
        pytest.param([60.5, 50.5, 40.4, 30.3], None, id='a rounding outside'),
        pytest.param([60, 50, 41, 31], None, id='one pixel outside'),
        pytest.param([60, 50, 41.01, 20], 'box outside', id='right'),
        pytest.param([60, 50, 20, 31.01], 'box outside', id='bottom'),
        pytest.param([-1.01, 0, 20, 20], 'box outside', id='left'),
        pytest.param([0, -1.01, 20, 20], 'box outside', id='top'),
        pytest.param([100, 10, 0.5, 5], 'box outside', id='wholly in the last half pixel beyond'),
        pytest.param([200, 200, 5, 5], 'box outside', id='far away'),
        pytest.param([10, 10, 0, 5], 'box without area', id='no width'),
        pytest.param([10, 10, 5, 0.0], 'box without area', id='no height'),
        pytest.param([10, 10, -5, 5], 'box without area', id='negative width'),
        pytest.param([10, 10, -5, -5], 'box without area', id='two negatives make no area'),
        pytest.param([10, NAN, 5, 5], 'box not finite', id='NaN'),
        pytest.param([10, 10, INF, 5], 'box not finite', id='infinity'),
        pytest.param([10, 10, 10**400, 5], 'box not finite', id='beyond any float'),
        pytest.param([10, 10, 5], 'no box', id='three numbers'),
        pytest.param([10, 10, 5, 5, 0.9], 'no box', id='five numbers'),
        pytest.param([10, 10, 5, '5'], 'no box', id='a text'),
        pytest.param([10, 10, 5, None], 'no box', id='null'),
        pytest.param([10, 10, 5, True], 'no box', id='a truth value'),
        pytest.param([[10, 10, 5, 5]], 'no box', id='a list of one'),
        pytest.param({'x': 1}, 'no box', id='an object'),
        pytest.param(None, 'no box', id='nothing'),
    ],
)
def test_a_box_in_an_image_of_100x80(box, kind):
    problem = box_problem(box, (100, 80))
    assert (problem and problem[0]) == kind


def test_a_box_in_an_image_of_unknown_size():
    assert box_problem([500, 500, 10, 10], (None, 80)) is None
    assert box_problem([500, 500, 10, 0], (None, None))[0] == 'box without area'


@pytest.mark.parametrize(
    'box, hint',
    [
        pytest.param([40, 40, 90, 70], True, id='corners inside'),
        pytest.param([40, 40, 90, 81], False, id='corners outside too'),
        pytest.param([95, 40, 90, 70], False, id='corners in the wrong order'),
    ],
)
def test_corners_taken_for_sizes_are_guessed(box, hint):
    _, message = box_problem(box, (100, 80))
    assert ('xyxy' in message) == hint


def test_findings_name_image_and_annotation(tmp_path):
    file = read(tmp_path, coco([image(1), image(2)], [lesion(7, 2, (90, 0, 30, 10))]))
    (found,) = check_annotations(file)
    assert (found.kind, found.image, found.annotation) == ('box outside', '2.png', '7')
    assert found.message == '[x, y, width, height] = [90, 0, 30, 10] in an image of 100x80 pixels'


def test_annotations_of_what_is_not_there(tmp_path):
    annotations = [lesion(1, 5), lesion(2, 1, category_id=9), lesion(3, '1', category_id='2')]
    found = list(check_annotations(read(tmp_path, coco([image(1)], annotations))))
    assert kinds(found) == [
        'unknown image',
        'unknown category',
        'unknown image',  # 1 and '1' are two ids
        'unknown category',
    ]
    assert [f.message for f in found[:2]] == ['image_id 5', 'category_id 9']


def test_a_broken_reference_is_not_told_twice(tmp_path):
    file = read(tmp_path, coco([image(1)], [lesion(1, None), lesion(2, 1, category_id=[2])]))
    assert kinds(file.findings) == ['broken entry'] * 2
    assert list(check_annotations(file)) == []


@pytest.mark.parametrize(
    'second, expected',
    [
        pytest.param(lesion(2, 1), ['equal boxes'], id='the same again'),
        pytest.param(lesion(2, 1, (10.0, 20, 30, 40)), ['equal boxes'], id='as floats'),
        pytest.param(lesion(2, 1, category_id=4), ['equal boxes'], id='of another class'),
        pytest.param(lesion(2, 2), [], id='on another image'),
        pytest.param(lesion(2, 1, (10, 20, 30, 41)), [], id='a pixel larger'),
    ],
)
def test_equal_boxes(tmp_path, second, expected):
    file = read(tmp_path, coco([image(1), image(2)], [lesion(1, 1), second]))
    found = list(check_annotations(file))
    assert kinds(found) == expected
    if found:
        assert found[0].severity == 'warning' and 'annotation 1 (HCC)' in found[0].message


@pytest.mark.parametrize(
    'images, expected',
    [
        pytest.param([image(1), image(2)], [], id='two'),
        pytest.param([], ['no images'], id='none'),
        pytest.param([image(1), image(2, file_name='1.png')], ['image named twice'], id='twice'),
        pytest.param(
            [image(1), image(2, file_name='./1.png')], ['image named twice'], id='written twice'
        ),
        pytest.param([image(1, file_name=None), image(2, file_name=None)], [], id='nameless'),
    ],
)
def test_images_listed(tmp_path, images, expected):
    assert kinds(check_images_listed(read(tmp_path, coco(images)))) == expected


def category(number, name, supercategory='malignant'):
    return {'id': number, 'name': name, 'supercategory': supercategory}


@pytest.mark.parametrize(
    'categories, expected',
    [
        pytest.param(CATEGORIES, [], id='ours'),
        pytest.param(
            [category(1, 'benign', 'benign'), category(2, 'malignant')], [], id='malignancy only'
        ),
        pytest.param([{'id': 1, 'name': 'tumor'}], [], id='the 1-class task'),
        pytest.param([], ['no categories'], id='none'),
        pytest.param([category(1, 'hcc')], ['unknown class'], id='another spelling'),
        pytest.param(
            [category(1, 'FNH', 'none')], ['unknown class', 'wrong supercategory'], id='foreign'
        ),
        pytest.param([category(1, 'HCC', 'benign')], ['wrong supercategory'], id='contradiction'),
        pytest.param([{'id': 1, 'name': 'HCC'}], ['wrong supercategory'], id='no supercategory'),
        pytest.param(
            [category(1, 'HCC'), category(2, 'HCC')], ['class named twice'], id='named twice'
        ),
    ],
)
def test_classes_of_one_file(tmp_path, categories, expected):
    file = read(tmp_path, coco([image(1)], categories=categories))
    assert kinds(check_classes([file])) == expected


def test_ids_of_a_class_must_be_the_same_in_every_file(tmp_path):
    both = [category(1, 'HCC'), category(2, 'Meta')]
    turned = [category(2, 'HCC'), category(1, 'Meta')]
    files = [
        read(tmp_path, coco([image(1)], categories=c), name)
        for name, c in (('a.json', both), ('b.json', both[1:]), ('c.json', turned))
    ]
    assert list(check_classes(files[:2])) == []
    found = list(check_classes(files))
    assert [(f.kind, f.file) for f in found] == [('class ids differ', files[2].name)] * 2
    assert found[0].message == f"'HCC' has id 2 here and 1 in {files[0].name}"
