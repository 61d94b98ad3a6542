"""The stock detectors of configs/yolox, configs/baselines and configs/busi train and test."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict

from mmdet_liver import compat, config_path

compat.install()

import mmdet  # noqa: E402
from mmdet.registry import DATASETS, MODELS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

SIDE = 64
LIVER, BUSI = ('cyst', 'HCC', 'hemangioma', 'Meta'), ('benign', 'malignant')
NAMES = [
    'yolox/yolox_s_1xb64-300e_liver4-512',
    'yolox/yolox_s_1xb64-300e_liver1-512',
    'busi/yolox_s_1xb64-300e_busi2-256',
    'baselines/centernet-stock_r18_1xb16-300e_liver4-512',
    'busi/centernet-stock_r18_1xb4-60e_busi2-256',
]
TRAINED = [NAMES[1], NAMES[2], NAMES[4]]


@pytest.fixture(autouse=True)
def _one_thread():
    register_all_modules()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def classes_of(name):
    return BUSI if 'busi' in name else LIVER


def data_set(folder, classes):
    """Six images of 100x50 pixels with a bright lesion each, but for the last."""
    (folder / 'images').mkdir(parents=True)
    (folder / 'annotations').mkdir()
    generator = np.random.default_rng(0)
    images, boxes = [], []
    for i in range(1, 7):
        picture = generator.integers(0, 60, (50, 100, 3), np.uint8)
        picture[10:30, 40:70] += 150
        cv2.imwrite(str(folder / f'images/{i}.png'), picture)
        images.append({'id': i, 'file_name': f'{i}.png', 'width': 100, 'height': 50})
        if i < 6:
            boxes.append({'id': i, 'image_id': i, 'category_id': 1 + i % len(classes),
                          'bbox': [40, 10, 30, 20], 'area': 600, 'iscrowd': 0})  # fmt: skip
    categories = [{'id': i, 'name': name} for i, name in enumerate(classes, 1)]
    content = {'images': images, 'annotations': boxes, 'categories': categories}
    for name in ('train', 'val', 'test'):
        (folder / f'annotations/{name}.json').write_text(json.dumps(content))


def shrunk(value, side):
    """The same config for images of SIDE pixels; its own are `side`."""
    if isinstance(value, dict):
        return ConfigDict({key: shrunk(part, side) for key, part in value.items()})
    if isinstance(value, list | tuple):
        return type(value)(shrunk(part, side) for part in value)
    if isinstance(value, int) and abs(value) in (side, side // 2, side * 3 // 4, side * 5 // 4):
        return value * SIDE // side
    return value


def small(name, folder, monkeypatch):
    data_set(folder / 'data', classes_of(name))
    monkeypatch.setenv('LIVER_DATA', f'{folder}/data/')
    full = Config.fromfile(config_path(name))
    config = Config(shrunk(full._cfg_dict, int(name.rpartition('-')[2])))
    for split in ('train', 'val', 'test'):
        loader = config[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False)
    # Two steps.
    config.train_dataloader.batch_size = 3
    config.train_cfg.update(max_epochs=1, val_interval=1)
    config.param_scheduler = []
    config.visualizer.vis_backends = []
    config.default_hooks.checkpoint.interval = 1
    config.work_dir, config.experiment_name = str(folder / 'run'), folder.name
    if 'yolox' in name:
        config.model.backbone.widen_factor = 0.125
        config.model.neck.update(in_channels=[32, 64, 128], out_channels=32)
        config.model.bbox_head.update(in_channels=32, feat_channels=32)
    else:
        config.model.backbone.base_channels = 8
        config.model.neck.update(in_channels=64, num_deconv_filters=(16, 16, 16))
        config.model.bbox_head.update(in_channels=16, feat_channels=16)
    return full, config


@pytest.mark.parametrize('name', NAMES)
def test_builds_and_loads(name, tmp_path, monkeypatch):
    full, config = small(name, tmp_path, monkeypatch)
    train = DATASETS.build(config.train_dataloader.dataset)[0]
    test = DATASETS.build(config.test_dataloader.dataset)[0]
    assert train['inputs'].shape == test['inputs'].shape == (3, SIDE, SIDE)
    assert len(test['data_samples'].instances) == 1
    classes = 1 if 'liver1' in name else len(classes_of(name))
    assert full.model.bbox_head.num_classes == classes
    assert full.train_dataloader.batch_size == int(re.search(r'_1xb(\d+)', name)[1])


@pytest.mark.parametrize('name', TRAINED)
def test_trains_and_tests(name, tmp_path, monkeypatch):
    _, config = small(name, tmp_path, monkeypatch)
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.iter == 2 and list((tmp_path / 'run').glob('best_lesion_f1_mean*.pth'))
    found = runner.test()
    classes = ('tumor',) if 'liver1' in name else classes_of(name)
    assert {f'lesion/f1_{c}' for c in classes} <= set(found)
    kind = 'YOLOXHead' if 'yolox' in name else 'CenterNetHead'
    assert type(runner.model.bbox_head).__name__ == kind


def without_scope(value):
    """A config without the mark that MMEngine leaves in what another package brought."""
    if isinstance(value, dict):
        return {k: without_scope(part) for k, part in value.items() if k != '_scope_'}
    return [without_scope(part) for part in value] if isinstance(value, list) else value


def test_yolox_is_mmdetections_but_for_size_and_classes():
    ours = Config.fromfile(config_path('yolox/yolox_s_1xb64-300e_liver4-512'))
    configs = Path(mmdet.__file__).parent / '.mim/configs'
    stock = Config.fromfile(configs / 'yolox/yolox_s_8xb8-300e_coco.py')
    ours.model.bbox_head.num_classes = 80
    for part in ('backbone', 'neck', 'bbox_head', 'train_cfg', 'test_cfg'):
        assert without_scope(ours.model[part]) == without_scope(stock.model[part])
    for part in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'max_epochs'):
        assert without_scope(ours[part]) == without_scope(stock[part])
    assert [s.type for s in ours.train_pipeline] == [s.type for s in stock.train_pipeline]
    assert 'YOLOXHSVRandomAug' in [s.type for s in ours.train_pipeline]
    sizes = [s.get(k) for s in ours.train_pipeline for k in ('img_scale', 'scale', 'border')]
    assert [tuple(s) for s in sizes if s] == [(512, 512), (-256, -256), (512, 512), (512, 512)]


def test_a_peak_of_the_stock_head_comes_back_to_its_place_in_the_image(tmp_path, monkeypatch):
    _, config = small('busi/centernet-stock_r18_1xb4-60e_busi2-256', tmp_path, monkeypatch)
    sample = DATASETS.build(config.test_dataloader.dataset)[0]['data_samples']
    head = MODELS.build(config.model).bbox_head
    # 100x50 became 64x32 and stands at the top of 64x64, where the train pipeline has it.
    heat = torch.zeros(1, 2, 16, 16)
    heat[0, 1, 4, 6] = 0.9  # the centre is at (24, 16)
    size = torch.full((1, 2, 16, 16), 4.0)  # cells of 4 pixels
    offset = torch.zeros(1, 2, 16, 16)
    meta = {**sample.metainfo, 'batch_input_shape': (SIDE, SIDE)}
    (found,) = head.predict_by_feat([heat], [size], [offset], [meta], rescale=True)
    best = found.scores.argmax()
    expected = np.array([24 - 8, 16 - 8, 24 + 8, 16 + 8]) / 0.64
    np.testing.assert_allclose(found.bboxes[best].numpy(), expected, atol=0.1)
    assert found.labels[best] == 1


@pytest.mark.parametrize('name', [name for name in NAMES if 'stock' in name])
def test_stock_sees_the_pixels_that_ours_sees(name, tmp_path, monkeypatch):
    _, config = small(name, tmp_path, monkeypatch)
    flex = name.replace('centernet-stock_r18', 'centernet_r18_flex').replace(
        'baselines', 'centernet'
    )
    ours = Config(shrunk(Config.fromfile(config_path(flex))._cfg_dict, int(name[-3:])))
    images = [
        DATASETS.build(c.test_dataloader.dataset)[0]['inputs'].float() for c in (config, ours)
    ]
    assert images[0].any()
    torch.testing.assert_close(images[0], images[1], rtol=0, atol=1)  # floats, and whole numbers


def test_stock_has_the_data_and_schedule_of_flex():
    for folder, stock, flex in [
        ('baselines/', 'centernet-stock_r18_1xb16-300e_liver4-512',
         'centernet/centernet_r18_flex_1xb16-300e_liver4-512'),
        ('busi/', 'centernet-stock_r18_1xb4-60e_busi2-256',
         'busi/centernet_r18_flex_1xb4-60e_busi2-256'),
    ]:  # fmt: skip
        a, b = Config.fromfile(config_path(folder + stock)), Config.fromfile(config_path(flex))
        for part in ('train_dataloader', 'optim_wrapper', 'param_scheduler', 'train_cfg'):
            assert a[part] == b[part], part
        assert a.model.backbone == b.model.backbone and a.model.neck == b.model.neck
