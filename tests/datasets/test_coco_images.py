import json

import pytest

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets import CocoImages  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402


def build(root, names=('p1/a.png', 'b.png'), pipeline=()):
    for name in names:
        path = root / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return CocoImages(
        ann_file='train.json',
        data_root=str(root),
        data_prefix=dict(img_path='images/'),
        pipeline=pipeline,
    )


def write_coco(root, content):
    (root / 'train.json').write_text(content if isinstance(content, str) else json.dumps(content))


IMAGES = [{'id': 7, 'file_name': 'p1/a.png'}, {'id': 3, 'file_name': 'b.png'}]


def test_every_image_with_or_without_lesions(tmp_path):
    write_coco(tmp_path, {'images': IMAGES, 'annotations': [{'image_id': 7}], 'categories': []})
    data_set = build(tmp_path)
    paths = [data_set.get_data_info(i)['img_path'] for i in range(len(data_set))]
    assert paths == [str(tmp_path / 'images' / image['file_name']) for image in IMAGES]


@pytest.mark.parametrize(
    'content, message',
    [
        pytest.param(None, 'train.json: found no such file', id='missing'),
        pytest.param('{"images": [', 'train.json: found no JSON', id='broken'),
        pytest.param({'annotations': []}, "train.json: found no 'images'", id='no list of images'),
        pytest.param([1], 'found a JSON list', id='another layout'),
        pytest.param({'images': []}, 'found no images', id='empty'),
        pytest.param({'images': [{'id': 1}]}, "entry 0: found no 'file_name'", id='no name'),
        pytest.param(
            {'images': [*IMAGES, {'id': 1, 'file_name': 'c.png'}]},
            '1 of 3 images that do not exist, first .*c.png',
            id='image missing',
        ),
    ],
)
def test_bad_input_is_named(tmp_path, content, message):
    if content is not None:
        write_coco(tmp_path, content)
    with pytest.raises(InputError, match=message):
        build(tmp_path)


@pytest.mark.parametrize('content', [b'', b'\x89PNG\r\n\x1a\nrubbish'], ids=['empty', 'rubbish'])
def test_broken_image_is_named(tmp_path, content):
    write_coco(tmp_path, {'images': IMAGES})
    data_set = build(tmp_path, pipeline=[dict(type='LoadImageFromFile')])
    path = tmp_path / 'images/b.png'
    path.write_bytes(content)
    with pytest.raises(InputError, match='does not decode') as error:
        data_set[1]
    assert str(error.value).startswith(str(path))
