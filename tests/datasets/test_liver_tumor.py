"""The data set against COCO files written by hand."""

import json

import pytest

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets import LiverTumorDataset  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402

# Another order and other ids than METAINFO's: labels must follow the names.
CATEGORIES = [
    {'id': 7, 'name': 'Meta'},
    {'id': 3, 'name': 'hemangioma'},
    {'id': 9, 'name': 'cyst'},
    {'id': 5, 'name': 'HCC'},
]


def annotation(box, category=9, **extra):
    area = box[2] * box[3]
    return {'bbox': box, 'category_id': category, 'area': area, 'iscrowd': 0, **extra}


def write_coco(folder, annotations=(), categories=CATEGORIES, images=None):
    images = images or [
        {
            **{'id': 11, 'file_name': 'a.png', 'width': 100, 'height': 80},
            **{'patient_id': 'p1', 'study_id': 's1', 'age': 70},
        },
        {'id': 12, 'file_name': 'b.png', 'width': 100, 'height': 80},
    ]
    annotations = [{'id': i, 'image_id': 11, **a} for i, a in enumerate(annotations, start=1)]
    content = {'images': images, 'annotations': annotations, 'categories': categories}
    path = folder / 'annotations.json'
    path.write_text(json.dumps(content))
    return path


def build(path, **kwargs):
    return LiverTumorDataset(
        ann_file=str(path), data_prefix={'img': 'images/'}, pipeline=[], **kwargs
    )


def test_labels_follow_the_names_not_the_order_of_the_file(tmp_path):
    path = write_coco(tmp_path, [annotation([1, 2, 3, 4], c) for c in (9, 5, 3, 7)])
    instances = build(path).get_data_info(0)['instances']
    assert [i['bbox_label'] for i in instances] == [0, 1, 2, 3]
    assert instances[0]['bbox'] == [1, 2, 4, 6]


def test_lesion_free_image_is_kept(tmp_path):
    dataset = build(write_coco(tmp_path, [annotation([1, 2, 3, 4])]))
    assert [len(dataset.get_data_info(i)['instances']) for i in range(len(dataset))] == [1, 0]


def test_lesion_free_image_goes_when_asked(tmp_path):
    path = write_coco(tmp_path, [annotation([1, 2, 3, 4])])
    both = [
        build(path, filter_cfg={'filter_empty_gt': True}, single_class=single)
        for single in (False, True)
    ]
    assert [len(dataset) for dataset in both] == [1, 1]


@pytest.mark.parametrize(
    'marks, flag',
    [
        pytest.param({}, 0, id='lesion'),
        pytest.param({'ignore': 1}, 1, id='ignore'),
        pytest.param({'iscrowd': 1}, 1, id='crowd'),
    ],
)
def test_ignored_annotations_are_kept_as_ignored(tmp_path, marks, flag):
    path = write_coco(tmp_path, [annotation([1, 2, 3, 4], **marks)])
    assert [i['ignore_flag'] for i in build(path).get_data_info(0)['instances']] == [flag]


def test_box_under_one_pixel_is_kept(tmp_path):
    path = write_coco(tmp_path, [annotation([1, 2, 0.5, 0.5])])
    assert build(path).get_data_info(0)['instances'][0]['bbox'] == [1, 2, 1.5, 2.5]


def test_single_class_merges_all_into_tumor(tmp_path):
    path = write_coco(tmp_path, [annotation([1, 2, 3, 4], c) for c in (9, 5, 3, 7)])
    dataset = build(path, single_class=True)
    assert dataset.metainfo['classes'] == ('tumor',)
    assert {i['bbox_label'] for i in dataset.get_data_info(0)['instances']} == {0}


def test_patient_fields_are_in_the_data_info(tmp_path):
    info = build(write_coco(tmp_path)).get_data_info(0)
    assert (info['patient_id'], info['study_id'], info['age']) == ('p1', 's1', 70)
    assert info['sex'] is None


def test_other_classes_by_metainfo(tmp_path):
    categories = [{'id': 1, 'name': 'benign'}, {'id': 2, 'name': 'malignant'}]
    path = write_coco(tmp_path, [annotation([1, 2, 3, 4], 2)], categories)
    dataset = build(path, metainfo={'classes': ('benign', 'malignant')})
    assert dataset.get_data_info(0)['instances'][0]['bbox_label'] == 1


@pytest.mark.parametrize('single_class', [False, True])
def test_palette_alone_keeps_the_four_classes(tmp_path, single_class):
    path = write_coco(tmp_path, [annotation([1, 2, 3, 4], 7)])
    dataset = build(path, metainfo={'palette': [(0, 0, 0)] * 4}, single_class=single_class)
    assert dataset.metainfo['classes'] == (
        ('tumor',) if single_class else ('cyst', 'HCC', 'hemangioma', 'Meta')
    )
    assert dataset.get_data_info(0)['instances'][0]['bbox_label'] == (0 if single_class else 3)


def test_part_of_the_classes_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(InputError, match='name all categories of the file, and no others'):
        build(write_coco(tmp_path), metainfo={'classes': ('HCC', 'Meta')})


def test_classes_from_a_file(tmp_path):
    (tmp_path / 'classes.txt').write_text('Meta\nHCC\ncyst\nhemangioma')
    path = write_coco(tmp_path, [annotation([1, 2, 3, 4], 7)])
    dataset = build(path, metainfo={'classes': str(tmp_path / 'classes.txt')})
    assert dataset.get_data_info(0)['instances'][0]['bbox_label'] == 0


@pytest.mark.parametrize(
    'annotations, categories, words',
    [
        pytest.param(
            [annotation([1, 2, 0, 4])], CATEGORIES, ['annotation 1', 'a.png'], id='no area'
        ),
        pytest.param(
            [annotation([1, 2, float('nan'), 4])], CATEGORIES, ['annotation 1', 'nan'], id='NaN'
        ),
        pytest.param(
            [{**annotation([1, 2, 3, 4]), 'bbox': [1, 2, 3]}], CATEGORIES, ['[1, 2, 3]'], id='three'
        ),
        pytest.param(
            [annotation([1, 2, 3, 4], id=1)] * 2, CATEGORIES, ['id 1 again'], id='the same id twice'
        ),
        pytest.param(
            [annotation([1, 2, 3, 4], image_id=99)], CATEGORIES, ['image_id 99'], id='image id'
        ),
        pytest.param([annotation([200, 2, 3, 4])], CATEGORIES, ['100x80'], id='outside'),
        pytest.param(
            [annotation([1, 2, 3, 4], 99)], CATEGORIES, ['99', '[3, 5, 7, 9]'], id='category id'
        ),
        pytest.param(
            [], [{'id': 1, 'name': 'abscess'}], ['abscess', 'cyst, HCC'], id='unknown diagnosis'
        ),
        pytest.param([], CATEGORIES[:3], ['metainfo'], id='a class without category'),
    ],
)
def test_bad_annotation_is_one_clear_line(tmp_path, annotations, categories, words):
    path = write_coco(tmp_path, annotations, categories)
    with pytest.raises(InputError) as error:
        build(path)
    message = str(error.value)
    assert str(path) in message and '\n' not in message
    assert all(word in message for word in words)


@pytest.mark.parametrize(
    'text, word',
    [
        pytest.param('{"images": [', 'no JSON', id='cut off'),
        pytest.param('[]', 'a JSON list', id='results instead of ground truth'),
        pytest.param('{"images": [], "annotations": [], "categories": []}', 'no images', id='none'),
        pytest.param(None, 'no such file', id='missing'),
    ],
)
def test_bad_file_is_one_clear_line(tmp_path, text, word):
    path = tmp_path / 'annotations.json'
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=word) as error:
        build(path)
    assert str(path) in str(error.value)
