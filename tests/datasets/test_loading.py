"""Whole, missing and broken image files."""

import cv2
import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets.transforms.loading import LoadUltrasoundImage  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402

PIXELS = np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8)


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp'])
def test_whole_image_is_what_opencv_reads(tmp_path, suffix):
    path = tmp_path / f'肝 image{suffix}'
    cv2.imwrite(str(path), PIXELS)
    results = LoadUltrasoundImage()({'img_path': str(path)})
    assert results['img'].shape == (48, 64, 3)
    assert np.array_equal(results['img'], cv2.imread(str(path)))


@pytest.mark.parametrize(
    'suffix, keep, word',
    [
        pytest.param('.png', 0.7, 'truncated', id='truncated PNG'),
        pytest.param('.jpg', 0.7, 'truncated', id='truncated JPEG'),
        pytest.param('.bmp', 0.01, 'no readable image', id='header only'),
        pytest.param('.png', 0, 'no readable image', id='empty'),
        pytest.param('.png', None, 'no such image', id='missing'),
    ],
)
def test_broken_image_is_named(tmp_path, suffix, keep, word):
    path = tmp_path / f'a{suffix}'
    if keep is not None:
        whole = cv2.imencode(suffix, PIXELS)[1].tobytes()
        path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InputError, match=word) as error:
        LoadUltrasoundImage()({'img_path': str(path)})
    assert str(path) in str(error.value)
