"""What is read from a model, against MMDetection's own ways to the same values."""

import random

import heatmap_toys as toys
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch import nn

from mmdet_liver.errors import InputError
from mmdet_liver.heatmaps.reading import (
    chosen_images,
    class_names,
    read_heatmaps,
    require_centernet,
)

STOCK = {'type': 'CenterNetHead'}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return toys.write_data(tmp_path_factory.mktemp('data'))


@pytest.fixture(scope='module', autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def read(model, dataset, number=0, **given):
    return read_heatmaps(model, dataset, number, **{'max_peaks': 5, **given})


@pytest.mark.parametrize('head', [{}, STOCK], ids=['ours', 'stock'])
@pytest.mark.parametrize('number', [0, 2], ids=['two lesions', 'lesion-free'])
def test_maps_are_those_of_forward_and_get_targets(folder, head, number):
    model, data = toys.model(**head), toys.dataset(folder)
    found = read(model, data, number)
    batch = model.data_preprocessor(pseudo_collate([data[number]]))
    with torch.no_grad():
        (heatmap,), _, _ = model(batch['inputs'], mode='tensor')
    assert np.array_equal(found.predicted, heatmap[0].numpy())
    # 64 x 40 pixels become 96 x 60: all corners times 1.5.
    corners = [[1.5 * x, 1.5 * y, 1.5 * (x + w), 1.5 * (y + h)] for x, y, w, h in toys.LESIONS]
    corners = torch.tensor(corners if number == 0 else []).reshape(-1, 4)
    labels = torch.arange(len(corners))
    targets, _ = model.bbox_head.get_targets([corners], [labels], heatmap.shape, toys.SIZE)
    assert np.array_equal(found.target, targets['center_heatmap_target'][0].numpy())
    assert found.lesions.xyxy == pytest.approx(corners.numpy())
    assert found.content == (0, 0, 96, 60)
    assert (found.target == 1).sum() == len(corners)


@pytest.mark.parametrize('head', [{}, STOCK], ids=['ours', 'stock'])
@pytest.mark.parametrize('number', [0, 1, 2], ids=['lesions', 'one ignored', 'lesion-free'])
def test_losses_are_those_of_a_training_step_on_the_image(folder, head, number):
    model = toys.model(**head)
    found = read(model, toys.dataset(folder), number)
    # In training the truth is resized with the image.
    in_training = toys.dataset(folder, toys.fixed(toys.load(truth_first=True)))
    batch = model.data_preprocessor(pseudo_collate([in_training[number]]))
    with torch.no_grad():
        expected = model(**batch, mode='loss')
    assert found.losses == pytest.approx({k: float(v) for k, v in expected.items()}, rel=1e-5)


def test_loss_at_the_centres_by_hand(folder):
    found = read(toys.model(), toys.dataset(folder))
    at_centres = found.predicted[found.target == 1].astype(np.float64)
    assert len(at_centres) == 2
    expected = -((1 - at_centres) ** 2 * np.log(at_centres)).sum() / 2
    assert found.center_loss == pytest.approx(expected, rel=1e-5)


def test_peaks_are_the_models_predictions_in_input_pixels(folder):
    model, data = toys.model(), toys.dataset(folder)
    found = read(model, data, max_peaks=3)
    (sample,) = model.test_step(pseudo_collate([data[0]]))
    predicted = sample.pred_instances[:3]
    assert found.peaks.xyxy / 1.5 == pytest.approx(predicted.bboxes.numpy(), abs=1e-4)
    assert np.array_equal(found.peaks.scores, predicted.scores.numpy())
    assert np.array_equal(found.peaks.labels, predicted.labels.numpy())
    assert len(read(model, data, max_peaks=0).peaks) == 0


def test_the_image_is_the_padded_input(folder):
    found = read(toys.model(), toys.dataset(folder))
    assert found.image.shape == (96, 96, 3) and found.name == 'p1/a.png'
    assert not found.image[60:].any() and found.image[:60].any()
    assert (found.image == found.image[..., :1]).all()


def test_the_preprocessors_padding_to_a_multiple_counts(folder):
    pipeline = [step for step in toys.fixed(toys.load()) if step['type'] != 'Pad']
    found = read(toys.model(), toys.dataset(folder, pipeline))
    assert found.image.shape == (64, 96, 3) and found.target.shape == (2, 16, 24)
    assert found.content == (0, 0, 96, 60)


def test_the_stock_test_pipeline_puts_the_image_inside_a_border(folder):
    crop = {
        'type': 'RandomCenterCropPad',
        'ratios': None,
        'border': None,
        'mean': [0, 0, 0],
        'std': [1, 1, 1],
        'to_rgb': True,
        'test_mode': True,
        'test_pad_mode': ['logical_or', 31],
    }
    pack = {'type': 'PackDetInputs', 'meta_keys': (*toys.META_KEYS, 'border')}
    load = {'type': 'LoadImageFromFile', 'to_float32': True}
    data = toys.dataset(folder, [load, crop, pack])
    for head in ({}, STOCK):
        found = read(toys.model(**head), data)
        x1, y1, x2, y2 = map(int, found.content)
        assert x1 > 0 and y1 > 0 and (x2 - x1, y2 - y1) == (toys.WIDTH, toys.HEIGHT)
        assert found.image[y1:y2, x1:x2].any(axis=2).all() and not found.image[:y1].any()
        x, y, w, h = toys.LESIONS[0]
        assert found.lesions.xyxy[0].tolist() == [x1 + x, y1 + y, x1 + x + w, y1 + y + h]
        (sample,) = toys.model(**head).test_step(pseudo_collate([data[0]]))
        shifted = sample.pred_instances.bboxes[:5].detach().numpy() + [x1, y1, x1, y1]
        assert found.peaks.xyxy == pytest.approx(shifted, abs=1e-3)


def test_ignored_regions_are_kept_apart(folder):
    x, y, w, h = toys.IGNORED
    found = read(toys.model(), toys.dataset(folder), 1)
    assert found.ignored.tolist() == [[1.5 * x, 1.5 * y, 1.5 * (x + w), 1.5 * (y + h)]]
    assert found.lesions.labels.tolist() == [1]


def test_one_class(folder):
    data = toys.dataset(folder, single_class=True)
    found = read(toys.model(num_classes=1), data)
    assert found.target.shape == (1, 24, 24) and found.lesions.labels.tolist() == [0, 0]
    assert class_names(data) == ('tumor',)


def test_half_precision_gives_float32_maps_close_to_the_full_ones(folder):
    model, data = toys.model(), toys.dataset(folder)
    full, half = read(model, data), read(model, data, fp16=True)
    assert half.predicted.dtype == np.float32
    assert not np.array_equal(full.predicted, half.predicted)
    assert half.predicted == pytest.approx(full.predicted, abs=0.01)


def test_neither_the_model_nor_the_random_numbers_are_touched(folder):
    model, data = toys.model(), toys.dataset(folder, toys.load())  # Brightness draws
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for seed in (random.seed, np.random.seed, torch.manual_seed):  # noqa: NPY002
        seed(3)
    read(model, data)
    drawn = (random.random(), np.random.rand(), float(torch.rand(1)))  # noqa: NPY002
    for seed in (random.seed, np.random.seed, torch.manual_seed):  # noqa: NPY002
        seed(3)
    assert drawn == (random.random(), np.random.rand(), float(torch.rand(1)))  # noqa: NPY002
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_flipping_pipeline_is_refused(folder):
    with pytest.raises(InputError, match='found a flipped image'):
        read(toys.model(), toys.dataset(folder, toys.fixed(toys.load(flip=1.0))))


def test_other_heads_are_refused():
    model = nn.Module()
    with pytest.raises(InputError, match='found no bbox_head'):
        require_centernet(model)
    model.bbox_head = nn.Linear(1, 1)
    with pytest.raises(InputError, match='found the head Linear; expected LesionCenterNetHead'):
        require_centernet(model)


def test_images_are_chosen_from_the_data_set(folder):
    data = toys.dataset(folder)
    # a and b both show HCC; a is of the class that fewer images have.
    assert chosen_images(data, 3) == [0, 1, 2]
    assert chosen_images(data, 6, ['c.png', 'p1/a.png']) == [2, 0]
    # An ignored annotation is no lesion.
    assert chosen_images(data, 2) == [0, 2]
