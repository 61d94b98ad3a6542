"""The pretraining as a user runs it: a process of its own, on images made here."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_liver import compat
from mmdet_liver.paths import config_path

compat.install()

from mmdet.models.backbones import ResNet  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmpretrain.models import ResNet as PretrainedResNet  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'pretrain.py'


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """Twelve grey noise images and their COCO file, as tools/prepare_data.py lays them out."""
    root = tmp_path_factory.mktemp('data')
    names = [f'{i:02d}.png' for i in range(12)]
    for folder in ('images', 'annotations'):
        (root / folder).mkdir()
    rng = np.random.default_rng(0)
    for name in names:
        img = cv2.resize(rng.integers(0, 255, (6, 8), dtype=np.uint8), (160, 120))
        cv2.imwrite(str(root / 'images' / name), img)
    coco = {'images': [{'id': i, 'file_name': n} for i, n in enumerate(names)]}
    (root / 'annotations' / 'train.json').write_text(json.dumps(coco))
    return root


def pretrain(data_root, work_dir, *options):
    command = [
        *(sys.executable, TOOL, config_path('simsiam_r18w32_1xb64-coslr_phantom-96')),
        *('--work-dir', work_dir, '--no-persistent-workers', '--cfg-options'),
        f'train_dataloader.dataset.data_root={data_root}',
        *('train_dataloader.num_workers=0', 'train_dataloader.batch_size=6'),
        *('model.backbone.base_channels=4', 'model.backbone.stem_channels=4'),
        *('model.neck.in_channels=32', 'train_cfg.max_epochs=2', *options),
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=work_dir.parent)


def test_pretraining_ends_in_a_backbone_for_the_detector(data_root, tmp_path):
    work_dir = tmp_path / 'run'
    done = pretrain(
        data_root, work_dir, 'custom_hooks.1.interval=1', 'default_hooks.logger.interval=1'
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'selfsup/output_std_ratio' in next(work_dir.glob('*/*.log')).read_text()
    assert list(work_dir.rglob('events.out.tfevents*'))  # TensorBoard

    register_all_modules(init_default_scope=True)
    init_cfg = dict(type='SelfSupPretrained', checkpoint=str(work_dir))
    backbone = ResNet(depth=18, base_channels=4, init_cfg=init_cfg)
    before = backbone.layer4[1].conv2.weight.clone()
    backbone.init_weights()  # strict: fails unless every tensor fits
    assert (backbone.layer4[1].conv2.weight != before).any()


def test_missing_annotations_end_in_one_line(data_root, tmp_path):
    (tmp_path / 'run').mkdir()
    done = pretrain(
        data_root, tmp_path / 'run', 'train_dataloader.dataset.ann_file=annotations/none.json'
    )
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert 'annotations/none.json: found no such file' in last


@pytest.mark.parametrize(
    'pretraining, detector',
    [
        pytest.param(
            'simsiam_r18_1xb256-coslr-200e_liver-224',
            'centernet_r18_fix_1xb16-300e_liver4-512',
            id='study',
        ),
        pytest.param(
            'simsiam_r18w32_1xb64-coslr_phantom-96',
            'centernet_r18w32_stepwise_1xb16_phantom4-160',
            id='demo',
        ),
    ],
)
def test_configs_agree_on_the_backbone(pretraining, detector):
    shapes = []
    for config, network in ((pretraining, PretrainedResNet), (detector, ResNet)):
        model = Config.fromfile(config_path(config)).model
        options = {k: v for k, v in model.backbone.items() if k not in ('type', 'init_cfg')}
        state = network(**options).state_dict()
        pixels = model.data_preprocessor.mean, model.data_preprocessor.std
        shapes.append(({name: tuple(tensor.shape) for name, tensor in state.items()}, pixels))
    assert shapes[0] == shapes[1]
