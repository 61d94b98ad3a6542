"""Whole grids with tools that only pretend to train (`fake_tools.py`)."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_folds import prepared

from mmdet_liver.cli import run_tool
from mmdet_liver.errors import InputError
from mmdet_liver.reproduction import run as run_module
from mmdet_liver.reproduction.claiming import claimed
from mmdet_liver.reproduction.devices import choose_devices
from mmdet_liver.reproduction.grid import read_grid
from mmdet_liver.reproduction.logs import seconds_of
from mmdet_liver.reproduction.plan import make_plan
from mmdet_liver.reproduction.run import describe, reproduce
from mmdet_liver.reproduction.running import prepare

GRID = """
data: {root: DATA, folds: 2, val_share: 0.2}
seeds: [0, 1]
epochs: 2
resamples: 20
pretraining:
  simsiam: {config: busi/simsiam_r18_1xb64-coslr-200e_busi-128, epochs: 1}
arms:
  flex: {config: busi/centernet_r18_flex_1xb4-60e_busi2-256}
  fix: {config: busi/centernet_r18_fix_1xb4-60e_busi2-256, pretraining: simsiam}
  step: {config: busi/centernet_r18_stepwise_1xb4-60e_busi2-256, pretraining: simsiam}
compare: [[fix, flex]]
"""


@pytest.fixture(scope='module')
def tools(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tools')
    for name in ('train', 'test', 'pretrain', 'evaluate'):
        shutil.copy(Path(__file__).with_name('fake_tools.py'), folder / f'{name}.py')
    return folder


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp('busi') / 'data')


def grid_of(data, folder, text=GRID):
    path = folder / 'grid.yaml'
    path.write_text(text)
    return read_grid(path, data)


@pytest.fixture(scope='module')
def finished(data, tools, tmp_path_factory):
    """The whole grid, once; tests that change it copy it."""
    out = tmp_path_factory.mktemp('finished') / 'out'
    lines = []
    grid = grid_of(data, out.parent)
    assert reproduce(grid, out, tools, jobs_at_a_time=2, device='cpu', tell=lines.append) == []
    return out, lines


def starts(out, job):
    return (out / job / 'train/starts').read_text().split()


def content(out):
    return json.loads((out / 'results.json').read_text())


def test_pretraining_is_shared_by_arms_and_own_to_fold_and_seed(finished):
    out, lines = finished
    assert lines[0] == '16 jobs of 52 steps, 52 of them to run'
    for fold in (0, 1):
        for seed in (0, 1):
            assert starts(out, f'fold{fold}/pretraining/simsiam/seed{seed}') == ['new']
            command = (out / f'fold{fold}/step/seed{seed}/commands.txt').read_text()
            checkpoint = out / f'fold{fold}/pretraining/simsiam/seed{seed}/train'
            assert f'init_cfg.checkpoint={checkpoint}' in command
            assert f'randomness.seed={seed}' in command
            assert f'LIVER_DATA={out}/data/fold{fold}/' in command


def test_numbers_are_those_of_the_fake_detector(finished, data):
    arms = content(finished[0])['arms']
    # Half the lesions are found with seed 0, two thirds with seed 1.
    boxes = [json.loads((data / f'annotations/{n}.json').read_text()) for n in
             ('train', 'val', 'test')]  # fmt: skip
    files = [finished[0] / f'data/fold{f}/annotations/test.json' for f in (0, 1)]
    tested = [a for f in files for a in json.loads(f.read_text())['annotations']]
    assert sum(len(b['annotations']) for b in boxes) - 2 == len(tested)  # two are held for train
    for seed in (0, 1):
        found = [a for a in tested if a['id'] % (seed + 2)]
        matrix = [[0] * 3 for _ in range(3)]
        for a in tested:
            called = a['category_id'] if a['image_id'] % 2 == 0 else 1
            matrix[a['category_id']][called if a in found else 0] += 1
        assert arms['flex']['seeds'][str(seed)]['confusion_matrix'] == matrix
    f1 = [arms['flex']['seeds'][s]['f1'] for s in '01']
    assert arms['flex']['mean']['f1'] == pytest.approx(sum(f1) / 2)
    assert arms['fix']['mean']['AP50'] == 0.5


def test_results_are_written_with_every_folder(finished):
    out = finished[0]
    found = content(out)
    assert found['missing'] == [] and len(found['runs']) == 12
    assert all((out / run['folder'] / 'report/metrics.json').is_file() for run in found['runs'])
    (comparison,) = found['comparisons']
    assert comparison['settings']['at_chosen']['mean']['f1']['difference'] == 0
    text, page = ((out / name).read_text() for name in ('results.md', 'results.html'))
    assert 'fold1/step/seed1' in text and '| step | 2 of 2 | 0.5000 |' in text
    assert page.count('<table>') == 5 and 'data:image/png' in page
    assert (out / 'confusion_matrices.png').is_file() and (out / 'fix_minus_flex.png').is_file()


def test_what_is_finished_is_not_run_again(finished, data, tools):
    out = finished[0]
    assert describe(grid_of(data, out.parent), out, tools).startswith('16 jobs of 52 steps, 0 of')
    assert reproduce(grid_of(data, out.parent), out, tools, device='cpu') == []
    assert starts(out, 'fold0/step/seed0') == ['new']


def test_a_failed_run_is_told_and_the_rest_goes_on(data, tools, tmp_path, monkeypatch):
    grid = grid_of(data, tmp_path)
    monkeypatch.setenv('FAKE_FAIL', 'fold1/pretraining')
    out = tmp_path / 'out'
    lines = []
    failed = reproduce(grid, out, tools, ['fix'], 'cpu', tell=lines.append)
    assert len(failed) == 4 and 'ValueError: told to fail' in failed[0]
    assert 'its pretraining failed' in failed[1] and set(failed) <= set(lines)
    found = content(out)
    assert [(r['arm'], r['fold'], r['seed']) for r in found['runs']] == [
        ('fix', 0, 0), ('fix', 0, 1)]  # fmt: skip
    assert found['arms']['fix']['mean'] is None  # no seed has both folds
    assert found['comparisons'][0]['settings'] is None
    assert '| fix | 0 of 2 | – |' in (out / 'results.md').read_text()
    monkeypatch.delenv('FAKE_FAIL')
    assert reproduce(grid, out, tools, ['fix'], 'cpu') == []
    assert len(content(out)['runs']) == 4
    assert starts(out, 'fold0/fix/seed0') == ['new']


def test_a_changed_option_runs_that_arm_anew_and_sets_the_old_aside(
    finished, data, tools, tmp_path
):
    out = tmp_path / 'out'
    shutil.copytree(finished[0], out, symlinks=True)
    text = GRID.replace('fix: {', 'fix: {cfg_options: {optim_wrapper.optimizer.lr: 0.1}, ')
    grid = grid_of(data, tmp_path, text)
    plan = make_plan(grid, out, tools)
    assert [job.name for job in plan if job.kind == 'arm' and run_module.missing_steps(job)] == [
        'fix'] * 4  # fmt: skip
    reproduce(grid, out, tools, device='cpu')
    assert starts(out, 'fold0/fix/seed0') == ['new']
    (aside,) = (out / 'fold0/fix').glob('seed0.of-*')
    assert (aside / 'report/metrics.json').is_file()


def test_where_the_data_lie_plays_no_part(finished, data, tools, tmp_path):
    inputs = {job.label: job.inputs for job in make_plan(grid_of(data, tmp_path), tmp_path, tools)}
    shutil.copytree(data, tmp_path / 'moved')
    moved = make_plan(grid_of(tmp_path / 'moved', tmp_path), tmp_path / 'other', tools)
    assert {job.label: job.inputs for job in moved} == inputs
    annotations = tmp_path / 'moved/annotations/test.json'
    annotations.write_text(annotations.read_text().replace('[4, 4, 20, 20]', '[4, 4, 21, 20]'))
    changed = make_plan(grid_of(tmp_path / 'moved', tmp_path), tmp_path / 'other', tools)
    assert not set(inputs.values()) & {job.inputs for job in changed}


TOOL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import reproduce
reproduce.TOOLS = Path(sys.argv[2])
from mmdet_liver.cli import run_tool
run_tool(lambda: reproduce.main(sys.argv[3:]))
"""


def started(grid, out, tools, **environment):
    """tools/reproduce.py on the pretended tools, in a process of its own."""
    repository = Path(__file__).parents[2]
    command = [sys.executable, '-c', TOOL, repository / 'tools', tools, grid.path, '--out', out,
               '--data', grid.data.root, '--device', 'cpu', '--only', 'flex']  # fmt: skip
    return subprocess.Popen(
        list(map(str, command)), env={**os.environ, **environment, 'PYTHONPATH': str(repository)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip


def wait_for(path):
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f'{path} did not appear')


def test_other_resamples_write_the_reports_anew_and_train_nothing(finished, data, tools, tmp_path):
    out = tmp_path / 'out'
    shutil.copytree(finished[0], out, symlinks=True)
    for change in ('resamples: 30', 'resamples: 30\ngroup_by: file_name', 'resamples: 30'):
        grid = grid_of(data, tmp_path, GRID.replace('resamples: 20', change))
        jobs = [job for job in make_plan(grid, out, tools) if job.kind == 'arm']
        assert [[step.name for step in run_module.missing_steps(j)] for j in jobs] == [
            ['report']] * 12  # fmt: skip
        assert reproduce(grid, out, tools, device='cpu') == []
    assert starts(out, 'fold0/step/seed0') == ['new']
    assert (out / 'fold0/step/seed0/commands.txt').read_text().endswith('--resamples 30\n')


def test_commands_are_lines_for_a_shell(data, tools, tmp_path):
    out = tmp_path / 'a(b)&c'
    (job,) = [j for j in make_plan(grid_of(data, tmp_path), out, tools)
              if j.label == 'step, fold 1, seed 0']  # fmt: skip
    prepare(job)
    best = job.folder / 'train/best_x_epoch_1.pth'
    best.parent.mkdir()
    best.touch()
    lines = (job.folder / 'commands.txt').read_text().splitlines()
    for line, step in zip(lines, job.steps, strict=True):
        said = subprocess.run(['bash', '-c', f'printf "%s\\n" {line}'], capture_output=True,
                              text=True, check=True)  # fmt: skip
        command = [str(best) if word == '{best}' else word for word in step.command]
        assert said.stdout.splitlines() == [f'LIVER_DATA={job.data}/', *command]


def test_a_table_that_cannot_be_written_stops_no_training(data, tools, tmp_path, monkeypatch):
    def broken(content, folder):
        raise RuntimeError('no font')

    monkeypatch.setattr(run_module, 'write_results', broken)
    grid = grid_of(data, tmp_path, GRID.replace('[0, 1]', '[0]'))
    lines = []
    with pytest.raises(RuntimeError):  # in the end
        reproduce(grid, tmp_path / 'out', tools, ['flex'], 'cpu', tell=lines.append)
    assert lines.count('tables not written: RuntimeError: no font') == 2
    assert not any('failed' in line for line in lines)
    assert describe(grid, tmp_path / 'out', tools, ['flex']).startswith('2 jobs of 8 steps, 0 of')


def test_a_finished_training_is_marked_before_checkpoints_go(data, tools, tmp_path, monkeypatch):
    def full(folder):
        raise OSError('disk')

    monkeypatch.setattr('mmdet_liver.reproduction.running.drop_optimizer_states', full)
    grid = grid_of(data, tmp_path, GRID.replace('[0, 1]', '[0]'))
    assert len(reproduce(grid, tmp_path / 'out', tools, ['flex'], 'cpu')) == 2
    monkeypatch.undo()
    assert reproduce(grid, tmp_path / 'out', tools, ['flex'], 'cpu') == []
    assert starts(tmp_path / 'out', 'fold0/flex/seed0') == ['new']


def test_annotations_that_are_not_there_are_told_before_anything_runs(data, tools, tmp_path):
    moved = tmp_path / 'data'
    shutil.copytree(data, moved)
    text = GRID.replace('data: {root: DATA, folds: 2, val_share: 0.2}', 'data: {root: DATA}')
    grid = grid_of(moved, tmp_path, text)
    assert len(make_plan(grid, tmp_path / 'out', tools)) == 8
    (moved / 'annotations/test.json').unlink()
    with pytest.raises(InputError, match='annotations/test.json: found no such file'):
        make_plan(grid, tmp_path / 'out', tools)


def test_every_annotation_file_counts_where_all_have_one_name(data, tools, tmp_path):
    moved = tmp_path / 'data'
    shutil.copytree(data, moved)
    text = GRID.replace('data: {root: DATA, folds: 2, val_share: 0.2}', 'data: {root: DATA}')
    named = {}
    for split in ('train', 'val', 'test'):
        (moved / split).mkdir()
        shutil.copy(moved / f'annotations/{split}.json', moved / split / 'labels.json')
        where = 'train_dataloader.dataset' if split == 'train' else f'{split}_evaluator.0'
        named[f'{where}.ann_file'] = f'{split}/labels.json'
    text += f'cfg_options: {json.dumps(named)}\n'
    found = set()
    for split in (None, 'train', 'val', 'test'):
        if split:
            with (moved / split / 'labels.json').open('a') as file:
                file.write(' ')
        plan = make_plan(grid_of(moved, tmp_path, text), tmp_path / 'out', tools)
        found.add(next(job.inputs for job in plan if job.name == 'flex'))
    assert len(found) == 4


def test_a_checkpoint_that_is_not_there_stops_only_the_arms_that_start_from_it(
    data, tools, tmp_path
):
    backbone, out = tmp_path / 'backbone.pth', tmp_path / 'out'
    text = GRID.replace('arms:', f'  given: {{checkpoint: {backbone}}}\narms:')
    text = text.replace('pretraining: simsiam}\n  step', 'pretraining: given}\n  step')
    grid = grid_of(data, tmp_path, text.replace('[0, 1]', '[0]'))
    failed = reproduce(grid, out, tools, device='cpu')
    assert [line.split(';')[0] for line in failed] == [
        'fix, fold 0, seed 0: left out', 'fix, fold 1, seed 0: left out'
    ]  # fmt: skip
    assert all('backbone.pth: found no such file' in line for line in failed)
    assert not (out / 'fold0/fix').exists()
    assert content(out)['arms']['flex']['finished_seeds'] == [0]
    backbone.write_text('made')
    assert reproduce(grid, out, tools, device='cpu') == []
    assert starts(out, 'fold0/flex/seed0') == starts(out, 'fold0/fix/seed0') == ['new']
    commands = (out / 'fold0/fix/seed0/commands.txt').read_text()
    assert f'init_cfg.checkpoint={backbone}' in commands


def test_arms_scored_on_other_lesions_have_their_rows_and_no_difference(data, tools, tmp_path):
    moved = tmp_path / 'data'
    shutil.copytree(data, moved)
    content_of = json.loads((moved / 'annotations/test.json').read_text())
    content_of['annotations'].pop()
    (moved / 'annotations/fewer.json').write_text(json.dumps(content_of))
    text = GRID.replace('data: {root: DATA, folds: 2, val_share: 0.2}', 'data: {root: DATA}')
    fewer = 'test_evaluator.0.ann_file: annotations/fewer.json'
    text = text.replace('flex: {', f'flex: {{cfg_options: {{{fewer}}}, ')
    assert reproduce(grid_of(moved, tmp_path, text), tmp_path / 'out', tools, device='cpu') == []
    found = content(tmp_path / 'out')
    assert [part['arms'] for part in found['drawn']] == [['flex'], ['fix', 'step']]
    lesions = [sum(map(sum, found['arms'][name]['confusion_matrix'])) for name in ('flex', 'fix')]
    assert lesions[0] + 1 == lesions[1]
    assert found['comparisons'][0]['settings'] is None


def test_a_killed_grid_goes_on_where_it_was(data, tools, tmp_path):
    grid = grid_of(data, tmp_path, GRID.replace('[0, 1]', '[0]'))
    out, job = tmp_path / 'out', 'fold1/flex/seed0'
    waiting = {'FAKE_SLEEP': f'{job}/train --resume'}
    first = started(grid, out, tools, **waiting)
    wait_for(out / job / 'train/last_checkpoint')
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 130 and 'failed' not in said
    second = started(grid, out, tools, **waiting)
    wait_for(out / job / 'logs/train-2.log')
    second.kill()
    second.communicate(timeout=60)
    # What it left at work keeps others out.
    third = started(grid, out, tools)
    said, _ = third.communicate(timeout=120)
    assert third.returncode == 1 and 'still at work' in said
    end_orphan(str(out / job / 'train'))
    assert reproduce(grid, out, tools, ['flex'], 'cpu') == []
    assert starts(out, job) == ['new', 'resumed', 'resumed']
    assert starts(out, 'fold0/flex/seed0') == ['new']
    assert len(list((out / job / 'logs').glob('train-*.log'))) == 3
    assert content(out)['arms']['flex']['finished_seeds'] == [0]


def end_orphan(words):
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            if words in (folder / 'cmdline').read_text().split('\0'):
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            continue
    time.sleep(0.3)


def test_a_folder_is_claimed_once(tmp_path):
    folder = tmp_path / 'seed0'
    with claimed(folder), pytest.raises(InputError, match='still at work'), claimed(folder):
        pass
    with claimed(folder):
        pass


def test_time_of_all_starts_adds_up(tmp_path):
    for number, (begin, end) in enumerate([(100.0, 130.5), (1000.0, 1010.0)], start=1):
        log = tmp_path / f'train-{number}.log'
        log.write_text(f'started {begin:.3f}: python train.py\nEpoch(train) [1][ 5/23]\n')
        os.utime(log, (end, end))
    (tmp_path / 'train-3.log').write_text('')
    (tmp_path / 'test-1.log').write_text('started 5.000: x')
    assert seconds_of(tmp_path, 'train') == 40.5


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr('mmdet_liver.reproduction.devices.gpu_names', lambda: {'0': 'A', '1': 'B'})
    assert [d.name for d in choose_devices('auto', 3)] == ['A', 'B', 'A']
    assert choose_devices('cuda:1', 1)[0].environment == {'CUDA_VISIBLE_DEVICES': '1'}
    no_gpu = {'CUDA_VISIBLE_DEVICES': ''}
    monkeypatch.setattr('mmdet_liver.reproduction.devices._cores', lambda: 5)
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert choose_devices('cpu', 1)[0].environment == no_gpu
    assert choose_devices('cpu', 2)[1].environment == {**no_gpu, 'OMP_NUM_THREADS': '2'}
    assert choose_devices('cpu', 9)[0].environment == {**no_gpu, 'OMP_NUM_THREADS': '1'}
    monkeypatch.setenv('OMP_NUM_THREADS', '4')  # the user's own choice
    assert choose_devices('cpu', 2)[1].environment == no_gpu
    for wrong in ('cuda:2', 'tpu', 'cuda:x'):
        with pytest.raises(InputError, match='--device'):
            choose_devices(wrong, 1)


def test_unknown_arm_is_one_line(data, tmp_path, capsys, monkeypatch):
    grid = grid_of(data, tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / 'tools'))
    import reproduce as tool

    with pytest.raises(SystemExit) as ended:
        run_tool(lambda: tool.main([str(grid.path), '--only', 'none']))
    assert ended.value.code == 2 and '--only: found none' in capsys.readouterr().err
