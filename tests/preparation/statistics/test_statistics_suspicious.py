import csv
import io

import pytest
from report_cases import coco, save

from mmdet_liver.preparation.statistics.findings import Finding, deal, findings_csv
from mmdet_liver.preparation.statistics.suspicious import RULES, find_suspicious
from mmdet_liver.preparation.statistics.tables import read_tables

BOX = (20, 20, 60, 50)


def of(patient, lesion='HCC', **columns):
    """An image of a patient with one lesion in order."""
    return 'x.png', {'patient_id': patient, **columns}, [(lesion, BOX)]


def boxes(*boxes, **columns):
    return 'x.png', columns, [('HCC', box) for box in boxes]


def find(tmp_path, *images, **options):
    tables = read_tables([save(tmp_path / 'a.json', coco(*images, **options))])
    return {name: found for name, found in find_suspicious(tables).items() if found}


# Rule, what it must not find, what it must find, image, lesion, what it says.
CASES = [
    ('age 0', [of('p', 'Meta', age=18)], [of('p', 'Meta', age=0)],
     Finding(0, None, 'age 0, Meta')),
    ('age above 110', [of('p', age=110)], [of('p', age=111)], Finding(0, None, 'age 111, HCC')),
    ('malignant below 18 years', [of('p', 'cyst', age=17), of('q', age=18)],
     [of('p', 'cyst', age=17), of('q', age=17)], Finding(1, None, 'age 17, HCC')),
    ('two sexes', [of('p', sex='M'), of('p', sex='M'), of('p'), of('q', sex='F')],
     [of('p', sex='M'), of('q', sex='F'), of('p', sex='F'), of('p', sex='M')],
     Finding(2, None, 'patient p: M on 2, F on 1 images')),
    ('ages apart', [of('p', age=50), of('p', age=60), of('q', age=80), of('p', age=None)],
     [of('p', age=50), of('q', age=90), of('p', age=50), of('p', age=61)],
     Finding(3, None, 'patient p: 50 to 61')),
    ('box without area', [boxes((20, 20, 24, 24))], [boxes(BOX, (20, 20, 20, 40))],
     Finding(0, 1, '0 x 20 px')),
    ('box outside', [boxes((170, 20, 201, 50))], [boxes((170, 20, 201.5, 50))],
     Finding(0, 0, '1.5 px out of the image')),
    # 40 x 20 each; moved by 1 px 760 / 840 = 0.905, by 2 px 720 / 880 = 0.818.
    ('same box twice', [boxes((20, 20, 60, 40), (20, 22, 60, 42)), boxes((20, 20, 60, 40))],
     [boxes((20, 20, 60, 40), (90, 20, 99, 30), (20, 21, 60, 41))],
     Finding(0, 2, 'IoU 0.90 with another box (HCC)')),
    ('share above 0.9', [boxes((2, 2, 198, 93))], [boxes((2, 2, 198, 98))],
     Finding(0, 0, '94.1% of the image')),
    ('share below 0.0005', [boxes((20, 20, 22, 25), (20, 20, 20, 40))], [boxes((20, 20, 23, 23))],
     Finding(0, 0, '0.045% of the image')),
    ('5 times as long as wide', [boxes((20, 20, 70, 30))], [boxes((20, 20, 30, 71))],
     Finding(0, 0, '10 x 51 px')),
    ('above 250 or below 1 mm', [boxes((20, 20, 120, 50), mm_per_pixel=2.5), boxes(BOX)],
     [boxes((20, 20, 120, 50), mm_per_pixel=2.51)], Finding(0, 0, 'longer side 251 mm')),
    ('above 250 or below 1 mm', [boxes(BOX, mm_per_pixel=0.025)],
     [boxes(BOX, mm_per_pixel=0.02)], Finding(0, 0, 'longer side 0.8 mm')),
    ('several diagnoses', [of('p', 'cyst'), of('q', 'HCC'), of('q', 'HCC'), of('', 'Meta')],
     [of('p', 'cyst'), of('q', 'HCC'), of('p', 'HCC'), of('p', 'cyst')],
     Finding(2, 2, 'patient p: cyst 2x, HCC 1x')),
    ('several diagnoses', [of('', 'cyst'), of('', 'HCC')],
     [('x.png', {}, [('cyst', BOX), ('HCC', (100, 20, 130, 50))])],
     Finding(0, 0, 'this image: cyst 1x, HCC 1x')),
    ('at the edge', [boxes((1.5, 20, 40, 50))], [boxes((1, 20, 40, 50))],
     Finding(0, 0, "1 px from the image's edge")),
]  # fmt: skip


@pytest.mark.parametrize(
    'rule, fine, odd, expected',
    [pytest.param(*case, id=f'{case[0]} {i}') for i, case in enumerate(CASES)],
)
def test_each_rule(tmp_path, rule, fine, odd, expected):
    assert rule not in find(tmp_path, *fine)
    assert find(tmp_path, *odd)[rule] == [expected]


def test_every_rule_has_a_case_and_a_name_of_its_own():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {case[0] for case in CASES} == set(names)


@pytest.mark.parametrize(
    'images, expected',
    [
        pytest.param([of('p', age=0), of('p', age=60)], {'age 0'}, id='0 is not far from 60'),
        pytest.param([of('', sex='M'), of('', sex='F')], set(), id='two unknown patients'),
        pytest.param([('x.png', {'age': 17}, [])], set(), id='a healthy child'),
        pytest.param([('x.png', {}, [('HCC', (0, 0, 200, 100), 'iscrowd')])], set(), id='a crowd'),
        pytest.param([('x.png', {}, [])], set(), id='nothing'),
    ],
)
def test_what_is_in_order(tmp_path, images, expected):
    assert set(find(tmp_path, *images)) == expected


def test_foreign_classes_are_neither_benign_nor_malignant(tmp_path):
    images = [of('p', '肝嚢胞', age=5)]
    assert find(tmp_path, *images, names=('肝嚢胞',)) == {}


def test_one_patient_over_two_files(tmp_path):
    files = [save(tmp_path / f'{s}.json', coco(of('p', sex=s))) for s in 'MF']
    (found,) = find_suspicious(read_tables(files))['two sexes']
    assert found.why == 'patient p: M on 1, F on 1 images'


def test_csv_by_hand(tmp_path):
    content = coco(('it\'s, "a".png', {'age': 0}, [('HCC', (0, 20, 10.5, 50))]))
    tables = read_tables([save(tmp_path / 'train.json', content)])
    rows = list(csv.reader(io.StringIO(findings_csv(tables, find_suspicious(tables)))))
    name = 'it\'s, "a".png'
    assert rows == [
        ['rule', 'file', 'image', 'diagnosis', 'x_min', 'y_min', 'x_max', 'y_max', 'why'],
        ['age 0', 'train.json', name, '', '', '', '', '', 'age 0, HCC'],
        ['at the edge', 'train.json', name, 'HCC', '0', '20', '10.5', '50',
         "0 px from the image's edge"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    'most, expected',
    [
        pytest.param(0, '', id='none'),
        pytest.param(2, 'a0 c0', id='the first of each rule'),
        pytest.param(4, 'a0 a1 c0 c1', id='then the second'),
        pytest.param(6, 'a0 a1 a2 c0 c1', id='one rule is used up'),
        pytest.param(9, 'a0 a1 a2 c0 c1', id='all'),
    ],
)
def test_deal(most, expected):
    found = {
        'a': [Finding(0, None, f'a{i}') for i in range(3)],
        'b': [],
        'c': [Finding(0, None, f'c{i}') for i in range(2)],
    }
    dealt = deal(found, most)
    assert ' '.join(finding.why for _, finding in dealt) == expected
    assert all(rule == finding.why[0] for rule, finding in dealt)
