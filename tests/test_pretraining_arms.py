"""The pretraining arms as configs: train images only, and a backbone that fits the detector."""

import json

import cv2
import numpy as np
import pytest
import torch
import torchvision

from mmdet_liver import compat, config_path

compat.install()

from mmdet.registry import MODELS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.runner import Runner  # noqa: E402
from mmpretrain.models import ResNet  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401

torch.set_num_threads(1)

ARMS = ['simsiam', 'simclr', 'densecl', 'supcon']
STUDY = {arm: f'{arm}/{arm}_r18_1xb256-coslr-200e_liver-224' for arm in ARMS}
DEMO = {arm: f'demo/{arm}_r18w32_1xb64-coslr_phantom-96' for arm in ARMS}
PAIRS = [(DEMO[arm], 'demo/centernet_r18w32_stepwise_1xb16_phantom4-160') for arm in ARMS]
PAIRS += [(STUDY[arm], 'centernet/centernet_r18_stepwise_1xb16-300e_liver4-512') for arm in ARMS]
IMAGENET = 'centernet/centernet_r18_imagenet_1xb16-300e_liver4-512'


def load(name):
    return Config.fromfile(config_path(name))


def detector_backbone(config, **init_cfg):
    register_all_modules(init_default_scope=False)
    init_default_scope('mmdet')
    backbone = dict(config.model.backbone)
    if init_cfg:
        backbone['init_cfg'] = init_cfg
    return MODELS.build(backbone)


@pytest.mark.parametrize('arm, detector', PAIRS)
def test_arm_sees_the_train_images_as_the_detector_does(arm, detector):
    arm, detector = load(arm), load(detector)
    ours, theirs = arm.train_dataloader.dataset, detector.train_dataloader.dataset
    assert ours.ann_file == 'annotations/train.json' == theirs.ann_file
    assert ours.data_root == theirs.data_root
    assert 'val_dataloader' not in arm and 'test_dataloader' not in arm
    pixels, wanted = arm.model.data_preprocessor, detector.model.data_preprocessor
    assert (pixels.mean, pixels.std) == (wanted.mean, wanted.std)
    assert pixels.to_rgb and wanted.bgr_to_rgb


@pytest.mark.parametrize('arm, detector', PAIRS)
def test_backbones_agree(arm, detector):
    options = {k: v for k, v in load(arm).model.backbone.items() if k != 'type'}
    ours = ResNet(**options).state_dict()
    theirs = detector_backbone(load(detector)).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize('name', [STUDY['densecl'], DEMO['densecl']])
def test_densecl_has_the_hooks_that_it_needs(name):
    config = load(name)
    kinds = [hook.type for hook in config.custom_hooks]
    assert {'DenseCLHook', 'QueueLengthHook', 'CollapseMonitorHook'} <= set(kinds)
    if name == STUDY['densecl']:  # whose data may be few
        assert 'DenseStartHook' in kinds
    assert config.model.momentum == 0.001  # the share of the new weights, not of the old


@pytest.fixture(scope='module')
def data_root(tmp_path_factory):
    """Twelve images of twelve patients, each with a bright or a dark square."""
    root = tmp_path_factory.mktemp('data')
    for folder in ('images', 'annotations'):
        (root / folder).mkdir()
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for i in range(12):
        img = rng.integers(60, 160, (96, 128), dtype=np.uint8)
        img[20:50, 30:70] = 250 if i % 2 else 20
        cv2.imwrite(str(root / f'images/{i}.png'), img)
        size = dict(width=128, height=96)
        images.append(dict(id=i, file_name=f'{i}.png', patient_id=f'P{i}', **size))
        box = dict(bbox=[30, 20, 40, 30], iscrowd=0)
        annotations.append(dict(id=i, image_id=i, category_id=1 + i % 2, **box))
    categories = [dict(id=1, name='benign'), dict(id=2, name='malignant')]
    coco = dict(images=images, annotations=annotations, categories=categories)
    (root / 'annotations/train.json').write_text(json.dumps(coco))
    return root


def pretrain(arm, data_root, work_dir, **model):
    config = load(DEMO[arm])
    config.work_dir, config.experiment_name = str(work_dir), f'{arm}_{work_dir.name}'
    config.train_dataloader.update(num_workers=0, persistent_workers=False, batch_size=6)
    config.train_dataloader.dataset.data_root = str(data_root)
    config.train_cfg.max_epochs = 2
    config.vis_backends = config.visualizer.vis_backends = []
    small = dict(backbone=dict(base_channels=4, stem_channels=4), neck=dict(in_channels=32))
    config.merge_from_dict(dict(model=small))
    config.merge_from_dict(dict(model=model))
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


@pytest.mark.parametrize('arm', ['simclr', 'densecl', 'supcon'])
def test_arm_ends_in_a_backbone_for_the_detector(arm, data_root, tmp_path):
    runner = pretrain(arm, data_root, tmp_path)
    assert np.isfinite(runner.message_hub.get_scalar('train/loss').current())
    assert runner.message_hub.get_scalar('train/selfsup/output_std').current() > 0
    if arm == 'densecl':
        assert runner.model.queue_len == 6  # half of twelve images
    if arm == 'supcon':
        assert len(runner.train_dataloader.dataset) == 24
        classes = runner.train_dataloader.dataset.metainfo['classes']
        assert classes == ('benign', 'malignant', 'background')

    config = load('demo/centernet_r18w32_stepwise_1xb16_phantom4-160')
    config.model.backbone.base_channels = 4
    init_cfg = dict(config.model.backbone.init_cfg, checkpoint=str(tmp_path))
    backbone = detector_backbone(config, **init_cfg)
    backbone.init_weights()  # strict: fails unless every tensor fits
    trained = runner.model.backbone.state_dict()  # not DenseCL's encoder_k
    loaded = backbone.state_dict()
    assert loaded.keys() == trained.keys()
    assert all(torch.equal(loaded[name], trained[name]) for name in trained)


@pytest.fixture
def imagenet_weights(tmp_path, monkeypatch):
    """A made-up state dict of torchvision where torch's cache keeps the real one."""
    torch.manual_seed(0)
    state = torchvision.models.resnet18(weights=None).state_dict()
    state = {k: torch.rand_like(v) if v.is_floating_point() else v for k, v in state.items()}
    folder = tmp_path / 'hub/checkpoints'
    folder.mkdir(parents=True)
    url = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url
    torch.save(state, folder / url.rsplit('/', 1)[1])
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    return state


def test_imagenet_weights_fill_the_backbone(imagenet_weights):
    config = load(IMAGENET)
    register_all_modules(init_default_scope=False)
    init_default_scope('mmdet')
    model = MODELS.build(config.model)  # reads no file
    model.backbone.init_weights()
    own = model.backbone.state_dict()
    assert set(imagenet_weights) - set(own) == {'fc.weight', 'fc.bias'}
    assert all(torch.equal(own[name], imagenet_weights[name]) for name in own)


def test_pretraining_can_start_from_imagenet(imagenet_weights):
    """The options of docs/pretraining.md; the weights are MMPretrain's names as well."""
    config = load(STUDY['densecl'])
    init_cfg = dict(type='SelfSupPretrained', checkpoint='torchvision://resnet18', prefix=None)
    init_default_scope('mmpretrain')
    model = MODELS.build(
        dict(config.model, backbone=dict(config.model.backbone, init_cfg=init_cfg)),
    )
    model.init_weights()
    own = model.backbone.state_dict()
    assert all(torch.equal(own[name], imagenet_weights[name]) for name in own)
