"""The doctor's probes, and the tool itself in environments that were broken on purpose."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmdet_liver.environment.facts import probe

TOOL = Path(__file__).parents[1] / 'tools/doctor.py'


@pytest.mark.parametrize(
    'code, expected',
    [
        pytest.param('found["a"] = 1', {'ok': True, 'a': 1}, id='works'),
        pytest.param(
            'raise ImportError("a\\nb")', {'ok': False, 'error': 'ImportError: a b'}, id='raises'
        ),
        pytest.param(
            'print("noise"); raise SystemExit(3)',
            {'ok': False, 'error': 'Python ended with status 3'},
            id='leaves',
        ),
        pytest.param(
            'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)',
            {'ok': False, 'error': 'Python died of SIGSEGV'},
            id='crashes',
        ),
        pytest.param(
            'import time; time.sleep(60)',
            {'ok': False, 'error': 'no answer within 1 s'},
            id='hangs',
        ),
    ],
)
def test_probe_outlives_what_it_tries(code, expected):
    assert probe(code, timeout_s=1 if 'sleep' in code else 60) == expected


@pytest.mark.parametrize(
    'fakes, problem, command',
    [
        pytest.param(
            {'cv2': 'raise ImportError("libGL.so.1: cannot open shared object file")'},
            'OpenCV',
            'pip install --no-deps opencv-python-headless',
            id='libGL missing',
        ),
        pytest.param(
            {'torch': 'import os\nos.abort()', 'cv2': ''},
            'torch',
            'pip install torch torchvision',
            id='torch aborts Python',
        ),
    ],
)
def test_tool_in_a_broken_environment(tmp_path, fakes, problem, command):
    # A numpy that fails keeps the slow probes, which work here, from being tried.
    for name, code in {'numpy': 'raise ImportError("sabotaged")', **fakes}.items():
        (tmp_path / f'{name}.py').write_text(code)
    done = subprocess.run(
        [sys.executable, TOOL], capture_output=True, text=True, env={'PYTHONPATH': str(tmp_path)}
    )
    assert done.returncode == 1 and 'Traceback' not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.split()[:2] == ['PROBLEM', problem])
    assert command in lines[at + 1]
    assert 'sabotaged' in done.stdout and 'cannot work' in done.stderr


def test_tool_runs_without_any_package_at_all(tmp_path):
    # -S: no site-packages, so not even mmdet_liver is installed. The probes' own processes
    # do have them; a numpy and a torch that fail keep the slow ones from being tried.
    for name in ('numpy', 'torch'):
        (tmp_path / f'{name}.py').write_text('raise ImportError("sabotaged")')
    done = subprocess.run(
        [sys.executable, '-S', TOOL, '--json'],
        capture_output=True,
        text=True,
        env={'PYTHONPATH': str(tmp_path)},
    )
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert json.loads(done.stdout)['distributions']['mmdet_liver'] is None
