import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.table_columns import parse_columns, pick_columns

CORNERS = ('x_min', 'y_min', 'x_max', 'y_max')


@pytest.mark.parametrize(
    'header, given, picked',
    [
        pytest.param(['x', 'image_path'], {}, {'image_path': 1}, id='by their own name'),
        pytest.param(
            ['ﾌｧｲﾙ名', '患者ID'],
            {'image_path': 'ファイル名', 'patient_id': '患者id'},
            {'image_path': 0, 'patient_id': 1},
            id='another width and case',
        ),
        pytest.param(
            ['image_path', 'diagnosis', *CORNERS],
            {},
            {'image_path': 0, 'diagnosis': 1, 'x_min': 2, 'y_min': 3, 'x_max': 4, 'y_max': 5},
            id='corners',
        ),
        pytest.param(
            ['image_path', 'diagnosis', *CORNERS, 'width', 'height'],
            {},
            {'image_path': 0, 'diagnosis': 1, 'x_min': 2, 'y_min': 3, 'x_max': 4, 'y_max': 5},
            id="width and height of the image beside the box's corners",
        ),
        pytest.param(
            ['image_path', 'diagnosis', 'l', 't', 'w', 'h', 'x_max'],
            {'x_min': 'l', 'y_min': 't', 'width': 'w', 'height': 'h'},
            {'image_path': 0, 'diagnosis': 1, 'x_min': 2, 'y_min': 3, 'width': 4, 'height': 5},
            id='given columns only',
        ),
    ],
)
def test_pick_columns(header, given, picked):
    assert pick_columns(header, given, 't') == picked


@pytest.mark.parametrize(
    'header, given, named',
    [
        pytest.param(['a', 'b'], {}, 'no column for image_path', id='no image'),
        pytest.param(['a'], {'image_path': 'c'}, "no column 'c' for image_path", id='no such'),
        pytest.param(['a', 'a'], {'image_path': 'a'}, "2 columns 'a'", id='twice'),
        pytest.param(['image_path', 'diagnosis'], {}, 'no columns for boxes', id='no box'),
        pytest.param(['image_path', *CORNERS], {}, 'no column for diagnosis', id='no diagnosis'),
        pytest.param(
            ['image_path', 'diagnosis', *CORNERS[:3]], {}, 'only x_max, x_min, y_min', id='half'
        ),
    ],
)
def test_bad_columns_list_the_tables_own(header, given, named):
    with pytest.raises(InputError) as error:
        pick_columns(header, given, 't.csv')
    listed = ', '.join(map(repr, header))
    assert named in str(error.value) and f'its columns are {listed}' in str(error.value)


def test_parse_columns():
    assert parse_columns(['image_path=File=Name', 'age=年齢']) == {
        'image_path': 'File=Name', 'age': '年齢'
    }  # fmt: skip


@pytest.mark.parametrize(
    'options, named',
    [
        (['image_path'], 'no FIELD=HEADER'),
        (['birth_date=生年月日'], "the field 'birth_date'"),
        (['age=a', 'age=b'], "the field 'age' again"),
    ],
)
def test_bad_column_option(options, named):
    with pytest.raises(InputError, match=named):
        parse_columns(options)
