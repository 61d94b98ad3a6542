"""tools/reproduce.py with the real tools, on the shipped tiny grid and a phantom."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmdet_liver.paths import config_root

ROOT = Path(__file__).resolve().parents[2]
GRID = config_root() / 'grids/phantom_tiny.yaml'


def run(*command):
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, command)],
        cwd=ROOT,
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    raw, out = tmp_path_factory.mktemp('raw') / 'export', tmp_path_factory.mktemp('grid')
    run('tools/make_phantom.py', raw, '--patients', 10, '--seed', 3)
    run('tools/prepare_data.py', raw / 'manifest.csv', '--truth', raw / 'truth.csv',
        '--out', out / 'data', '--max-side', 96, '--ratios', 6, 2, 2)  # fmt: skip
    command = ['tools/reproduce.py', GRID, '--data', out / 'data', '--out', out / 'runs']
    # `flex` is left for the table to show as missing.
    said = run(*command, '--only', 'stepwise', '--device', 'cpu')
    return out / 'runs', said, command


def test_pretrains_trains_tests_and_reports(finished):
    out, said, _ = finished
    assert '2 jobs of 5 steps, 5 of them to run' in said
    found = json.loads((out / 'results.json').read_text())
    arm = found['arms']['stepwise']
    assert arm['finished_seeds'] == [0] and arm['training_seconds'] > 0
    assert arm['mean']['intervals']['f1'] and set(arm['mean']['per_class']) == {
        'cyst', 'HCC', 'hemangioma', 'Meta'}  # fmt: skip
    for run_ in found['runs']:
        report = json.loads((out / run_['folder'] / 'report/metrics.json').read_text())
        assert report['mean']['f1'] == run_['f1'] and report['score_thr'] == run_['score_thr']
        assert report['score_thr_source'].startswith('chosen on')
        test = json.loads((out.parent / 'data/annotations/test_truth.json').read_text())
        assert report['images'] == len(test['images'])
        log = (out / run_['folder'] / 'logs/train-1.log').read_text()
        assert 'StepwiseUnfreezeHook' in log
        # Only what is needed later is kept.
        names = [path.name for path in (out / run_['folder'] / 'train').glob('*.pth')]
        assert len(names) == 1 and names[0].startswith('best_')


def test_the_other_arm_is_shown_as_missing(finished):
    text = (finished[0] / 'results.md').read_text()
    assert '| flex | 0 of 1 | – |' in text and '| stepwise | 1 of 1 | 0.' in text


def test_nothing_is_left_to_do_for_that_arm(finished):
    said = run(*finished[2], '--only', 'stepwise', '--dry-run')
    assert '0 of them to run' in said
    whole = run(*finished[2], '--dry-run')
    assert '4 of them to run' in whole and 'tools/train.py' in whole
