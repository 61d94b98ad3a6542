import csv
import io

import numpy as np
import pytest
from report_cases import coco, save

from mmdet_liver.preparation.statistics.summary import describe, statistics_csv, statistics_rows
from mmdet_liver.preparation.statistics.tables import read_tables

A, B = (0, 0, 20, 10), (50, 50, 90, 60)  # 1% and 2% of 200 x 100


@pytest.fixture
def tables(tmp_path):
    p1 = {'patient_id': 'p1', 'sex': 'F', 'age': 50}
    train = coco(
        ('1.png', p1, [('HCC', A), ('HCC', B), ('Meta', B)]),
        ('2.png', {**p1, 'age': 60}, [('HCC', A)]),
        ('3.png', {'patient_id': 'p2', 'sex': 'M', 'age': 70, 'mm_per_pixel': 0.1}, []),
        ('4.png', {}, [('cyst', A, 'ignore')]),
        info={'split': 'train'},
    )
    val = coco(('5.png', {'patient_id': 'p1'}, [('Meta', A)]), info={'split': 'val'})
    return read_tables([save(tmp_path / 't.json', train), save(tmp_path / 'v.json', val)])


def value(tables, split, diagnosis, measure, level='', statistic='count'):
    found = [row.value for row in statistics_rows(tables)
             if row[:5] == (split, diagnosis, measure, level, statistic)]  # fmt: skip
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    'key, expected',
    [
        pytest.param(('all', 'all', 'images'), 5, id='images'),
        pytest.param(('all', 'all', 'patients'), 2, id='a patient in two splits counts once'),
        pytest.param(('train', 'all', 'patients'), 2, id='patients of a split'),
        pytest.param(('all', 'all', 'lesions'), 5, id='ignored ones are no lesions'),
        pytest.param(('all', 'HCC', 'images'), 2, id='an image with two HCC counts once'),
        pytest.param(('all', 'Meta', 'images'), 2, id='an image counts for each diagnosis'),
        pytest.param(('all', 'lesion-free', 'images'), 1, id='lesion-free'),
        pytest.param(('all', 'cyst', 'images'), 0, id='class without lesions'),
        pytest.param(('all', 'all', 'images_by_sex', 'F'), 2, id='F'),
        pytest.param(('all', 'all', 'images_by_sex', 'M'), 1, id='M'),
        pytest.param(('all', 'all', 'images_by_sex', 'unknown'), 2, id='sex unknown'),
        pytest.param(('val', 'all', 'images_by_sex', 'unknown'), 1, id='sex unknown in val'),
        pytest.param(('all', 'all', 'images_by_lesions', '0'), 2, id='images of no lesion'),
        pytest.param(('all', 'HCC', 'images_by_lesions', '3'), 1, id='lesions of any kind'),
        pytest.param(('all', 'all', 'age_years', '', 'mean'), 60, id='mean age'),
        pytest.param(('all', 'all', 'age_years', '', 'unknown'), 2, id='age unknown'),
        pytest.param(('all', 'HCC', 'age_years', '', 'median'), 55, id='median age of HCC'),
        pytest.param(('val', 'all', 'age_years', '', 'median'), None, id='nobody knows'),
        pytest.param(('all', 'all', 'box_share', '', 'max'), 0.02, id='largest share'),
        pytest.param(('train', 'HCC', 'aspect_ratio', '', 'q75'), 3, id='quartile by hand'),
        pytest.param(('all', 'all', 'longer_side_mm', '', 'unknown'), 5, id='no size known'),
        pytest.param(('all', 'all', 'mm_per_pixel', '', 'min'), 0.1, id='scale'),
    ],
)  # fmt: skip
def test_numbers_by_hand(tables, key, expected):
    assert value(tables, *key) == (expected if expected is None else pytest.approx(expected))


def test_describe():
    found = describe(np.array([1.0, 2, 3, 4, np.nan]))
    assert found == pytest.approx(
        {'count': 4, 'unknown': 1, 'mean': 2.5, 'sd': 1.25**0.5, 'min': 1, 'q25': 1.75,
         'median': 2.5, 'q75': 3.25, 'max': 4}
    )  # fmt: skip
    assert describe(np.full(3, np.nan)) == {'count': 0, 'unknown': 3}


def test_csv_is_tidy(tables):
    rows = list(csv.DictReader(io.StringIO(statistics_csv(tables))))
    assert list(rows[0]) == ['split', 'diagnosis', 'measure', 'level', 'statistic', 'value']
    keys = [tuple(row.values())[:5] for row in rows]
    assert len(set(keys)) == len(keys)
    assert all(np.isfinite(float(row['value'])) for row in rows)
    by_key = dict(zip(keys, (row['value'] for row in rows), strict=True))
    assert by_key['all', 'all', 'images', '', 'count'] == '5'
    # sqrt(((50-60)^2 + 0 + (70-60)^2) / 3)
    assert by_key['all', 'all', 'age_years', '', 'sd'] == '8.16497'
