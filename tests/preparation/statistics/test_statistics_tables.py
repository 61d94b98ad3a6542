import numpy as np
import pytest
from report_cases import coco, save

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.statistics.tables import read_tables

BOX = (20, 10, 60, 30)
P1 = {'patient_id': 'p1', 'age': 60, 'sex': 'F', 'mm_per_pixel': 0.5}


@pytest.fixture
def tables(tmp_path):
    train = coco(
        ('b.png', P1, [('Meta', BOX), ('cyst', (0, 0, 10, 10), 'ignore')]),
        ('a.png', {'patient_id': 'p2', 'sex': ''}, []),
        info={'split': 'train', 'version': '0.1.0', 'split_sha256': 'abc'},
    )
    # Other ids for other categories: classes go by name.
    val = coco(
        ('c.png', P1, [('Meta', (0, 0, 100, 50)), ('abscess', (5, 5, 15, 10))]),
        names=('Meta', 'abscess'),
    )
    paths = [save(tmp_path / 'train.json', train), save(tmp_path / 'other.json', val)]
    return read_tables(paths)


def test_columns(tables):
    images, lesions = tables.images, tables.lesions
    assert tables.classes == ('cyst', 'HCC', 'hemangioma', 'Meta', 'abscess')
    assert images.names == ('b.png', 'a.png', 'c.png')
    assert images.source.tolist() == [0, 0, 1]
    assert images.sizes.tolist() == [[200, 100]] * 3
    assert images.sexes.tolist() == ['F', '', 'F']
    assert images.patient.tolist() == [0, 1, 0] and tables.patients == ('p1', 'p2')
    np.testing.assert_array_equal(images.ages, [60, np.nan, 60])
    assert images.annotations.tolist() == [2, 0, 2]
    assert lesions.image.tolist() == [0, 2, 2]
    assert [tables.classes[i] for i in lesions.label] == ['Meta', 'Meta', 'abscess']
    assert lesions.boxes.tolist() == [[20, 10, 60, 30], [0, 0, 100, 50], [5, 5, 15, 10]]


def test_measures(tables):
    # 40 x 20, 100 x 50 and 10 x 5 pixels of 200 x 100.
    assert tables.box_shares().tolist() == [0.04, 0.25, 0.0025]
    assert tables.aspect_ratios().tolist() == [2, 2, 2]
    assert tables.longer_sides_mm().tolist() == [20, 50, 5]
    assert tables.lesions_per_image().tolist() == [1, 0, 2]
    assert tables.free().tolist() == [False, True, False]


def test_box_without_area_and_unknown_scale(tmp_path):
    content = coco(('a.png', {}, [('cyst', (5, 5, 5, 20)), ('HCC', (5, 5, 20, 5))]))
    tables = read_tables([save(tmp_path / 'a.json', content)])
    assert np.isnan(tables.aspect_ratios()).all() and np.isnan(tables.longer_sides_mm()).all()
    assert tables.images.patient.tolist() == [-1]


def test_an_ignored_lesion_alone_does_not_make_an_image_lesion_free(tmp_path):
    content = coco(
        ('a.png', {}, [('cyst', BOX, 'ignore')]), ('b.png', {}, [('HCC', BOX, 'iscrowd')])
    )
    tables = read_tables([save(tmp_path / 'a.json', content)])
    assert tables.lesions_per_image().tolist() == [0, 0]
    assert tables.free().tolist() == [False, False]


@pytest.mark.parametrize(
    'files, expected',
    [
        pytest.param({'x/a.json': 'train', 'x/b.json': 'val'}, ['train', 'val'], id='info'),
        pytest.param({'x/a.json': None, 'x/b.json': None}, ['a', 'b'], id='file names'),
        pytest.param(
            {'x/test.json': 'test', 'x/test_truth.json': 'test'},
            ['test', 'test_truth'],
            id='two versions of a split',
        ),
        pytest.param({'x/a.json': None, 'y/a.json': None}, ['file 1', 'file 2'], id='same names'),
    ],
)
def test_names_of_the_splits(tmp_path, files, expected):
    paths = [
        save(tmp_path / path, coco(('a.png', {}, []), info=split and {'split': split}))
        for path, split in files.items()
    ]
    assert [source.split for source in read_tables(paths).sources] == expected


@pytest.mark.parametrize(
    'columns, found',
    [
        pytest.param({'width': 0}, 'width 0', id='no width'),
        pytest.param({'height': None}, 'height None', id='height unknown'),
        pytest.param({'age': '60'}, "age '60'", id='age as a text'),
        pytest.param({'age': -1}, 'age -1', id='age below 0'),
        pytest.param({'age': True}, 'age True', id='age as a boolean'),
        pytest.param({'age': float('nan')}, 'age nan', id='age NaN'),
        pytest.param({'age': float('inf')}, 'age inf', id='age infinite'),
        pytest.param({'sex': 'male'}, "sex 'male'", id='sex in words'),
        pytest.param({'sex': ['M']}, r"sex \['M'\]", id='sex as a list'),
        pytest.param({'mm_per_pixel': 0}, 'mm_per_pixel 0', id='scale 0'),
        pytest.param({'patient_id': [1]}, r'patient_id \[1\]', id='patient as a list'),
    ],
)
def test_bad_columns_are_named(tmp_path, columns, found):
    path = save(tmp_path / 'a.json', coco(('a.png', {}, []), ('b.png', columns, [])))
    with pytest.raises(InputError, match=f'a.json, images, entry 1: found {found}; expected'):
        read_tables([path])


def test_a_bad_box_is_named(tmp_path):
    path = save(tmp_path / 'a.json', coco(('a.png', {}, [('cyst', (5, 5, float('nan'), 6))])))
    with pytest.raises(InputError, match='annotations, entry 0'):
        read_tables([path])
