"""Three small images on disk, and configs of a narrow CenterNet for them."""

import json
from functools import cache

import cv2
import numpy as np
from centernet_toys import centernet_config
from mmengine.config import Config, ConfigDict

from mmdet_liver import compat

compat.install()

from mmdet.registry import DATASETS, MODELS  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401

CLASSES = ('cyst', 'HCC')
SIZE = (96, 96)  # of the input
META_KEYS = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip')
LESIONS = [[6, 5, 20, 16], [30, 12, 14, 18]]  # xywh in image a, of class cyst and HCC
IGNORED = [2, 2, 10, 8]  # in image b
WIDTH, HEIGHT = 64, 40


def write_data(folder):
    """Images a (two lesions), b (one lesion, one ignored region) and c (nothing)."""
    rng = np.random.default_rng(0)
    (folder / 'images' / 'p1').mkdir(parents=True)
    images, annotations = [], []
    for number, name in enumerate('abc'):
        pixels = rng.integers(20, 90, (HEIGHT, WIDTH), np.uint8)
        cv2.imwrite(str(folder / 'images' / 'p1' / f'{name}.png'), pixels)
        images.append(
            {'id': number, 'file_name': f'p1/{name}.png', 'width': WIDTH, 'height': HEIGHT}
        )
    for image, box, category, ignore in (
        (0, LESIONS[0], 1, 0),
        (0, LESIONS[1], 2, 0),
        (1, [20, 10, 22, 20], 2, 0),
        (1, IGNORED, 1, 1),
    ):
        record = {'id': len(annotations) + 1, 'image_id': image, 'category_id': category}
        annotations.append({**record, 'bbox': box, 'area': box[2] * box[3], 'ignore': ignore})
    categories = [{'id': i, 'name': name} for i, name in enumerate(CLASSES, 1)]
    content = {'images': images, 'annotations': annotations, 'categories': categories}
    (folder / 'data.json').write_text(json.dumps(content))
    return folder


def load(*, flip=0.0, truth_first=False):
    """A pipeline that resizes 64x40 to 96x60 and pads it; truth before or after that."""
    truth = {'type': 'LoadAnnotations', 'with_bbox': True}
    resize = [
        {'type': 'Resize', 'scale': SIZE, 'keep_ratio': True},
        {'type': 'Brightness', 'prob': 0.5, 'min_mag': 0.7, 'max_mag': 1.3},  # draws numbers
        {'type': 'RandomFlip', 'prob': flip},
        {'type': 'Pad', 'size': SIZE},
    ]
    steps = [truth, *resize] if truth_first else [*resize, truth]
    pack = {'type': 'PackDetInputs', 'meta_keys': META_KEYS}
    return [{'type': 'LoadImageFromFile'}, *steps, pack]


def fixed(pipeline):
    """The same pipeline without what draws numbers."""
    return [step for step in pipeline if step['type'] != 'Brightness']


def dataset_config(folder, pipeline, **given):
    return {
        'type': 'LiverTumorDataset',
        'data_root': str(folder),
        'ann_file': 'data.json',
        'data_prefix': {'img': 'images/'},
        'metainfo': {'classes': CLASSES},
        'pipeline': pipeline,
        **given,
    }


def dataset(folder, pipeline=None, **given):
    init_default_scope('mmdet')
    return DATASETS.build(dataset_config(folder, pipeline or fixed(load()), **given))


def model_config(num_classes=2, **head):
    stock = head.get('type') == 'CenterNetHead'
    loss = 'GaussianFocalLoss' if stock else 'LesionHeatmapFocalLoss'
    return centernet_config(
        deconv=(32, 16, 16),
        num_classes=num_classes,
        pixels={'mean': [60, 60, 60], 'std': [60, 60, 60], 'bgr_to_rgb': True},
        head={'loss_center_heatmap': {'type': loss}, **head},
        local_maximum_kernel=3,
        max_per_img=20,
    )


@cache
def model(**given):
    """In eval mode; the same one for the same arguments, to look at and not to train."""
    init_default_scope('mmdet')
    return MODELS.build(ConfigDict(model_config(**given))).eval()


def run_config(folder, work_dir, hooks, *, by_epoch=True, steps=2, val_interval=1):
    """A whole training on the three images, EMA included, on one CPU thread."""
    loop = 'EpochBasedTrainLoop' if by_epoch else 'IterBasedTrainLoop'
    length = {'max_epochs' if by_epoch else 'max_iters': steps}
    sampler = 'DefaultSampler' if by_epoch else 'InfiniteSampler'
    train = dataset_config(folder, load(flip=0.5, truth_first=True))
    val = dataset_config(folder, fixed(load()), test_mode=True)
    return Config(
        {
            'default_scope': 'mmdet',
            'work_dir': str(work_dir),
            'model': model_config(),
            'train_dataloader': _loader(train, 2, sampler, True),
            'val_dataloader': _loader(val, 2, 'DefaultSampler', False),
            'train_cfg': {'type': loop, 'val_interval': val_interval, **length},
            'val_cfg': {'type': 'ValLoop'},
            'val_evaluator': {'type': 'LesionF1Metric', 'ann_file': f'{folder}/data.json'},
            'optim_wrapper': {'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.01}},
            'default_hooks': {
                'checkpoint': {'type': 'CheckpointHook', 'interval': 1, 'by_epoch': by_epoch},
                'logger': {'type': 'LoggerHook', 'interval': 1},
            },
            'custom_hooks': [{'type': 'EMAHook', 'momentum': 0.5, 'priority': 49}, *hooks],
            'visualizer': {'type': 'Visualizer', 'vis_backends': [{'type': 'LocalVisBackend'}]},
            'randomness': {'seed': 0},
            'experiment_name': work_dir.name,  # MMEngine wants each one to be new
        }
    )


def _loader(data, batch_size, sampler, shuffle):
    return {
        'batch_size': batch_size,
        'num_workers': 0,
        'sampler': {'type': sampler, 'shuffle': shuffle},
        'dataset': data,
    }
