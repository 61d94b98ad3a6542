import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.table_file import read_table

TEXT = '画像,診断\n"a, ""b"".png",肝細胞癌\n\n c.png , 囊胞?\n'.replace('囊', '嚢')
ROWS = [(2, ['a, "b".png', '肝細胞癌']), (4, ['c.png', '嚢胞?'])]


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'cp932', 'utf-16'])
def test_encoding_is_found(tmp_path, encoding):
    path = tmp_path / 't.csv'
    path.write_bytes(TEXT.replace('\n', '\r\n').encode(encoding))
    table = read_table(path)
    assert table.header == ('画像', '診断') and table.rows == ROWS


def test_byte_order_mark_beside_a_given_encoding(tmp_path):
    (tmp_path / 't.csv').write_bytes('a,b\n1,2\n'.encode('utf-8-sig'))
    assert read_table(tmp_path / 't.csv', encoding='utf-8').header == ('a', 'b')


def test_encoding_and_delimiter_are_given(tmp_path):
    path = tmp_path / 't.csv'
    path.write_bytes('画像;診断\na.png;x\n'.encode('euc_jp'))
    table = read_table(path, encoding='euc_jp', delimiter=';')
    assert table.header == ('画像', '診断') and table.rows == [(2, ['a.png', 'x'])]


@pytest.mark.parametrize(
    'content, options, named',
    [
        pytest.param(b'a,b\n1,2\n3\n', {}, 'line 3: found 1 cells; expected 2', id='short row'),
        pytest.param(b'a,b\n1,2,3\n', {}, 'line 2: found 3 cells', id='long row'),
        pytest.param(b'a,b\n"1,2\n3,4\n', {}, 'no CSV', id='quote left open'),
        pytest.param(b'a,b\n', {}, 'found 1 rows', id='header only'),
        pytest.param(b'', {}, 'found 0 rows', id='empty'),
        pytest.param(b'a\n\x81\xff\xff\n', {}, 'UTF-8 or Shift-JIS', id='no encoding fits'),
        pytest.param(b'a\n\xff\n', {'encoding': 'utf-8'}, 'expected utf-8', id='not as given'),
        pytest.param(b'a\nb\n', {'encoding': 'sjiss'}, '--encoding sjiss', id='no encoding'),
    ],
)
def test_bad_table_is_one_line(tmp_path, content, options, named):
    (tmp_path / 't.csv').write_bytes(content)
    with pytest.raises(InputError) as error:
        read_table(tmp_path / 't.csv', **options)
    assert named in str(error.value) and '\n' not in str(error.value)


def test_missing_table(tmp_path):
    with pytest.raises(InputError, match='No such file'):
        read_table(tmp_path / 't.csv')
