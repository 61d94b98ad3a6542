import pytest

from mmdet_liver import taxonomy
from mmdet_liver.errors import InputError
from mmdet_liver.preparation.coco import to_coco
from mmdet_liver.preparation.entries import (
    classes_of,
    dominant_diagnosis,
    fit_boxes,
    group_by_image,
    scale_boxes,
)
from mmdet_liver.preparation.manifest import Record


def lesion(path='a.png', patient='p', diagnosis='HCC', box=(10.0, 20.0, 30.0, 50.0), **columns):
    return Record(path, patient, diagnosis=diagnosis, box=box, **columns)


def test_coco_file_by_hand():
    records = [
        lesion('b.png', '', 'Meta', (0.0, 0.0, 6.8, 3.3), ignore=True, fully_annotated=False),
        Record(
            'c.png', 'p3', 's3', 55, 'F', mm_per_pixel=0.25, fully_annotated=True, cluster_id='C1'
        ),
    ]
    entries = group_by_image(records, 'm')
    sizes, ids = {'b.png': (64, 48), 'c.png': (32, 16)}, {'b.png': 2, 'c.png': 3}
    coco = to_coco(entries, sizes, ids, taxonomy.LIVER, info={'x': 1}, first_annotation_id=5)
    assert coco['info'] == {'x': 1}
    assert coco['images'] == [
        {'id': 2, 'file_name': 'b.png', 'width': 64, 'height': 48, 'fully_annotated': 0},
        {'id': 3, 'file_name': 'c.png', 'width': 32, 'height': 16, 'patient_id': 'p3',
         'study_id': 's3', 'cluster_id': 'C1',
         'age': 55, 'sex': 'F', 'mm_per_pixel': 0.25, 'fully_annotated': 1},
    ]  # fmt: skip
    assert coco['annotations'] == [
        {'id': 5, 'image_id': 2, 'category_id': 4, 'bbox': [0.0, 0.0, 6.8, 3.3],
         'area': 22.44, 'iscrowd': 0, 'ignore': 1}
    ]  # fmt: skip
    assert [(c['id'], c['name'], c['supercategory']) for c in coco['categories']] == [
        (1, 'cyst', 'benign'),
        (2, 'HCC', 'malignant'),
        (3, 'hemangioma', 'benign'),
        (4, 'Meta', 'malignant'),
    ]


def test_grouping_sorts_images_and_keeps_the_order_of_lesions():
    boxes = {'b.png': (5.0, 5.0, 9.0, 9.0), 'a.png': (1.0, 1.0, 2.0, 2.0)}
    rows = [lesion('b.png'), *(lesion(path, box=box) for path, box in boxes.items())]
    entries = group_by_image(rows, 'm')
    assert [e.path for e in entries] == ['a.png', 'b.png']
    assert [x.box[0] for x in entries[1].lesions] == [10, 5]


@pytest.mark.parametrize(
    'second, named',
    [
        pytest.param(lesion(patient='q', diagnosis='Meta'), "patient_id 'q' and 'p'", id='patient'),
        pytest.param(lesion(age=70, diagnosis='Meta'), 'age 70 and None', id='age'),
        pytest.param(lesion(sex='M', diagnosis='Meta'), 'sex', id='sex'),
        pytest.param(Record('a.png', 'p'), 'without a lesion', id='lesion and none'),
        pytest.param(lesion(), 'row 1 again', id='row twice'),
    ],
)
def test_rows_that_contradict_each_other(second, named):
    with pytest.raises(InputError) as error:
        group_by_image([lesion(), second], 'm.csv')
    assert 'm.csv, row 2' in str(error.value) and named in str(error.value)
    assert 'a.png' in str(error.value)


def test_no_rows():
    with pytest.raises(InputError, match='at least one'):
        group_by_image([], 'm.csv')


@pytest.mark.parametrize(
    'diagnoses, expected',
    [
        pytest.param(['HCC', 'cyst'], taxonomy.LIVER, id='liver'),
        pytest.param(['benign'], taxonomy.MALIGNANCY, id='benign alone'),
        pytest.param([], taxonomy.LIVER, id='none'),
    ],
)
def test_classes(diagnoses, expected):
    rows = [Record('a', 'p'), *(lesion(f'{d}.png', diagnosis=d) for d in diagnoses)]
    assert classes_of(group_by_image(rows, 'm'), 'm') == expected


def test_two_kinds_of_diagnoses_are_refused():
    entries = group_by_image([lesion('a'), lesion('b', diagnosis='benign')], 'm')
    with pytest.raises(InputError, match='HCC, benign'):
        classes_of(entries, 'm')


def test_dominant_diagnosis_of_a_group():
    rows = [
        lesion('a', 'p1', 'HCC'),
        lesion('b', 'p1', 'cyst'),
        lesion('c', 'p1', 'cyst'),
        lesion('d', 'p2', 'cyst'),
        lesion('e', 'p2', 'Meta'),
        lesion('f', 'p3', 'HCC', ignore=True),
        Record('g', 'p4'),
    ]
    entries = group_by_image(rows, 'm')
    found = dominant_diagnosis(entries, {e.path: e.image.patient_id for e in entries})
    assert found == {'p1': 'cyst', 'p2': 'Meta', 'p3': '', 'p4': ''}


@pytest.mark.parametrize(
    'box, clip, expected',
    [
        pytest.param((0.0, 0.0, 64.0, 48.0), False, (0, 0, 64, 48), id='just inside'),
        pytest.param((-0.5, 0.0, 65.0, 48.9), False, (0, 0, 64, 48), id='a rounding'),
        pytest.param((-20.0, 3.0, 10.0, 9.0), True, (0, 3, 10, 9), id='cut on demand'),
        pytest.param((-20.0, 3.0, 10.0, 9.0), False, None, id='far outside'),
        pytest.param((10.0, 10.0, 20.0, 49.1), False, None, id='just beyond a rounding'),
        pytest.param((70.0, 3.0, 80.0, 9.0), True, None, id='nothing left'),
        pytest.param((64.0, 3.0, 64.5, 9.0), False, None, id='nothing left of a rounding'),
    ],
)
def test_boxes_at_the_edge(box, clip, expected):
    entry = group_by_image([lesion(box=box)], 'm.csv')[0]
    if expected is not None:
        assert fit_boxes(entry, (64, 48), 'm.csv', clip_boxes=clip).lesions[0].box == expected
        return
    with pytest.raises(InputError) as error:
        fit_boxes(entry, (64, 48), 'm.csv', clip_boxes=clip)
    assert 'm.csv, image a.png' in str(error.value) and '64x48' in str(error.value)


def test_scaling_takes_boxes_and_millimetres_along():
    entry = group_by_image([lesion(mm_per_pixel=0.2)], 'm')[0]
    scaled = scale_boxes(entry, (640, 481), (160, 120))
    y_scale = 120 / 481
    expected = (2.5, 20 * y_scale, 7.5, 50 * y_scale)
    assert scaled.lesions[0].box == pytest.approx(expected, abs=1e-3)
    assert (scaled.image.mm_per_pixel, scaled.lesions[0].mm_per_pixel) == (0.8, 0.8)
