"""The registered augmentations: what they leave alone, what they hang on, in a pipeline."""

import random

import numpy as np
import pytest
import torch

from mmdet_liver import compat
from mmdet_liver.errors import InputError

compat.install()

from mmdet.registry import TRANSFORMS  # noqa: E402
from mmdet.structures.bbox import HorizontalBoxes  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.dataset import Compose  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402

from mmdet_liver.datasets.transforms.ultrasound_augmentations import (  # noqa: E402
    RandomShadow,
    highest_loss,
)
from mmdet_liver.paths import config_root  # noqa: E402

PART = '_base_/datasets/ultrasound_augmentation.py'
CFGS = [
    pytest.param(dict(type='RandomGain'), id='gain'),
    pytest.param(dict(type='RandomDepthGain'), id='depth gain'),
    pytest.param(dict(type='RandomShadow'), id='shadow'),
    pytest.param(dict(type='RandomGamma'), id='gamma'),
    pytest.param(dict(type='RandomSpeckle'), id='speckle'),
]
KINDS = [
    pytest.param(np.uint8, (60, 80), id='uint8 grey'),
    pytest.param(np.uint8, (60, 80, 3), id='uint8 colour'),
    pytest.param(np.float32, (60, 80), id='float grey'),
    pytest.param(np.float32, (60, 80, 3), id='float colour'),
]


def sector(shape=(60, 80, 3), kind=np.uint8):
    """Grey 60 to 200 in a rectangle, black around it."""
    img = np.zeros(shape, kind)
    inside = img[6:54, 10:70]
    inside[:] = np.random.default_rng(0).integers(60, 200, inside.shape)
    return img


@pytest.mark.parametrize(('kind', 'shape'), KINDS)
@pytest.mark.parametrize('cfg', CFGS)
def test_only_the_look_changes(cfg, kind, shape):
    random.seed(4)
    img, boxes = sector(shape, kind), HorizontalBoxes(torch.tensor([[20.0, 10, 30, 20]]))
    results = dict(img=img.copy(), img_shape=shape[:2], gt_bboxes=boxes.clone())
    out = TRANSFORMS.build(cfg)(results)
    assert set(out) == {'img', 'img_shape', 'gt_bboxes'}
    assert out['img'].dtype == kind and out['img'].shape == shape
    assert (out['img'] != img).mean() > 0.01
    assert (out['img'][img == 0] == 0).all(), 'black stays black'
    assert torch.equal(out['gt_bboxes'].tensor, boxes.tensor)


@pytest.mark.parametrize('cfg', CFGS)
def test_same_seed_same_image(cfg):
    transform, images = TRANSFORMS.build(cfg), []
    for seed in (1, 1, 2):
        random.seed(seed)
        images.append(transform(dict(img=sector()))['img'])
    assert (images[0] == images[1]).all()
    assert (images[0] != images[2]).any()


@pytest.mark.parametrize('cfg', CFGS)
def test_repr_is_its_own_config(cfg):
    transform = TRANSFORMS.build(cfg)
    kind = type(transform)
    assert repr(eval(repr(transform), {kind.__name__: kind})) == repr(transform)


def loss_at_depth(img, out):
    """Mean grey value lost, row by row of the sector."""
    return (img.astype(float) - out)[6:54, 10:70].mean(axis=(1, 2))


def test_attenuation_grows_downwards():
    cfg = dict(type='RandomDepthGain', slope_range=(-12, -12), slider_std=0)
    img = sector()
    lost = loss_at_depth(img, TRANSFORMS.build(cfg)(dict(img=img))['img'])
    # 12 dB are 51 grey values at the bottom, none at the probe.
    assert lost[0] == pytest.approx(0, abs=2) and lost[-1] == pytest.approx(51, abs=2)
    assert (np.diff(lost) > -0.5).all()


def test_sliders_lift_and_lower():
    random.seed(0)
    cfg = dict(type='RandomDepthGain', slope_range=(0, 0), slider_std=5)
    img = sector()
    lost = loss_at_depth(img, TRANSFORMS.build(cfg)(dict(img=img))['img'])
    assert lost.min() < -3 and lost.max() > 3


def shadowed(seed, boxes=None, **kwargs):
    random.seed(seed)
    img = sector()
    cfg = dict(loss_range=(20, 20), width_range=(0.1, 0.1), start_range=(0, 0)) | kwargs
    results = dict(img=img.copy()) | ({} if boxes is None else dict(gt_bboxes=boxes))
    return img.astype(float) - RandomShadow(**cfg)(results)['img']


def test_shadow_is_dark_from_the_probe_down():
    lost = shadowed(0)[6:54, 10:70].mean(axis=2)
    column = lost.mean(axis=0).argmax()
    assert (lost[2:, column] > 40).all()
    assert lost.mean(axis=0).min() == 0
    assert 5 <= (lost.mean(axis=0) > 40).sum() <= 15  # of 60 columns: a fifth, with soft rims


@pytest.mark.parametrize(
    'boxes',
    [
        pytest.param(HorizontalBoxes(torch.tensor([[30.0, 20, 40, 30]])), id='boxes of mmdet'),
        pytest.param(np.array([[30.0, 20, 40, 30]], np.float32), id='an array'),
    ],
)
def test_lesions_stay_visible(boxes):
    limit = 6 * 255 / 60 + 2  # decibels in grey values, and the coarse grid
    lost = [shadowed(seed, boxes)[20:30, 30:40].mean() for seed in range(40)]
    free = [shadowed(seed, boxes, max_lesion_loss=60)[20:30, 30:40].mean() for seed in range(40)]
    assert max(lost) < limit < max(free)
    # Another place is tried before the shadow is left out.
    assert sum(shadowed(seed, boxes).max() > 40 for seed in range(40)) >= 36


def test_shadow_is_left_out_where_every_place_hides_a_lesion():
    everywhere = np.array([[x, 6.0, x + 2, 54] for x in range(10, 70, 2)])
    assert (shadowed(0, everywhere) == 0).all()


def test_no_boxes_are_no_hindrance():
    assert shadowed(0, np.zeros((0, 4))).max() > 40


@pytest.mark.parametrize(
    ('boxes', 'expected'),
    [
        pytest.param(np.zeros((0, 4)), 0, id='none'),
        pytest.param([[0, 0, 20, 10]], 0, id='in the light'),
        pytest.param([[40, 0, 60, 10]], 8, id='in the dark'),
        pytest.param([[30, 0, 50, 10]], 4, id='half'),
        pytest.param([[0, 0, 20, 10], [40, 0, 60, 10]], 8, id='the worst of two'),
        pytest.param([[50, 0, 90, 50]], 8, id='beyond the image'),
        pytest.param([[79.9, 9.9, 80, 10]], 8, id='less than a cell'),
    ],
)
def test_highest_loss(boxes, expected):
    decibels = np.zeros((5, 8), np.float32)
    decibels[:, 4:] = -8  # the right half of an image of 10 x 80 pixels
    assert highest_loss(decibels, np.asarray(boxes, float), (10, 80)) == pytest.approx(expected)


@pytest.mark.parametrize(
    'cfg',
    [
        dict(type='RandomGain', gain_range=(3, -3)),
        dict(type='RandomGain', gain_range=(0, float('inf'))),
        dict(type='RandomDepthGain', num_sliders=1),
        dict(type='RandomDepthGain', slider_std=-1),
        dict(type='RandomShadow', loss_range=(-5, 5)),
        dict(type='RandomShadow', width_range=(0, 0.1)),
        dict(type='RandomShadow', max_attempts=0),
    ],
    ids=str,
)
def test_wrong_options(cfg):
    with pytest.raises(InputError, match='found .*expected'):
        TRANSFORMS.build(cfg)


def test_the_shipped_part_runs_in_a_detection_pipeline():
    init_default_scope('mmdet')
    steps = Config.fromfile(config_root() / PART).ultrasound_augmentation
    random.seed(0)
    pipeline = Compose([*steps, dict(type='RandomFlip', prob=1.0), dict(type='PackDetInputs')])
    boxes = HorizontalBoxes(torch.tensor([[20.0, 10, 30, 20]]))
    results = dict(img=sector(), img_shape=(60, 80), gt_bboxes=boxes, img_id=1, img_path='')
    results |= dict(ori_shape=(60, 80), scale_factor=(1, 1), gt_bboxes_labels=np.array([0]))
    packed = pipeline(results)
    assert packed['inputs'].shape == (3, 60, 80)
    flipped = packed['data_samples'].gt_instances.bboxes
    assert flipped.tensor.tolist() == [[50, 10, 60, 20]]


def test_the_leaf_takes_them_in_place_of_brightness_and_contrast():
    leaf = 'centernet/centernet_r18_stepwise{}_1xb16-300e_liver4-512.py'
    ours, plain = (Config.fromfile(config_root() / leaf.format(name)) for name in ('-ema', ''))
    steps, before = ours.train_dataloader.dataset.pipeline, plain.train_dataloader.dataset.pipeline
    names = [step['type'] for step in steps]
    kept = [step for step in before if step['type'] not in ('Brightness', 'Contrast')]
    assert [step for step in steps if step['type'] != 'RandomApply'] == kept
    assert names.index('LoadAnnotations') < names.index('RandomApply')
    assert names.index('RandomResize') == len(names) - names[::-1].index('RandomApply')
    kinds = [hook['type'] for hook in ours.custom_hooks]
    assert kinds == [hook['type'] for hook in plain.custom_hooks] + ['EMAHook']
