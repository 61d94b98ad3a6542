"""The whole line on a phantom of a dozen patients, every step as a user calls it.

One data set, one pretraining and one short training serve all tests of this file.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmdet_liver import config_path

ROOT = Path(__file__).resolve().parents[2]
CENTERNET = 'demo/centernet_r18w32_stepwise_1xb16_phantom4-160'
SIMSIAM = 'demo/simsiam_r18w32_1xb64-coslr_phantom-96'


def run(*command, data=None, expect=0):
    """Run a tool in its own process, as hosts keep global state; return what it wrote."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, command)],
        cwd=ROOT,
        env={**os.environ, 'LIVER_DATA': f'{data}/'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == expect, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def error_line(output):
    """The one line that a refused input ends in, without a traceback after it."""
    last = output.strip().splitlines()[-1]
    assert last.startswith('error: '), output[-3000:]
    return last


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    raw, out = tmp_path_factory.mktemp('raw') / 'export', tmp_path_factory.mktemp('data')
    run('tools/make_phantom.py', raw, '--patients', 12, '--seed', 3)
    run('tools/prepare_data.py', raw / 'manifest.csv', '--truth', raw / 'truth.csv',
        '--out', out, '--max-side', 96, '--ratios', 6, 3, 3)  # fmt: skip
    return out


@pytest.fixture(scope='module')
def simsiam(data, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('simsiam')
    small = ['train_dataloader.batch_size=16', 'train_dataloader.num_workers=0']
    small += ['train_dataloader.persistent_workers=False', 'train_cfg.max_epochs=1']
    command = [config_path(SIMSIAM), '--work-dir', work_dir, '--cfg-options', *small]
    run('tools/pretrain.py', *command, data=data)
    return (work_dir / 'last_checkpoint').read_text()


def overrides(simsiam, changes):
    given = {
        'model.backbone.init_cfg.checkpoint': simsiam,
        **{
            f'{split}_dataloader.{key}': value
            for split in ('train', 'val', 'test')
            for key, value in {'num_workers': 0, 'persistent_workers': False}.items()
        },
        'train_cfg.max_epochs': 2,
        'train_cfg.val_interval': 1,
        **changes,
    }
    return ['--cfg-options', *(f'{key}={value}' for key, value in given.items())]


def train(data, simsiam, work_dir, *given, changes=(), script='tools/train.py', expect=0):
    changed = overrides(simsiam, dict(changes))
    command = [script, config_path(CENTERNET), '--work-dir', work_dir, *given, *changed]
    return run(*command, data=data, expect=expect)


def detect(data, checkpoint, work_dir, *given, changes=(), expect=0):
    """tools/test.py; the pretrained weights are not asked for."""
    changed = overrides('not_there', dict(changes))
    command = [config_path(CENTERNET), checkpoint, '--work-dir', work_dir, *given, *changed]
    return run('tools/test.py', *command, data=data, expect=expect)


@pytest.fixture(scope='module')
def trained(data, simsiam, tmp_path_factory):
    """MMDetection's own installed train.py, which knows nothing of this project."""
    import mmdet

    own_script = Path(mmdet.__file__).parent / '.mim/tools/train.py'
    work_dir = tmp_path_factory.mktemp('centernet')
    return work_dir, train(data, simsiam, work_dir, script=own_script)


def test_mmdetections_own_train_script_runs_the_config(trained):
    work_dir, log = trained
    assert (work_dir / 'epoch_2.pth').is_file()
    assert 'frozen_stages 4 -> -1' in log and 'lesion/f1_mean' in log
    assert list(work_dir.rglob('events.out.tfevents*'))


def test_resume_goes_on_where_it_stopped(data, simsiam, trained, tmp_path):
    (tmp_path / 'last_checkpoint').write_text(str(trained[0] / 'epoch_2.pth'))
    longer = {'train_cfg.max_epochs': 3}
    log = train(data, simsiam, tmp_path, '--resume', changes=longer)
    assert 'resumed epoch: 2' in log
    assert 'Saving checkpoint at 3 epochs' in log and 'Saving checkpoint at 2' not in log


def test_resume_of_another_architecture_is_refused(data, simsiam, tmp_path):
    line = error_line(train(data, simsiam, tmp_path, '--resume', simsiam, expect=2))
    assert 'tensors that do not fit' in line and 'neck.' in line


@pytest.fixture(scope='module')
def tested(data, trained, tmp_path_factory):
    report = tmp_path_factory.mktemp('report')
    detect(data, trained[0] / 'epoch_2.pth', report, changes={'test_evaluator.0.out_dir': report})
    return report


def test_test_writes_the_whole_report(tested):
    names = {'metrics.json', 'results.json', 'confusion_matrix.png', 'contact_sheet.png'}
    assert names <= {path.name for path in tested.iterdir()}


def test_evaluate_gives_the_same_numbers_without_a_model(data, tested, tmp_path):
    truth = data / 'annotations/test_truth.json'
    out = run('tools/evaluate.py', truth, tested / 'results.json', '--out-dir', tmp_path)
    ours = json.loads((tested / 'metrics.json').read_text())
    assert json.loads((tmp_path / 'metrics.json').read_text()) == ours
    assert 'over-detections' in out


def test_test_time_augmentation_takes_the_same_checkpoint(data, trained, tmp_path):
    log = detect(data, trained[0] / 'epoch_2.pth', tmp_path, '--tta')
    assert 'lesion/f1_mean' in log and 'coco/bbox_mAP' in log


def test_another_architecture_is_refused_at_test(data, simsiam, tmp_path):
    line = error_line(detect(data, simsiam, tmp_path, expect=2))
    assert 'tensors that do not fit' in line and 'neck.' in line


def test_missing_checkpoint_is_one_line(data, tmp_path):
    line = error_line(detect(data, tmp_path / 'no.pth', tmp_path, expect=2))
    assert line.startswith(f'error: {tmp_path}/no.pth: found no such file')


def test_wrong_number_of_classes_is_refused(data, simsiam, tmp_path):
    wrong = {'model.bbox_head.num_classes': 2}
    line = error_line(train(data, simsiam, tmp_path, changes=wrong, expect=2))
    assert 'num_classes=2' in line and 'cyst, HCC, hemangioma, Meta' in line


@pytest.mark.parametrize('workers', [0, 1])
def test_broken_image_is_named_in_one_line(data, simsiam, tmp_path, workers):
    broken = tmp_path / 'data'
    shutil.copytree(data / 'annotations', broken / 'annotations')
    for image in json.loads((data / 'annotations/train.json').read_text())['images']:
        target = broken / 'images' / image['file_name']
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = (data / 'images' / image['file_name']).read_bytes()
        target.write_bytes(whole[: len(whole) // 2])
    given = {'train_dataloader.num_workers': workers}
    line = error_line(train(broken, simsiam, tmp_path, changes=given, expect=2))
    assert 'a truncated image' in line and str(broken / 'images') in line
