import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.csv_table import TableOptions, import_csv
from mmdet_liver.preparation.importers.vocabulary import parse_vocabulary
from mmdet_liver.preparation.manifest import Record

COLUMNS = {
    'image_path': '画像',
    'patient_id': '患者',
    'age': '年齢',
    'sex': '性別',
    'diagnosis': '診断',
    'x_min': '左',
    'y_min': '上',
    'width': '幅',
    'height': '高さ',
}
HEADER = ','.join(COLUMNS.values())
A_CYST = 'a 1.png,山田,45歳,男,肝嚢胞,1,2,3,4'
A_HCC = 'a 1.png,山田,45,M,hcc,5,5,10.5,10'
B_CLEAN = "it's b.png,鈴木,,女,,,,,"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'in').mkdir()
    for name in ('a 1.png', "it's b.png", 'c.png'):
        (tmp_path / f'in/{name}').write_bytes(b'')
    return tmp_path / 'in'


def read(folder, *rows, columns=COLUMNS, values=(), dropped=(), header=HEADER, **options):
    table = folder.parent / 'table.csv'
    table.write_text('\n'.join([header, *rows]) + '\n', encoding='cp932')
    words = parse_vocabulary(values, dropped)
    return import_csv(folder, table, TableOptions(columns, **options), words)


def test_rows_become_records(folder):
    found = read(folder, A_CYST, A_HCC, B_CLEAN)
    a = {'image_path': 'a 1.png', 'patient_id': '山田', 'age': 45, 'sex': 'M'}
    assert list(found.records) == [
        Record(**a, diagnosis='cyst', box=(1, 2, 4, 6)),
        Record(**a, diagnosis='HCC', box=(5, 5, 15.5, 15)),
        Record("it's b.png", '鈴木', sex='F'),
    ]
    assert list(found.decisions) == [
        Decision('c.png', 'import', 'left out', 'no annotation names it')
    ]


def test_columns_of_our_own_names_need_no_word(folder):
    found = read(
        folder,
        'c.png,p,s,HCC,1,2,3,4,0.25,1,1',
        header='image_path,patient_id,study_id,diagnosis,x_min,y_min,x_max,y_max,mm_per_pixel,'
        'fully_annotated,ignore',
        columns={},
    )
    assert list(found.records) == [
        Record('c.png', 'p', 's', None, None, 'HCC', (1, 2, 3, 4), 0.25, True, True)
    ]


def test_unlisted_images_are_taken_on_demand(folder):
    (folder / 'out.png').symlink_to(folder.parent / 'elsewhere.png')
    found = read(folder, B_CLEAN, include_unlisted=True)
    assert list(found.records)[1:] == [
        Record('a 1.png', fully_annotated=False), Record('c.png', fully_annotated=False)
    ]  # fmt: skip
    assert [(d.image_path, d.reason) for d in found.decisions] == [
        ('out.png', 'a link that leads out of the folder')
    ]


def test_repeated_rows_are_dropped_with_a_decision(folder):
    found = read(folder, A_CYST, B_CLEAN, A_CYST, A_HCC, A_CYST, B_CLEAN)
    assert [r.diagnosis for r in found.records] == ['cyst', None, 'HCC']
    assert [(d.image_path, d.action, d.value) for d in found.decisions[:2]] == [
        ('a 1.png', 'flagged', 2), ("it's b.png", 'flagged', 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    'values, dropped, kept, left_out',
    [
        pytest.param([], ['cyst'], ["it's b.png"], ['a 1.png'], id='the image is left out'),
        pytest.param([], ['HCC', '肝嚢胞'], ["it's b.png"], ['a 1.png'], id='two'),
        pytest.param([], ['Meta'], ['a 1.png'] * 2 + ["it's b.png"], [], id='not there'),
        pytest.param(
            ['diagnosis:肝嚢胞='], [], ['a 1.png', "it's b.png"], [], id='no lesion beside one'
        ),
        pytest.param(
            ['diagnosis:肝嚢胞=', 'diagnosis:HCC='],
            [],
            ['a 1.png', "it's b.png"],
            [],
            id='no lesion at all',
        ),
    ],
)
def test_what_words_mean(folder, values, dropped, kept, left_out):
    found = read(folder, A_CYST, A_HCC, B_CLEAN, values=values, dropped=dropped)
    assert [r.image_path for r in found.records] == kept
    shown = [d for d in found.decisions if d.image_path != 'c.png']
    if left_out:
        assert [d.image_path for d in shown] == left_out
        assert shown[0].reason == 'shows a diagnosis that --drop-diagnosis names'
    assert sum(r.box is None for r in found.records) == 1 + (len(values) == 2)


def test_image_with_a_lesion_without_box_is_left_out_on_demand(folder):
    rows = (A_CYST, 'a 1.png,山田,45,男,HCC,,,,', B_CLEAN)
    with pytest.raises(InputError, match='line 3: found a diagnosis without a box'):
        read(folder, *rows)
    found = read(folder, *rows, skip_unboxed=True)
    assert [r.image_path for r in found.records] == ["it's b.png"]
    assert found.decisions[0] == Decision(
        'a 1.png', 'import', 'left out', 'a diagnosis without a box'
    )


@pytest.mark.parametrize(
    'rows, named',
    [
        pytest.param(['d.png,,,,,,,,'], "line 2: found no image 'd.png'; ", id='missing image'),
        pytest.param(
            [B_CLEAN, 'd.png,,,,,,,,', 'e.png,,,,,,,,'],
            "line 3: found no image 'd.png', nor those of 1 more rows",
            id='missing images',
        ),
        pytest.param(['../c.png,,,,,,,,'], "line 2: found the path '../c.png'", id='way out'),
        pytest.param([',,,男,,,,,'], "line 2: found the path ''", id='no image'),
        pytest.param(
            [A_CYST, A_HCC.replace('山田', '鈴木')],
            "line 3 against line 2: found patient_id '鈴木' and '山田' of one image",
            id='two patients with one image',
        ),
        pytest.param([A_CYST, A_HCC.replace('45', '54')], 'found age 54 and 45', id='two ages'),
        pytest.param(
            [A_CYST, 'a 1.png,山田,45,男,,,,,'], 'a row without a diagnosis beside', id='both'
        ),
        pytest.param(['c.png,,,,,1,2,3,4'], 'a box without a diagnosis', id='no diagnosis'),
        pytest.param(['c.png,,,,HCC,1,2,3,'], 'line 2: found a box of 3 numbers', id='half box'),
        pytest.param(['c.png,,,,HCC,1,2,0,4'], 'which has no area', id='no area'),
        pytest.param(['c.png,,,,HCC,1,2,x,4'], "'幅', width: found 1 unknown: 'x'", id='text'),
        pytest.param(
            ['c.png,,,,FNH,1,2,3,4', "it's b.png,,,,脂肪肝,1,2,3,4", 'a 1.png,,,,FNH,1,2,3,4'],
            "column '診断', diagnosis: found 2 unknown: 'FNH' (2x), '脂肪肝' (1x)",
            id='unknown diagnoses',
        ),
        pytest.param(['c.png,,,不明,,,,,'], "column '性別', sex: found 1 unknown", id='sex'),
    ],
)  # fmt: skip
def test_bad_rows_are_named_in_one_line(folder, rows, named):
    with pytest.raises(InputError) as error:
        read(folder, *rows)
    message = str(error.value)
    assert named in message and 'table.csv' in message and '\n' not in message


def test_missing_columns_are_named_with_those_there_are(folder):
    with pytest.raises(
        InputError, match="no column '画像名' for image_path; its columns are '画像'"
    ):
        read(folder, A_CYST, columns={**COLUMNS, 'image_path': '画像名'})
