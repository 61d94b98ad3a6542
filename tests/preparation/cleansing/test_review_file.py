import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.cleansing.review_file import read_review


def test_decisions_are_read_and_notes_passed_over(tmp_path):
    path = tmp_path / 'r.csv'
    path.write_text(
        '\ufeffnote,image_path,decision\n'
        'sure,a.png,keep\n,"b, c.png",leave-out\n,d.png,\nDr. X,a.png,keep marks\n',
        encoding='utf-8',
    )
    assert read_review(path) == {'a.png': {'keep', 'keep marks'}, 'b, c.png': {'leave out'}}


@pytest.mark.parametrize(
    'text, named',
    [
        pytest.param('image_path,verdict\na,keep\n', 'line 2', id='no column'),
        pytest.param('image_path,decision\na,perhaps\n', "'perhaps'", id='unknown'),
        pytest.param('image_path,decision\na,keep\na,leave out\n', 'line 3', id='both'),
    ],
)
def test_bad_rows_are_named(tmp_path, text, named):
    (tmp_path / 'r.csv').write_text(text)
    with pytest.raises(InputError, match=named):
        read_review(tmp_path / 'r.csv')
    with pytest.raises(InputError, match='missing.csv'):
        read_review(tmp_path / 'missing.csv')
