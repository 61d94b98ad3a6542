import errno
import subprocess
import sys

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.files import whole_file
from mmdet_liver.preparation.work_folder import work_folder


def test_a_second_run_is_refused_and_a_dead_one_is_not(tmp_path):
    code = (
        'import os, sys\n'
        'from mmdet_liver.preparation.work_folder import work_folder\n'
        'with work_folder(sys.argv[1]):\n'
        '    print("in", flush=True)\n'
        '    sys.stdin.readline()\n'
        '    os._exit(9)\n'
    )
    other = subprocess.Popen(
        [sys.executable, '-c', code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline() == b'in\n'
    with pytest.raises(InputError, match='another run at work'), work_folder(tmp_path):
        pass
    other.communicate(b'\n')
    with work_folder(tmp_path) as folder:
        assert folder == tmp_path / '.work' and folder.is_dir()


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    (tmp_path / 'images').mkdir()
    with whole_file(tmp_path / 'images/a.png') as temporary:
        temporary.write_bytes(b'whole')
        left = temporary.with_name(temporary.name.replace('.png', 'x.png'))
        left.write_bytes(b'ha')
    assert left.exists()
    with work_folder(tmp_path):
        assert [p.name for p in (tmp_path / 'images').iterdir()] == ['a.png']


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(InputError) as error, work_folder(tmp_path):
        raise OSError(errno.ENOSPC, 'No space left on device', str(tmp_path / 'images/a.png'))
    assert 'images/a.png: found No space left on device' in str(error.value)
    assert 'goes on where it was' in str(error.value)
