import cv2
import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.busi import boxes_of_components, import_busi


def save(path, *boxes, size=(60, 40)):
    """A PNG of 0 with 255 in `boxes` (xyxy)."""
    path.parent.mkdir(exist_ok=True)
    pixels = np.zeros(size[::-1], np.uint8)
    for x_min, y_min, x_max, y_max in boxes:
        pixels[y_min:y_max, x_min:x_max] = 255
    cv2.imwrite(str(path), pixels)


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / 'benign/benign (1).png')
    save(tmp_path / 'benign/benign (1)_mask.png', (5, 6, 15, 16), (30, 0, 31, 2), (40, 20, 60, 40))
    save(tmp_path / 'benign/benign (1)_mask_1.png', (20, 8, 30, 18))
    save(tmp_path / 'malignant/malignant (2).png')
    save(tmp_path / 'malignant/malignant (2)_mask.png', (0, 0, 6, 6))
    save(tmp_path / 'normal/normal (3).png')
    save(tmp_path / 'normal/normal (3)_mask.png')
    return tmp_path


def test_one_box_for_each_part_of_each_mask(folder):
    records = import_busi(folder).records
    assert [(r.image_path, r.diagnosis, r.box) for r in records] == [
        ('benign/benign (1).png', 'benign', (5, 6, 15, 16)),
        ('benign/benign (1).png', 'benign', (40, 20, 60, 40)),
        ('benign/benign (1).png', 'benign', (20, 8, 30, 18)),
        ('malignant/malignant (2).png', 'malignant', (0, 0, 6, 6)),
        ('normal/normal (3).png', None, None),
    ]


def test_patients_are_unknown_and_normal_images_are_complete(folder):
    records = import_busi(folder).records
    assert {r.patient_id for r in records} == {''}
    assert [r.fully_annotated for r in records] == [None, None, None, None, True]


def test_smallest_area_is_an_option(folder):
    assert len(import_busi(folder, min_area=1).records) == 6
    with pytest.raises(InputError, match='0 lesions in 1 masks'):
        import_busi(folder, min_area=37)


def test_parts_that_touch_at_a_corner_are_one():
    mask = np.zeros((10, 10), np.uint8)
    mask[2:4, 2:4] = mask[4:6, 4:6] = 255
    assert boxes_of_components(mask, 8) == [(2, 2, 6, 6)]
    assert boxes_of_components(mask, 9) == []


def break_mask_size(folder):
    save(folder / 'benign/benign (1)_mask.png', (5, 6, 15, 16), size=(61, 40))


def break_normal(folder):
    save(folder / 'normal/normal (3)_mask.png', (5, 6, 15, 16))


def break_pair(folder):
    (folder / 'malignant/malignant (2).png').unlink()


def break_mask(folder):
    (folder / 'malignant/malignant (2)_mask.png').unlink()


def break_file(folder):
    path = folder / 'benign/benign (1)_mask.png'
    path.write_bytes(path.read_bytes()[:60])


def break_layout(folder):
    for name in ('benign', 'malignant', 'normal'):
        (folder / name).rename(folder / f'{name}s')


@pytest.mark.parametrize(
    'break_it, named',
    [
        pytest.param(break_mask_size, 'a mask of 61x40 pixels', id='mask of another size'),
        pytest.param(break_normal, 'normal (3).png: found 1 lesions', id='lesion in normal'),
        pytest.param(break_pair, 'no image malignant (2).png', id='mask without image'),
        pytest.param(break_mask, 'found 0 lesions in 0 masks', id='lesion image without mask'),
        pytest.param(break_file, 'does not decode', id='truncated mask'),
        pytest.param(break_layout, 'none of the folders benign', id='another layout'),
    ],
)
def test_bad_set_is_named(folder, break_it, named):
    break_it(folder)
    with pytest.raises(InputError) as error:
        import_busi(folder)
    assert named in str(error.value) and '\n' not in str(error.value)
