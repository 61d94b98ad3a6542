"""The head inside MMDetection: its inferencer, its metric, and learning a few images by heart."""

import cv2
import numpy as np
import pytest
import torch
from centernet_toys import centernet_config
from mmengine.config import Config

from mmdet_liver import compat, config_path

compat.install()

from mmdet.apis import DetInferencer  # noqa: E402
from mmdet.evaluation import CocoMetric  # noqa: E402
from mmdet.registry import MODELS  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

import mmdet_liver.models  # noqa: E402, F401

MODEL = centernet_config(max_per_img=10, cross_class_suppression=True)


@pytest.fixture(autouse=True)
def _scope():
    register_all_modules()


def test_det_inferencer_runs_a_shipped_config(tmp_path):
    config = Config.fromfile(config_path('demo/centernet_r18w32_stepwise_1xb16_phantom4-160'))
    config.model.backbone.init_cfg = None  # no pretraining has run
    inferencer = DetInferencer(config, weights=None, device='cpu', show_progress=False)
    image = np.random.default_rng(0).integers(0, 255, (60, 120, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    out = inferencer([image, str(tmp_path / 'a.png')], batch_size=2)
    by_pixels, by_path = out['predictions']
    assert 0 < len(by_path['bboxes']) == len(by_path['scores']) == len(by_path['labels'])
    assert set(by_path['labels']) <= {0, 1, 2, 3}
    assert by_path == by_pixels


def test_stock_config_needs_only_the_type_changed(tmp_path):
    own = tmp_path / 'config.py'
    base = 'mmdet::centernet/centernet_r18_8xb16-crop512-140e_coco.py'
    own.write_text(f"_base_ = ['{base}']\nmodel = dict(bbox_head=dict(type='CenterNetHead'))\n")
    config = Config.fromfile(str(own))
    losses = {}
    for head in ('CenterNetHead', 'LesionCenterNetHead'):
        config.model.bbox_head.type = head
        torch.manual_seed(0)
        model = MODELS.build(config.model).eval()
        sample = DetDataSample(metainfo={'batch_input_shape': (64, 64), 'img_shape': (64, 64)})
        box, label = torch.tensor([[8.0, 8, 40, 30]]), torch.tensor([3])
        sample.gt_instances = InstanceData(bboxes=box, labels=label)
        losses[head] = model.loss(torch.ones(1, 3, 64, 64), [sample])
    stock, ours = losses.values()
    assert stock.keys() == ours.keys()
    assert all(torch.allclose(ours[key], stock[key], rtol=1e-5) for key in stock)


def test_coco_metric_takes_the_results(tmp_path):
    head = MODELS.build(dict(MODEL['bbox_head'], test_cfg=MODEL['test_cfg']))
    maps = [torch.rand(1, d, 8, 8) for d in (2, 2, 2)]
    (found,) = head.predict_by_feat(*([m] for m in maps), [{'batch_input_shape': (32, 32)}])
    sample = DetDataSample(metainfo={'img_id': 1, 'ori_shape': (32, 32)}, pred_instances=found)
    data = dict(
        sample.to_dict(),
        instances=[{'bbox': [4, 4, 20, 20], 'bbox_label': 0, 'ignore_flag': 0}],
    )
    metric = CocoMetric(metric='bbox', outfile_prefix=str(tmp_path / 'coco'))
    metric.dataset_meta = {'classes': ('a', 'b')}
    metric.process({}, [data])
    assert 'coco/bbox_mAP' in metric.evaluate(size=1)


def discs(count=8, side=64):
    """Images (N, 3, side, side) of one bright or dark disc, and the truth of each."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing='ij')
    images, samples = [], []
    for i in range(count):
        radius = 6 + 6 * torch.rand(1, generator=generator).item()
        cx, cy = (16 + 32 * torch.rand(2, generator=generator)).tolist()
        inside = (x - cx).square() + (y - cy).square() < radius**2
        images.append(torch.where(inside, 230.0 if i % 2 else 20.0, 128.0).expand(3, -1, -1))
        box = torch.tensor([[cx - radius, cy - radius, cx + radius, cy + radius]])
        sample = DetDataSample(
            metainfo={'img_shape': (side, side), 'scale_factor': (1.0, 1.0)},
            gt_instances=InstanceData(bboxes=box, labels=torch.tensor([i % 2])),
        )
        samples.append(sample)
    return {'inputs': images, 'data_samples': samples}


def test_learns_eight_images_by_heart():
    torch.manual_seed(0)
    model = MODELS.build(MODEL)
    model.init_weights()
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    history = []
    for _ in range(60):
        batch = model.data_preprocessor(discs(), training=True)
        loss, _ = model.parse_losses(model(**batch, mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    with torch.no_grad():  # in train mode: 60 steps do not settle BatchNorm's running means
        found = model(**model.data_preprocessor(discs()), mode='predict')
    hits = 0
    for sample, truth in zip(found, discs()['data_samples'], strict=True):
        best = sample.pred_instances[:1]
        expected = truth.gt_instances
        near = (best.bboxes - expected.bboxes).abs().max() < 8
        hits += bool(near and best.labels == expected.labels)
    assert history[-1] < 0.2 * history[0] and hits >= 7
