"""How findings are shown and written."""

import csv

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.checking.findings import (
    COLUMNS,
    KINDS,
    Finding,
    count_by_severity,
    table_text,
    write_findings,
)

FOUND = [
    Finding('equal boxes', 'b.json', 'again', '1.png', '5'),
    *(Finding('box outside', 'a.json', f'box {i}', f'{i}.png', str(i)) for i in range(5)),
    Finding('patient leak', 'a.json', "patient 'p'", '0.png'),
]


def test_table_by_kind_errors_first():
    assert table_text(FOUND, examples=2).splitlines() == [
        'error    patient leak       1',
        'error    box outside        5',
        'warning  equal boxes        1',
        '',
        'patient leak (error): split by patient: all images of one to one file',
        "  a.json, 0.png: patient 'p'",
        '',
        'box outside (error): redraw the box, or cut it at the edge of the image',
        '  a.json, 0.png, annotation 0: box 0',
        '  a.json, 1.png, annotation 1: box 1',
        '  ... and 3 more',
        '',
        'equal boxes (warning): drop one of them if it is the same lesion',
        '  b.json, 1.png, annotation 5: again',
    ]


def test_counts():
    assert dict(count_by_severity(FOUND)) == {'error': 6, 'warning': 1}


def test_nothing_found():
    assert table_text([]) == ''
    assert not count_by_severity([])


def test_every_kind_says_what_to_do():
    assert all(kind.remedy for kind in KINDS.values())
    severities = [kind.severity for kind in KINDS.values()]
    assert set(severities) == {'error', 'warning'} and severities == sorted(severities)


def test_report_holds_them_all(tmp_path):
    write_findings(tmp_path / 'new/findings.csv', FOUND)
    with (tmp_path / 'new/findings.csv').open(encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7 and tuple(rows[0]) == COLUMNS
    assert rows[0]['kind'] == 'patient leak' and rows[-1]['severity'] == 'warning'
    assert rows[2]['annotation'] == '1' and rows[2]['remedy'] == KINDS['box outside'].remedy


def test_names_with_anything_in_them(tmp_path):
    name = '患者 1/it\'s "x",\n\ud800.png'
    found = [Finding('missing image', 'a.json', 'no such file', name)]
    write_findings(tmp_path / 'f.csv', found)
    with (tmp_path / 'f.csv').open(encoding='utf-8', newline='') as file:
        (row,) = csv.DictReader(file)
    assert row['image'] == name.replace('\ud800', '\\ud800')
    line = table_text(found).splitlines()[-1]
    assert line == '  a.json, 患者 1/it\'s "x", \\ud800.png: no such file'


def test_a_report_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='a place to write to'):
        write_findings(tmp_path / 'file/findings.csv', FOUND)
