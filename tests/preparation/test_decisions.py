import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import Decision, read_decisions, write_decisions

ROWS = [
    Decision('a, "b".png', 'size', 'left out', '3x4 pixels', 4),
    Decision('c.png', 'marks', 'cleaned', 'text 1.00%', 0.0123, mask_path='masks/c.png'),
    Decision('d.png', 'near-duplicates', 'left out', 'x', 0, 'C1', 'e.png'),
    Decision('f.png', 'metadata', 'flagged', 'EXIF'),
]


def test_rows_come_back_as_they_were(tmp_path):
    write_decisions(tmp_path / 'c.csv', ROWS)
    assert read_decisions(tmp_path / 'c.csv') == ROWS


@pytest.mark.parametrize(
    'text, named',
    [
        pytest.param('image_path,step\na,size\n', 'line 2', id='columns missing'),
        pytest.param('a,melt,kept,x,,,,\n', 'line 2', id='unknown step'),
        pytest.param('a,size,eaten,x,,,,\n', 'line 2', id='unknown action'),
        pytest.param('a,size,kept,x,many,,,\n', 'column value', id='no number'),
    ],
)
def test_bad_rows_are_named(tmp_path, text, named):
    write_decisions(tmp_path / 'c.csv', [])
    head = '' if text.startswith('image_path') else (tmp_path / 'c.csv').read_text()
    (tmp_path / 'c.csv').write_text(head + text)
    with pytest.raises(InputError, match=named):
        read_decisions(tmp_path / 'c.csv')
