"""Images that cannot be trained on, read by the data set with MMDetection's own pipeline."""

import json

import cv2
import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

from mmdet.utils import register_all_modules  # noqa: E402

from mmdet_liver.datasets import LiverTumorDataset  # noqa: E402
from mmdet_liver.datasets.image_errors import naming_broken_image, require_images  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402

PIXELS = np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8)
CLASSES = ('cyst', 'HCC', 'hemangioma', 'Meta')
LOAD = {'type': 'LoadImageFromFile'}


def build(folder, name='a.png', pipeline=(LOAD,), prefix=None, **kwargs):
    register_all_modules()
    content = {
        'images': [{'id': 1, 'file_name': name, 'width': 64, 'height': 48}],
        'annotations': [],
        'categories': [{'id': i, 'name': c} for i, c in enumerate(CLASSES)],
    }
    (folder / 'coco.json').write_text(json.dumps(content))
    data_prefix = {'img': prefix or str(folder)}
    return LiverTumorDataset(
        ann_file=str(folder / 'coco.json'), data_prefix=data_prefix, pipeline=pipeline, **kwargs
    )


def encoded(suffix):
    return cv2.imencode(suffix, PIXELS)[1].tobytes()


@pytest.mark.parametrize('name', ['肝 image.png', 'a.jpg', 'a.bmp'])
def test_whole_image_is_what_opencv_reads(tmp_path, name):
    (tmp_path / name).write_bytes(encoded(name[-4:]))
    found = build(tmp_path, name)[0]['img']
    assert found.shape == (48, 64, 3)
    assert np.array_equal(found, cv2.imread(str(tmp_path / name)))


@pytest.mark.parametrize('test_mode', [False, True])
@pytest.mark.parametrize(
    'suffix, damage, word',
    [
        pytest.param('.png', None, 'no such file', id='missing'),
        pytest.param('.png', lambda _: b'', 'does not decode', id='empty'),
        pytest.param('.png', lambda b: b[: len(b) * 2 // 3], 'a truncated image', id='cut PNG'),
        pytest.param('.jpg', lambda b: b[: len(b) * 2 // 3], 'a truncated image', id='cut JPEG'),
        pytest.param('.bmp', lambda b: b[: len(b) * 2 // 3], 'does not decode', id='cut BMP'),
        pytest.param('.png', lambda b: b[:33], 'does not decode', id='PNG header only'),
        pytest.param('.bmp', lambda b: b[:60], 'does not decode', id='BMP header only'),
        pytest.param(
            '.png',
            lambda b: b[: len(b) // 2] + bytes(64) + b[len(b) // 2 + 64 :],
            'does not decode',
            id='corrupt in the middle',
        ),
    ],
)
def test_broken_image_is_named(tmp_path, suffix, damage, word, test_mode):
    path = tmp_path / f'a{suffix}'
    if damage is not None:
        path.write_bytes(damage(encoded(suffix)))
    with pytest.raises(InputError, match=word) as error:
        build(tmp_path, path.name, test_mode=test_mode)[0]
    assert str(error.value).startswith(str(path)) and '\n' not in str(error.value)


def fail(results):
    raise RuntimeError('of its own')


def test_another_error_of_the_pipeline_stays_as_it_is(tmp_path):
    (tmp_path / 'a.png').write_bytes(encoded('.png'))
    with pytest.raises(RuntimeError, match='of its own'):
        build(tmp_path, pipeline=(LOAD, fail))[0]


@pytest.mark.parametrize(
    'path, backend_args',
    [
        pytest.param('s3://bucket/a.png', None, id='URL'),
        pytest.param('/no/such/a.png', {'backend': 'petrel'}, id='another backend'),
    ],
)
def test_images_elsewhere_are_left_to_the_loader(path, backend_args):
    with pytest.raises(FileNotFoundError, match='of its own'):  # noqa: SIM117
        with naming_broken_image(path, backend_args):
            raise FileNotFoundError('of its own')


def test_url_as_prefix_reaches_the_loader(tmp_path):
    dataset = build(tmp_path, pipeline=(), prefix='s3://bucket/images')
    assert dataset[0]['img_path'] == 's3://bucket/images/a.png'


def test_loader_of_its_own_needs_no_file(tmp_path):
    dataset = build(tmp_path, pipeline=(lambda results: {**results, 'img': PIXELS},))
    assert dataset[0]['img'] is PIXELS


def test_one_missing_image_is_named_before_training(tmp_path):
    names = ['a.png', 'b.png']
    (tmp_path / 'a.png').write_bytes(encoded('.png'))
    with pytest.raises(InputError, match='1 of 2 images.*b.png'):
        require_images([str(tmp_path / name) for name in names], 'coco.json', allow_none=True)


@pytest.mark.parametrize('allow_none', [False, True])
def test_a_store_that_is_no_folder_is_allowed_on_demand(allow_none):
    paths = ['/no/such/a.png', '/no/such/b.png']
    if allow_none:
        assert require_images(paths, 'coco.json', allow_none=True) is None
    else:
        with pytest.raises(InputError, match='2 of 2 images'):
            require_images(paths, 'coco.json')
