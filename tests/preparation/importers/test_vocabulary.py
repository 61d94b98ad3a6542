import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.vocabulary import Vocabulary, parse_vocabulary


@pytest.mark.parametrize(
    'text, meant',
    [
        ('cyst', 'cyst'),
        ('hcc', 'HCC'),
        (' ＨＣＣ ', 'HCC'),  # full width
        ('META', 'Meta'),
        ('肝細胞癌', 'HCC'),
        ('転移性肝腫瘍', 'Meta'),
        ('Benign', 'benign'),
        ('', ''),
    ],
)
def test_our_own_diagnoses_are_understood_in_any_spelling(text, meant):
    assert Vocabulary().read_diagnoses([text], 'table') == {text: meant}


@pytest.mark.parametrize(
    'name, text, value',
    [
        ('sex', '男', 'M'),
        ('sex', '女性', 'F'),
        ('sex', 'Female', 'F'),
        ('sex', '', None),
        ('age', '45', 45),
        ('age', '45.0', 45),
        ('age', '４５歳', 45),
        ('age', '045Y', 45),
        ('age', '', None),
        ('fully_annotated', 'TRUE', True),
        ('fully_annotated', '0', False),
        ('ignore', '', None),
        ('mm_per_pixel', '0.12', 0.12),
        ('x_min', '-1.5', -1.5),
        ('width', '', None),
    ],
)
def test_value_of_a_cell(name, text, value):
    assert Vocabulary().read(name, [text], 'table') == {text: value}


@pytest.mark.parametrize(
    'name, text',
    [
        ('sex', 'x'),
        ('age', '45.5'),
        ('age', '1980-01-01'),
        ('age', '010M'),
        ('mm_per_pixel', '0'),
        ('mm_per_pixel', '-1'),
        ('x_min', 'nan'),
        ('x_min', 'left'),
        ('fully_annotated', '2'),
    ],
)
def test_what_cannot_be_read_is_named(name, text):
    with pytest.raises(InputError, match=f'table, {name}: found 1 unknown: {text!r}'):
        Vocabulary().read(name, [text], 'table')


def test_all_unknown_diagnoses_are_listed_most_frequent_first():
    texts = ['FNH'] * 3 + ['cyst'] + ['脂肪肝'] * 5 + [f'other {i}' for i in range(30)]
    with pytest.raises(InputError) as error:
        Vocabulary().read_diagnoses(texts, 'table')
    message = str(error.value)
    assert "found 32 unknown: '脂肪肝' (5x), 'FNH' (3x), 'other 0' (1x)" in message
    assert "'other 29' (1x)" in message and '--drop-diagnosis' in message
    assert "--value 'diagnosis:FROM=TO'" in message and '\n' not in message


def test_of_other_columns_only_some_unknown_words_are_listed():
    with pytest.raises(InputError, match='found 40 unknown: .* and 30 more; expected whole years'):
        Vocabulary().read('age', [f'name {i}' for i in range(40)], 'table')


def test_words_are_given_a_meaning():
    words = parse_vocabulary(
        ['diagnosis:liver=abscess=Hcc', 'diagnosis:normal=', 'sex:オス=m', 'age:unknown='],
        ['FNH', '肝嚢胞'],
    )
    meanings = {
        'LIVER=ABSCESS': 'HCC',
        'Normal': '',
        'fnh': None,
        'ＦＮＨ': None,
        'cyst': None,
        'Meta': 'Meta',
    }
    assert words.read_diagnoses(meanings, 'table') == meanings
    assert words.read('sex', ['オス'], 'table') == {'オス': 'M'}
    assert words.read('age', ['unknown', '7'], 'table') == {'unknown': None, '7': 7}
    assert words.says('diagnosis', 'NORMAL') and not words.says('diagnosis', 'Meta')


def test_what_is_mapped_to_a_dropped_diagnosis_is_dropped():
    words = parse_vocabulary(['diagnosis:hepatoma=HCC'], ['hcc'])
    assert words.read_diagnoses(['hepatoma', 'HCC', 'cyst'], 't') == {
        'hepatoma': None, 'HCC': None, 'cyst': 'cyst'
    }  # fmt: skip


@pytest.mark.parametrize(
    'option, named',
    [
        pytest.param('FNH=HCC', 'no FIELD:FROM=TO', id='no field'),
        pytest.param('diagnosis:FNH', 'no FIELD:FROM=TO', id='no meaning'),
        pytest.param('color:red=blue', "the field 'color'", id='unknown field'),
        pytest.param('diagnosis:FNH=FNH', "found 'FNH'; expected one of cyst", id='unknown word'),
        pytest.param('age:x=old', "found 'old'; expected whole years", id='no number'),
    ],
)
def test_bad_value_option(option, named):
    with pytest.raises(InputError) as error:
        parse_vocabulary([option])
    assert str(error.value).startswith(f'--value {option}: found ') and named in str(error.value)


def test_two_meanings_of_one_word():
    with pytest.raises(InputError, match='two meanings'):
        parse_vocabulary(['diagnosis:x=HCC', 'diagnosis:X=cyst'])
