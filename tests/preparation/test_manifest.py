import subprocess
import sys
from pathlib import Path

import pytest

import mmdet_liver
from mmdet_liver.errors import InputError
from mmdet_liver.preparation.manifest import (
    COLUMNS,
    Record,
    manifest_text,
    read_manifest,
    write_manifest,
)

CELLS = {
    'manifest_version': '1',
    'image_path': 'a.png',
    'patient_id': 'p1',
    'age': '70',
    'sex': 'M',
    'diagnosis': 'HCC',
    **{'x_min': '1', 'y_min': '2', 'x_max': '3.5', 'y_max': '4'},
}


def text_of(**changes):
    cells = {**CELLS, **changes}
    return ','.join(COLUMNS) + '\n' + ','.join(f'"{cells.get(c, "")}"' for c in COLUMNS) + '\n'


def test_what_is_written_reads_back(tmp_path):
    records = [
        Record(
            'dir/a "b", ü.png', '患者', 's', 70, 'F', 'Meta', (1234.5678, 0, 2e3, 3), 0.123456789
        ),
        Record('c.png', 'p2', fully_annotated=True),
        Record('d.png', 'p2', diagnosis='cyst', box=(0.0, 0.0, 1.0, 1.0), ignore=True),
    ]
    write_manifest(tmp_path / 'm.csv', records)
    assert read_manifest(tmp_path / 'm.csv') == records


def test_byte_order_mark_and_other_columns_are_read_over(tmp_path):
    path = tmp_path / 'm.csv'
    lines = text_of().splitlines()
    path.write_text(f'{lines[0]},remark\n{lines[1]},x\n', encoding='utf-8-sig')
    assert read_manifest(path)[0].box == (1, 2, 3.5, 4)


def test_whole_numbers_are_written_without_a_point():
    text = manifest_text([Record('a', 'p', diagnosis='cyst', box=(1.0, 2.0, 3.5, 1e6))])
    assert text.splitlines()[1] == '2,a,p,,,,cyst,1,2,3.5,1000000,,,0,'


@pytest.mark.parametrize(
    'changes, named',
    [
        pytest.param({'diagnosis': 'HCX'}, 'line 2, column diagnosis', id='unknown diagnosis'),
        pytest.param({'diagnosis': ''}, 'a box without one', id='box without diagnosis'),
        pytest.param({'x_min': ''}, 'a box of 3 numbers', id='half a box'),
        pytest.param({'x_max': '1'}, 'no area', id='no area'),
        pytest.param({'x_max': 'nan'}, 'column x_max', id='not a number'),
        pytest.param({'y_max': 'wide'}, 'column y_max', id='a word'),
        pytest.param({'age': '7.5'}, 'a whole number', id='broken age'),
        pytest.param({'age': '-1'}, 'at least 0', id='negative age'),
        pytest.param({'mm_per_pixel': '0'}, 'column mm_per_pixel', id='no scale'),
        pytest.param({'sex': 'x'}, 'column sex', id='sex'),
        pytest.param({'manifest_version': '3'}, 'manifest_version', id='another version'),
        pytest.param({'image_path': '../a.png'}, 'image_path', id='path that leaves'),
        pytest.param({'image_path': '/a.png'}, 'image_path', id='absolute path'),
        pytest.param({'ignore': 'yes'}, 'column ignore', id='ignore'),
    ],
)
def test_bad_row_is_named(tmp_path, changes, named):
    (tmp_path / 'm.csv').write_text(text_of(**changes), encoding='utf-8')
    with pytest.raises(InputError) as error:
        read_manifest(tmp_path / 'm.csv')
    assert named in str(error.value) and 'm.csv, line 2' in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'content, named',
    [
        pytest.param(b'', 'no column manifest_version', id='empty file'),
        pytest.param(text_of().splitlines()[0].encode(), 'no rows', id='header alone'),
        pytest.param(b'image_path\na.png\n', 'no column', id='other columns'),
        pytest.param(text_of(patient_id='患者').encode('shift-jis'), 'UTF-8', id='Shift-JIS'),
        pytest.param(text_of().replace(',"p1"', '').encode(), 'too few cells', id='short row'),
        pytest.param(text_of(study_id='x' * 200_000).encode(), 'no CSV', id='unclosed quote'),
        pytest.param(None, 'No such file', id='no file'),
    ],
)
def test_bad_file_is_named(tmp_path, content, named):
    if content is not None:
        (tmp_path / 'm.csv').write_bytes(content)
    with pytest.raises(InputError) as error:
        read_manifest(tmp_path / 'm.csv')
    assert named in str(error.value) and str(tmp_path / 'm.csv') in str(error.value)
    assert '\n' not in str(error.value)


def test_preparation_never_imports_torch_or_the_hosts():
    root = Path(mmdet_liver.__file__).parent
    names = [
        'mmdet_liver.' + '.'.join(path.relative_to(root).with_suffix('').parts)
        for folder in ('preparation', 'evaluation', 'environment')
        for path in sorted((root / folder).rglob('*.py'))
        if 'metrics' not in path.relative_to(root).parts
    ]
    code = (
        f'import importlib, sys\nfor n in {["mmdet_liver.taxonomy", *names]}:\n'
        '    importlib.import_module(n.removesuffix(".__init__"))\n'
        "bad = {'torch', 'mmdet', 'mmcv', 'mmengine', 'mmpretrain'} & set(sys.modules)\n"
        'print(sorted(bad))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, '[]'), done.stderr
    assert 'mmdet_liver.preparation.manifest' in names


def test_a_manifest_of_version_1_is_read(tmp_path):
    text = manifest_text([Record('a.png', 'p', age=40), Record('b.png', '')])
    lines = [line.rpartition(',')[0].replace('2,', '1,', 1) for line in text.splitlines()]
    assert 'cluster_id' not in lines[0] and lines[1].startswith('1,a.png')
    (tmp_path / 'm.csv').write_text('\n'.join(lines) + '\n')
    assert read_manifest(tmp_path / 'm.csv') == [Record('a.png', 'p', age=40), Record('b.png', '')]
