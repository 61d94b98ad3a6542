import json

import pytest

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets import CocoImages  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402


def build(root, names=('p1/a.png', 'b.png')):
    for name in names:
        path = root / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return CocoImages(
        ann_file='train.json', data_root=str(root), data_prefix=dict(img_path='images/')
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
        pytest.param('{"images": [', 'train.json: found broken content', id='broken'),
        pytest.param({'annotations': []}, "broken content .*'images'", id='no list of images'),
        pytest.param([1], 'broken content', id='another layout'),
        pytest.param({'images': []}, 'found no images', id='empty'),
        pytest.param(
            {'images': [*IMAGES, {'file_name': 'c.png'}]},
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
