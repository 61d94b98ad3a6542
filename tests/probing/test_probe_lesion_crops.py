"""Lesions cut out of their images: what is in a crop, and which lesions belong together."""

import json

import cv2
import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.detection_files import read_truth
from mmdet_liver.probing import lesion_crops as module
from mmdet_liver.probing.lesion_crops import (
    cut_square,
    read_lesions,
    shared_groups,
    square_around,
)

import probed_sets  # isort: skip

CLUSTER = {'cluster_id': 'C'}


@pytest.mark.parametrize(
    'box, context, square',
    [
        pytest.param((10, 20, 30, 30), 1.0, (10, 15, 20), id='wide: as long as it is wide'),
        pytest.param((10, 20, 20, 40), 2.0, (-5, 10, 40), id='high, twice its height'),
        pytest.param((5, 5, 5.2, 5.2), 1.5, (4, 4, 2), id='a point: 2 px at least'),
    ],
)
def test_square_around(box, context, square):
    assert square_around(np.array(box, float), context) == square


@pytest.mark.parametrize('channels', [(), (3,)])
def test_outside_the_image_is_black(channels):
    image = np.full((10, 10, *channels), 200, np.uint8)
    image[0, 0] = 50
    crop = cut_square(image, (-4, -4, 8), 8)
    expected = np.zeros((8, 8, 3), np.uint8)
    expected[4:, 4:] = 200
    expected[4, 4] = 50
    assert (crop == expected).all()
    assert not cut_square(image, (40, 40, 8), 8).any()


@pytest.mark.parametrize('side, size', [(8, 4), (4, 8), (4, 4)])
def test_resizing_keeps_the_mean(side, size):
    image = np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)
    crop = cut_square(image, (2, 3, side), size)
    assert crop.shape == (size, size, 3)
    assert crop.mean() == pytest.approx(image[3 : 3 + side, 2 : 2 + side].mean(), abs=8)


def test_lesions_come_in_the_order_of_the_images(tmp_path, monkeypatch):
    files = [probed_sets.write_set(tmp_path, s, p, 0) for s, p in (('train', 'ab'), ('val', 'v'))]
    content = json.loads(files[0].read_text())
    # A second lesion of the first image at the end of the file, and one not to be counted.
    first = content['annotations'][0]
    content['annotations'] += [
        {**first, 'id': 90, 'category_id': 2, 'bbox': [0, 0, 8, 8]},
        {**first, 'id': 91, 'ignore': 1},
    ]
    files[0].write_text(json.dumps(content))
    opened = []
    read_image = module.read_image

    def noting(path):
        opened.append(path)
        return read_image(path)

    monkeypatch.setattr(module, 'read_image', noting)
    train, val = read_lesions(*files, tmp_path / 'images', 16, 1.0)
    assert len(opened) == len(set(opened)) == 6  # each once
    assert train.labels.tolist() == [0, 1, 1, 0, 1] and train.image.tolist() == [0, 0, 1, 2, 3]
    assert train.classes == probed_sets.NAMES
    assert train.file_name(4) == 'b2.png'
    brightness = train.crops[[0, 2, 3, 4]].mean(axis=(1, 2, 3))
    assert brightness.tolist() == [230, 20, 230, 20]  # the box is 16 px wide, so is the crop
    page = cv2.imread(str(tmp_path / 'images' / 'a1.png'), cv2.IMREAD_GRAYSCALE)
    assert (train.crops[1] == cv2.resize(page[:8, :8], (16, 16))[..., None]).all()
    assert len(val.labels) == 2


@pytest.mark.parametrize(
    'train_keys, val_keys, same',
    [
        pytest.param({'patient_id': 7}, {'patient_id': '7'}, True, id='patient as number or text'),
        pytest.param({'patient_id': 7}, {'patient_id': 8}, False, id='two patients'),
        pytest.param(
            {'cluster_id': 'C'}, {'cluster_id': 'C', 'file_name': 'x.png'}, True, id='a cluster'
        ),
        pytest.param({}, {'file_name': 'x.png'}, False, id='two files of unknown patients'),
        pytest.param({}, {}, True, id='the same file'),
        pytest.param({'patient_id': 7}, {'patient_id': 8, 'cluster_id': 'C'}, False, id='both'),
    ],
)
def test_what_belongs_together(tmp_path, train_keys, val_keys, same):
    truths = []
    for name, keys in (('t', train_keys), ('v', val_keys)):
        path = tmp_path / f'{name}.json'
        image = {'id': 1, 'file_name': 'a.png', **keys}
        content = {'images': [image], 'annotations': [], 'categories': [{'id': 1, 'name': 'c'}]}
        path.write_text(json.dumps(content))
        truths.append(read_truth(path))
    (one,), (other,) = shared_groups(*truths)
    assert (one == other) is np.bool_(same)


@pytest.mark.parametrize(
    'change, message',
    [
        pytest.param(lambda c: c.update(annotations=[]), 'no lesion', id='empty'),
        pytest.param(lambda c: c['categories'][0].update(name='Meta'), 'Meta', id='other classes'),
        pytest.param(lambda c: c['images'][0].update(file_name='no.png'), 'no.png', id='no image'),
    ],
)
def test_bad_input_is_named(tmp_path, change, message):
    files = [probed_sets.write_set(tmp_path, s, p, 0) for s, p in (('train', 'a'), ('val', 'v'))]
    content = json.loads(files[1].read_text())
    change(content)
    files[1].write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        read_lesions(*files, tmp_path / 'images', 16, 1.0)
