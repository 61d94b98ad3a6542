import os
import signal
import subprocess
import sys
import time

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.parallel import map_in_order


def square(number):
    if number == 13:
        raise InputError('thirteen')
    return number * number


@pytest.mark.parametrize('workers, chunksize', [(1, 1), (2, 1), (2, 7), (3, 100)])
def test_results_in_order_and_those_before_an_error(workers, chunksize):
    found = []
    with pytest.raises(InputError, match='^thirteen$'):
        for value in map_in_order(
            square, range(40), label='', workers=workers, chunksize=chunksize
        ):
            found.append(value)
    assert found == [n * n for n in range(13)]
    fine = map_in_order(square, range(14, 50), label='', workers=workers, chunksize=chunksize)
    assert list(fine) == [n * n for n in range(14, 50)]


def test_workers_of_a_killed_parent_end(tmp_path):
    code = (
        'import os, sys, time\n'
        'from mmdet_liver.preparation.parallel import map_in_order\n'
        'def work(path):\n'
        '    with open(path, "a") as file:\n'
        '        file.write(f"{os.getpid()}\\n")\n'
        '    time.sleep(60)\n'
        'if __name__ == "__main__":\n'
        '    list(map_in_order(work, [sys.argv[1]] * 9, label="", workers=2))\n'
    )
    (tmp_path / 'run.py').write_text(code)
    parent = subprocess.Popen([sys.executable, tmp_path / 'run.py', tmp_path / 'pids'])
    pids = wait_for(lambda: (tmp_path / 'pids').exists() and read_pids(tmp_path / 'pids'))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_for(lambda: not any(map(is_alive, pids))), 'orphans'


def read_pids(path):
    pids = [int(line) for line in path.read_text().split()]
    return pids if len(pids) == 2 else None


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    return None


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Dead, but nobody has asked for its status.
    with open(f'/proc/{pid}/stat') as file:  # noqa: PTH123
        return file.read().rpartition(')')[2].split()[0] != 'Z'
