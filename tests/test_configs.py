"""Every shipped config builds, and fits the configs and data it will meet."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmdet_liver import compat, config_path
from mmdet_liver.paths import config_root

compat.install()

from mmdet.datasets.transforms import PackDetInputs  # noqa: E402
from mmdet.registry import DATASETS, MODELS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope  # noqa: E402

from mmdet_liver.datasets import LiverTumorDataset  # noqa: E402
from mmdet_liver.models.losses.missing_labels import may_lack_labels  # noqa: E402

LEAVES = sorted(
    path.relative_to(config_root()).as_posix()
    for path in config_root().rglob('*.py')
    if '_base_' not in path.parts
)
DETECTORS = [name for name in LEAVES if 'centernet' in name]
STEPWISE = [name for name in DETECTORS if 'stepwise' in name]
# The data set of a detector's config and that of its pretraining.
PAIRS = [
    ('centernet/centernet_r18_stepwise_1xb16-300e_liver4-512',
     'simsiam/simsiam_r18_1xb256-coslr-200e_liver-224'),
    ('demo/centernet_r18w32_stepwise_1xb16_phantom4-160',
     'demo/simsiam_r18w32_1xb64-coslr_phantom-96'),
]  # fmt: skip


def load(name):
    return Config.fromfile(config_path(name))


def test_all_kinds_are_there():
    assert len(LEAVES) >= 8
    kinds = ('flex', 'fix', 'stepwise', 'liver1', 'simsiam')
    assert all(any(kind in name for name in LEAVES) for kind in kinds)


@pytest.mark.parametrize('name', DETECTORS)
def test_detector_builds_for_the_classes_of_its_data(name):
    config = load(name)
    register_all_modules(init_default_scope=False)
    init_default_scope('mmdet')
    model = MODELS.build(config.model)
    dataset = config.train_dataloader.dataset
    classes = 1 if dataset.get('single_class') else 4
    if 'metainfo' in dataset:
        classes = len(dataset.metainfo.classes)
    assert model.bbox_head.num_classes == classes
    assert config.custom_imports['imports'] == ['mmdet_liver.plugin']
    assert {'type': 'TensorboardVisBackend'} in config.visualizer.vis_backends


@pytest.mark.parametrize('name', DETECTORS)
def test_means_against_missing_labels_get_the_mark(name):
    *_, pack = load(name).train_dataloader.dataset.pipeline
    plain = PackDetInputs().meta_keys
    assert (*pack.meta_keys,) == (*plain, 'fully_annotated')


def test_mark_is_in_the_data_sample_where_the_file_has_it_or_not(tmp_path):
    config = load('centernet_r18_stepwise-teacher_1xb16-300e_liver4-512')
    images = [dict(id=i, file_name=f'{i}.png', width=40, height=30) for i in range(3)]
    images[1]['fully_annotated'], images[2]['fully_annotated'] = 1, 0
    for image in images:
        cv2.imwrite(str(tmp_path / image['file_name']), np.full((30, 40), 99, np.uint8))
    categories = [
        dict(id=i, name=name) for i, name in enumerate(LiverTumorDataset.METAINFO['classes'])
    ]
    content = dict(images=images, annotations=[], categories=categories)
    (tmp_path / 'train.json').write_text(json.dumps(content))
    register_all_modules()
    given = dict(data_root=str(tmp_path), ann_file='train.json', data_prefix=dict(img=''))
    data_set = DATASETS.build({**config.train_dataloader.dataset, **given})
    samples = [data_set[i]['data_samples'] for i in range(3)]
    assert [sample.fully_annotated for sample in samples] == [None, 1, 0]
    assert may_lack_labels([sample.metainfo for sample in samples]) == [True, False, True]


def rate_of_each_epoch(config, epoch_length=70):
    """Step the config's own schedulers through the run; the rate at the start of each epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], config.optimizer_lr)
    by_epoch, by_iteration = [], []
    for given in map(dict, config.param_scheduler):
        kind = PARAM_SCHEDULERS.get(given.pop('type'))
        if given.pop('convert_to_iter_based', False):
            scheduler = kind.build_iter_from_epoch(optimizer, epoch_length=epoch_length, **given)
        else:
            scheduler = kind(optimizer, **given)
        (by_epoch if scheduler.by_epoch else by_iteration).append(scheduler)
    rates = []
    for _ in range(config.max_epochs):
        rates.append(optimizer.param_groups[0]['lr'])
        for _ in range(epoch_length):
            optimizer.step()
            [scheduler.step() for scheduler in by_iteration]
        [scheduler.step() for scheduler in by_epoch]
    return rates


@pytest.mark.parametrize('name', STEPWISE)
def test_every_stage_has_learning_rate_left_when_it_thaws(name):
    config = load(name)
    (hook,) = [h for h in config.custom_hooks if h.type == 'StepwiseUnfreezeHook']
    starts, frozen = zip(*hook.schedule, strict=True)
    assert frozen == (4, 3, 2, 1, 0, -1)
    unit = config.max_epochs if hook.get('unit') == 'fraction' else 1
    config.optimizer_lr = config.optim_wrapper.optimizer.lr
    rates = rate_of_each_epoch(config)
    at_thaw = [rates[math.ceil(start * unit)] for start in starts[1:]]
    assert min(at_thaw) > 0.8 * config.optimizer_lr
    # And time to use it: the last stage has two thirds of the run to learn in.
    assert starts[-1] * unit <= config.train_cfg.max_epochs / 3
    assert config.find_unused_parameters and config.model.backbone.frozen_stages == -1


@pytest.mark.parametrize('detector, pretraining', PAIRS)
def test_pretraining_sees_what_the_detector_sees(detector, pretraining):
    detector, pretraining = load(detector), load(pretraining)
    ours, theirs = detector.model.data_preprocessor, pretraining.model.data_preprocessor
    assert (ours.mean, ours.std) == (theirs.mean, theirs.std)
    assert ours.bgr_to_rgb and theirs.to_rgb
    # Train images only: neither val nor test may be in the pretraining.
    dataset = pretraining.train_dataloader.dataset
    assert dataset.ann_file == detector.train_dataloader.dataset.ann_file
    assert dataset.data_root == detector.train_dataloader.dataset.data_root


def test_unknown_config_names_those_there_are():
    with pytest.raises(FileNotFoundError, match='centernet_r18_flex'):
        config_path('no_such_config')


def test_config_path_takes_a_bare_name():
    name = 'centernet_r18_flex_1xb16-300e_liver4-512'
    assert Path(config_path(name)) == config_root() / f'centernet/{name}.py'
