import json
import stat

import pytest

from mmdet_liver.cli import run_tool
from mmdet_liver.errors import InputError, input_error
from mmdet_liver.files import whole_file, write_json, write_text


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_file_appears_whole_with_missing_parents(tmp_path):
    path = tmp_path / 'new' / 'a.txt'
    with whole_file(path) as temporary:
        temporary.write_text('x')
        assert not path.exists() and temporary.suffix == '.txt'
    assert path.read_text() == 'x' and names(path.parent) == ['a.txt']


@pytest.mark.parametrize('error', [OSError('disk full'), KeyboardInterrupt()])
def test_failure_leaves_what_was_there(tmp_path, error):
    write_text(tmp_path / 'a.txt', 'old')
    with pytest.raises(type(error)), whole_file(tmp_path / 'a.txt') as temporary:
        temporary.write_text('half')
        raise error
    assert (tmp_path / 'a.txt').read_text() == 'old' and names(tmp_path) == ['a.txt']


def test_file_has_the_rights_of_any_new_file(tmp_path):
    write_text(tmp_path / 'a.txt', 'x')
    (tmp_path / 'b.txt').write_text('x')
    rights = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ('a.txt', 'b.txt')]
    assert rights[0] == rights[1]


@pytest.mark.parametrize(
    'indent, text',
    [
        pytest.param(None, '{"a":[1,"肝"]}\n', id='compact'),
        pytest.param(1, '{\n "a": [\n  1,\n  "肝"\n ]\n}\n', id='for reading'),
    ],
)
def test_json(tmp_path, indent, text):
    write_json(tmp_path / 'a.json', {'a': [1, '肝']}, indent)
    assert (tmp_path / 'a.json').read_text(encoding='utf-8') == text
    assert json.loads(text) == {'a': [1, '肝']}


def test_json_refuses_what_is_no_json_and_keeps_the_old_file(tmp_path):
    write_json(tmp_path / 'a.json', 1)
    with pytest.raises(ValueError, match='JSON compliant'):
        write_json(tmp_path / 'a.json', float('nan'))
    assert (tmp_path / 'a.json').read_text() == '1\n' and names(tmp_path) == ['a.json']


@pytest.mark.parametrize(
    'outcome, status, message',
    [
        pytest.param(None, 0, '', id='no status'),
        pytest.param(1, 1, '', id='a status'),
        pytest.param(
            input_error('a.csv, line 2', 'x', 'y', 'mend it'),
            2,
            'error: a.csv, line 2: found x; expected y; mend it\n',
            id='bad input',
        ),
        pytest.param(
            InputError('Traceback:\n  ...\nmmdet_liver.errors.InputError: m'),
            2,
            'error: m\n',
            id="bad input in a loader's worker",
        ),
        pytest.param(
            KeyboardInterrupt(), 130, 'interrupted; finished files are kept\n', id='Ctrl-C'
        ),
    ],
)
def test_tool_leaves_with_a_status_and_one_line(capsys, outcome, status, message):
    def main():
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    with pytest.raises(SystemExit) as left:
        run_tool(main)
    assert (left.value.code or 0, capsys.readouterr().err) == (status, message)


def test_other_exceptions_are_ours_and_keep_their_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_tool(main)
