"""Running the hosts' own scripts in this process."""

import sys

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.host import host_script, run_host_script


@pytest.mark.parametrize('package', ['mmdet', 'mmpretrain'])
def test_missing_config_is_one_line(package):
    before = list(sys.argv)
    with pytest.raises(InputError, match='no_such_config.py: found no such file'):
        run_host_script(package, 'train.py', ['no_such_config.py'])
    assert sys.argv == before


def test_options_are_the_hosts_own(capsys):
    with pytest.raises(SystemExit) as end:
        run_host_script('mmdet', 'test.py', ['--help'])
    assert end.value.code == 0 and '--show-dir' in capsys.readouterr().out


@pytest.mark.parametrize(
    'package, script', [('no_such_package', 'train.py'), ('mmdet', 'no_such_script.py')]
)
def test_missing_script_is_one_line(package, script):
    with pytest.raises(InputError, match='install'):
        host_script(package, script)


def test_a_file_that_was_not_asked_for_keeps_its_own_error(monkeypatch):
    def script(*args, **kwargs):
        open('/no/such/file/of/the/host')  # noqa: SIM115, PTH123

    monkeypatch.setattr('mmdet_liver.host.runpy.run_path', script)
    with pytest.raises(FileNotFoundError, match='Errno 2'):
        run_host_script('mmdet', 'test.py', ['--wait-time', '2'])
