import json
import random

import cv2
import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

from mmengine.registry import DATASETS  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401
from mmdet_liver.datasets.lesion_crops import box_inside, largest_free_square  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402

CATEGORIES = [{'id': 3, 'name': 'cyst'}, {'id': 1, 'name': 'HCC'}]
IMAGES = [
    {'id': 1, 'file_name': 'a.png', 'width': 120, 'height': 80, 'patient_id': 'P1'},
    {'id': 2, 'file_name': 'b.png', 'width': 120, 'height': 80, 'patient_id': 'P1'},
    {'id': 3, 'file_name': 'c.png', 'width': 120, 'height': 80},
    {'id': 4, 'file_name': 'd.png', 'width': 120, 'height': 80},
]
ANNOTATIONS = [
    {'id': 1, 'image_id': 1, 'category_id': 3, 'bbox': [10, 20, 30, 20]},
    {'id': 2, 'image_id': 1, 'category_id': 1, 'bbox': [100, 60, 40, 40]},  # beyond the edge
    {'id': 3, 'image_id': 2, 'category_id': 1, 'bbox': [60, 0, 20, 80], 'ignore': 1},
    {'id': 4, 'image_id': 3, 'category_id': 3, 'bbox': [0, 0, 110, 80]},  # leaves no room
]


def build(root, annotations=ANNOTATIONS, images=IMAGES, **options):
    (root / 'images').mkdir(exist_ok=True)
    grey = np.random.default_rng(0).integers(20, 255, (80, 120), dtype=np.uint8)
    for image in IMAGES:
        cv2.imwrite(str(root / 'images' / image['file_name']), grey)
    coco = {'images': images, 'annotations': annotations, 'categories': CATEGORIES}
    (root / 'train.json').write_text(json.dumps(coco))
    cfg = dict(
        type='LesionCrops',
        ann_file='train.json',
        data_root=str(root),
        data_prefix=dict(img_path='images/'),
        serialize_data=False,  # spares a collection of garbage each time
        **options,
    )
    return DATASETS.build(cfg)


def infos(data_set):
    return [data_set.get_data_info(i) for i in range(len(data_set))]


def test_lesions_and_backgrounds(tmp_path):
    data_set = build(tmp_path)
    assert data_set.metainfo['classes'] == ('cyst', 'HCC', 'background')
    found = [(info['img_path'][-5:], info['gt_label'], info['box']) for info in infos(data_set)]
    assert found == [
        ('a.png', 0, (10, 20, 40, 40)),
        ('a.png', 1, (100, 60, 120, 80)),
        ('c.png', 0, (0, 0, 110, 80)),
        ('a.png', 2, None),
        ('b.png', 2, None),  # the ignored box is no lesion, and no background either
        ('d.png', 2, None),
    ]
    ignored, clean = infos(data_set)[-2:]
    assert ignored['avoid'] == [(60, 0, 80, 80)]
    assert ignored['free'] == (0, 0, 60)
    assert clean['free'] == (0, 0, 80)
    assert {info['side'] for info in infos(data_set)[3:]} <= {30, 20, 110}


def test_unknown_patients_are_different(tmp_path):
    patients = [info['patient'] for info in infos(build(tmp_path))]
    first, unknown, clean = patients[0], patients[2], patients[5]
    assert patients == [first, first, unknown, first, first, clean]
    assert len({first, unknown, clean}) == 3


def test_number_of_backgrounds(tmp_path):
    assert len(build(tmp_path, backgrounds_per_image=0)) == 3
    assert len(build(tmp_path, backgrounds_per_image=3)) == 3 + 9
    assert len(build(tmp_path, min_side=70)) == 3 + 1
    with pytest.raises(ValueError, match='at least 0'):
        build(tmp_path, backgrounds_per_image=-1)


def test_backgrounds_of_certified_images_only(tmp_path):
    marks = {1: 1, 2: 0, 4: None}
    images = [
        {**image, 'fully_annotated': marks[image['id']]} if image['id'] in marks else image
        for image in IMAGES
    ]

    def backgrounds(images, **options):
        crops = infos(build(tmp_path, images=images, certified_backgrounds=True, **options))
        assert [crop['gt_label'] for crop in crops[:3]] == [0, 1, 0]  # lesions of all images
        return [crop['img_path'][-5:] for crop in crops[3:]]

    assert backgrounds(images, backgrounds_per_image=2) == ['a.png', 'a.png']
    images[3]['fully_annotated'] = 1
    assert backgrounds(images) == ['a.png', 'd.png']
    with pytest.raises(InputError, match='train.json: found no image marked fully_annotated'):
        backgrounds(IMAGES)


@pytest.mark.parametrize(
    'annotations, message',
    [
        pytest.param([], 'found no lesions', id='none'),
        pytest.param([dict(ANNOTATIONS[0], iscrowd=1)], 'found no lesions', id='ignored only'),
        pytest.param(
            [dict(ANNOTATIONS[0], bbox=[120, 0, 5, 5])], 'annotation 1: found the box', id='outside'
        ),
        pytest.param([dict(ANNOTATIONS[0], image_id=9)], 'image_id 9', id='unknown image'),
    ],
)
def test_bad_annotations_are_named(tmp_path, annotations, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, annotations)


def test_missing_and_broken_images_are_named(tmp_path):
    with pytest.raises(InputError, match='1 of 5 images that do not exist'):
        build(tmp_path, images=[*IMAGES, dict(IMAGES[0], id=5, file_name='e.png')])
    data_set = build(tmp_path, pipeline=[dict(type='LoadImageFromFile')])
    (tmp_path / 'images/c.png').write_bytes(b'rubbish')
    with pytest.raises(InputError, match='c.png.*does not decode'):
        data_set[2]


@pytest.mark.parametrize(
    'box, expected',
    [
        pytest.param([1, 2, 3, 4], (1, 2, 4, 6), id='inside'),
        pytest.param([-2, -2, 5, 50], (0, 0, 3, 10), id='cut'),
        pytest.param([1, 2, 0, 4], None, id='no area'),
        pytest.param([20, 2, 3, 4], None, id='right of the image'),
        pytest.param([1, 2, float('nan'), 4], None, id='not a number'),
        pytest.param([1, 2, 3], None, id='three numbers'),
        pytest.param(None, None, id='none'),
    ],
)
def test_box_inside(box, expected):
    assert box_inside(box, (20, 10)) == expected


def brute_side(size, boxes):
    """Side of the largest free square, trying every pixel."""
    taken = np.zeros(size[::-1], bool)
    for x0, y0, x1, y1 in boxes:
        taken[int(np.floor(y0)) : int(np.ceil(y1)), int(np.floor(x0)) : int(np.ceil(x1))] = True
    for side in range(min(size), 0, -1):
        for top in range(size[1] - side + 1):
            for left in range(size[0] - side + 1):
                if not taken[top : top + side, left : left + side].any():
                    return side
    return 0


@pytest.mark.parametrize('seed', range(12))
def test_largest_free_square_is_the_largest(seed):
    rng = random.Random(seed)
    size = rng.randint(8, 24), rng.randint(8, 24)
    boxes = []
    for _ in range(rng.randint(0, 4)):
        box = [rng.uniform(0, 20), rng.uniform(0, 20), rng.uniform(1, 12), rng.uniform(1, 12)]
        boxes += [inside] if (inside := box_inside(box, size)) else []
    left, top, side = largest_free_square(size, boxes)
    assert side == brute_side(size, boxes)
    assert left + side <= size[0]
    assert top + side <= size[1]
    assert all(
        left >= b[2] or b[0] >= left + side or top >= b[3] or b[1] >= top + side for b in boxes
    )


def test_no_room_at_all():
    assert largest_free_square((20, 10), [(0, 0, 20, 10)])[2] == 0
