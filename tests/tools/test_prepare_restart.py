"""A preparation that is killed, or runs out of disk, and is started again."""

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmdet_liver.preparation.phantom.export import make_phantom

TOOL = Path(__file__).parents[2] / 'tools/prepare_data.py'


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp('raw')
    make_phantom(folder, patients=10, seed=2)
    return folder


@pytest.fixture(scope='module')
def script(tmp_path_factory):
    # The tool in a process of its own, few images made to be worth two workers.
    path = tmp_path_factory.mktemp('script') / 'run.py'
    path.write_text(
        'import runpy\n'
        'import mmdet_liver.preparation.parallel as parallel\n'
        'parallel.WORTH_A_PROCESS = 2\n'
        f"if __name__ == '__main__':\n    runpy.run_path({str(TOOL)!r}, run_name='__main__')\n"
    )
    return path


@pytest.fixture(scope='module')
def undisturbed(raw, script, tmp_path_factory):
    out = tmp_path_factory.mktemp('undisturbed')
    done = subprocess.run(command(script, raw, out), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return content(out)


def command(script, raw, out):
    options = ['--workers', '2', '--max-pages', '1']
    return [sys.executable, script, raw / 'manifest.csv', '--out', out, *options]


def content(folder):
    """Every file, those for the next run too; only the lock is empty and may be missing."""
    files = (p.relative_to(folder) for p in folder.rglob('*') if p.is_file())
    return {p: (folder / p).read_bytes() for p in files if p.name != 'lock'}


def lines(path):
    return path.read_bytes().count(b'\n') if path.exists() else 0


def files(folder):
    return sum(1 for path in folder.rglob('*') if path.is_file())


MOMENTS = {
    'measuring': lambda out: lines(out / '.work/measured.jsonl') >= 20,
    'placing': lambda out: files(out / 'images') >= 15,
    'placing marked ones': lambda out: lines(out / '.work/placed.jsonl') >= 10,
    'the sheets': lambda out: (out / 'cleansing.csv').exists() or (out / 'review').exists(),
}


@pytest.mark.parametrize('moments', [['placing'], list(MOMENTS)], ids=' then '.join)
def test_killed_and_run_again_it_ends_with_the_same_bytes(
    raw, script, undisturbed, tmp_path, moments
):
    out = tmp_path / 'out'
    for moment in moments:
        kill_at(command(script, raw, out), lambda moment=moment: MOMENTS[moment](out))
        assert not (out / 'annotations/train.json').exists()
    again = subprocess.run(command(script, raw, out), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert content(out) == undisturbed


def kill_at(argv, reached):
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not reached():
        assert process.poll() is None, 'ended before it could be killed'
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_measurements_of_a_killed_run_are_not_made_again(raw, script, undisturbed, tmp_path):
    out = tmp_path / 'out'
    kill_at(command(script, raw, out), lambda: MOMENTS['placing'](out))
    journal = out / '.work/measured.jsonl'
    first, *rest = journal.read_text().splitlines()
    # A measurement that nobody would make shows that it is taken from there.
    told = first.replace('"text"', '"caliper"') if '"text"' in first else first
    marked = [line for line in rest if '"text"' in line]
    rest[rest.index(marked[0])] = marked[0].replace('"text"', '"caliper"')
    journal.write_text('\n'.join([told, *rest]) + '\n')
    assert subprocess.run(command(script, raw, out), capture_output=True).returncode == 0
    assert content(out)[Path('cleansing.csv')] != undisturbed[Path('cleansing.csv')]


def test_a_full_disk_is_one_line_and_loses_nothing(raw, script, undisturbed, tmp_path):
    out = tmp_path / 'out'

    def limit():
        # A file that may not grow is refused as one is on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    full = subprocess.run(command(script, raw, out), preexec_fn=limit, capture_output=True)
    assert full.returncode == 2 and b'Traceback' not in full.stderr
    last = full.stderr.decode().splitlines()[-1]
    assert last.startswith('error: ') and 'File too large' in last and 'again' in last
    assert not (out / 'annotations').exists()
    assert not list(out.rglob('.partial-*'))
    assert subprocess.run(command(script, raw, out), capture_output=True).returncode == 0
    assert content(out) == undisturbed
