import cv2
import numpy as np
import pytest
from PIL import Image
from report_cases import coco, save

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.statistics.findings import Finding
from mmdet_liver.preparation.statistics.gallery import (
    choose_lesions,
    crop_window,
    draw_gallery,
    draw_suspicious,
)
from mmdet_liver.preparation.statistics.tables import read_tables

BOX = (20, 20, 60, 50)
HCC_COLOR = (213, 94, 0)


def many(patients, images):
    """`images` of HCC for each patient; 'free' and Meta beside them."""
    hcc = [
        (f'{p}/{i}.png', {'patient_id': p}, [('HCC', BOX), ('Meta', BOX)])
        for p in patients
        for i in range(images)
    ]
    return [*hcc, ('free.png', {}, [])]


def read(folder, *images, **options):
    return read_tables([save(folder / 'annotations/a.json', coco(*images, **options))])


def chosen_names(tables, count, seed=0):
    chosen = choose_lesions(tables, label=1, count=count, seed=seed)
    return [tables.images.names[tables.lesions.image[i]] for i in chosen]


@pytest.mark.parametrize('count, most_each', [(3, 1), (4, 2), (6, 2), (8, 3), (99, 5)])
def test_different_patients_first(tmp_path, count, most_each):
    names = chosen_names(read(tmp_path, *many('abc', 5)), count)
    assert len(names) == len(set(names)) == min(count, 15)
    of_patient = [sum(name.startswith(p) for name in names) for p in 'abc']
    assert max(of_patient) == most_each and min(of_patient) >= most_each - 1


def test_unknown_patients_are_different_ones(tmp_path):
    images = [(f'{i}.png', {}, [('HCC', BOX)]) for i in range(5)]
    known = [(f'k{i}.png', {'patient_id': 'k'}, [('HCC', BOX)]) for i in range(5)]
    names = chosen_names(read(tmp_path, *images, *known), 6)
    assert sum(name.startswith('k') for name in names) == 1


def test_choice_depends_on_the_seed_and_not_on_the_order(tmp_path):
    images = many('abcdefgh', 3)
    tables = read(tmp_path, *images)
    again = read(tmp_path, *images[::-1])
    assert chosen_names(tables, 5) == chosen_names(again, 5)
    assert chosen_names(tables, 5) != chosen_names(tables, 5, seed=1)
    assert choose_lesions(tables, label=0, count=5) == []


@pytest.mark.parametrize(
    'box, size, expected',
    [
        # 100 x 100 and 40 on each side: 180 high, so 216 wide for 240 x 200.
        pytest.param((400, 300, 500, 400), (1000, 800), (342, 260, 558, 440), id='in the middle'),
        # 20 + 24 on each side is 44; 52.8 wide.
        pytest.param((100, 100, 110, 120), (1000, 800), (78, 88, 132, 132), id='least context'),
        pytest.param((0, 0, 100, 100), (1000, 800), (0, 0, 216, 180), id='moved from the corner'),
        pytest.param((900, 700, 1000, 800), (1000, 800), (784, 620, 1000, 800), id='far corner'),
        pytest.param((10, 10, 90, 90), (100, 100), (0, 0, 100, 100), id='larger than the image'),
        # What is left is 1 x 30 at the right edge: 54 high, 64.8 wide.
        pytest.param((950, 10, 990, 40), (80, 60), (15, 0, 80, 54), id='outside'),
    ],
)
def test_crop_window(box, size, expected):
    assert crop_window(box, size) == expected


def test_crop_of_odd_boxes_is_inside_the_image():
    rng = np.random.default_rng(0)
    for _ in range(300):
        size = rng.integers(1, 400, 2)
        corners = np.sort(rng.uniform(-300, 600, (2, 2)), axis=0)
        x0, y0, x1, y1 = crop_window(corners.ravel(), size)
        assert 0 <= x0 < x1 <= size[0] and 0 <= y0 < y1 <= size[1]


def colored(path, color):
    pixels = np.asarray(Image.open(path).convert('RGB')).reshape(-1, 3)
    return int((pixels == color).all(axis=1).sum())


def write_images(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), np.full((100, 200), 90, np.uint8))


def test_only_the_images_shown_are_opened(tmp_path):
    tables = read(tmp_path, *many('abcd', 2))
    roots = [tmp_path / 'images']
    write_images(roots[0], chosen_names(tables, 3))
    shown = [tables.images.names[tables.lesions.image[i]] for i in choose_lesions(tables, 3, 3)]
    write_images(roots[0], shown)
    (tmp_path / 'gallery_09_old.png').touch()
    sheets = draw_gallery(tables, roots, tmp_path, count=3)
    assert {name: path.name for name, path in sheets.items()} == {
        'HCC': 'gallery_02_HCC.png',
        'Meta': 'gallery_04_Meta.png',
    }
    assert not (tmp_path / 'gallery_09_old.png').exists()
    assert colored(sheets['HCC'], HCC_COLOR) > 300 > colored(sheets['Meta'], HCC_COLOR)


def test_names_of_classes_are_no_paths(tmp_path):
    names = ('../../up', '肝嚢胞')
    tables = read(tmp_path, ('1.png', {}, [(name, BOX) for name in names]), names=names)
    write_images(tmp_path / 'images', ['1.png'])
    sheets = draw_gallery(tables, [tmp_path / 'images'], tmp_path, count=1)
    assert [p.name for p in sheets.values()] == ['gallery_01_up.png', 'gallery_02_class.png']
    assert all(path.parent == tmp_path for path in sheets.values())


def test_a_missing_image_is_named(tmp_path):
    tables = read(tmp_path, ('gone.png', {}, [('HCC', BOX)]))
    with pytest.raises(InputError, match=r'gone\.png: found no such file'):
        draw_gallery(tables, [tmp_path], tmp_path, count=1)
    assert not list(tmp_path.glob('*.png'))


def test_suspicious_lesion_and_suspicious_image(tmp_path):
    tables = read(tmp_path, ('1.png', {}, [('HCC', BOX), ('cyst', (90, 20, 120, 50))]))
    write_images(tmp_path, ['1.png'])
    paths = []
    for lesion in (0, None):
        paths.append(tmp_path / f'sheet_{lesion}.png')
        dealt = [('a rule', Finding(0, lesion, 'why'))]
        draw_suspicious(tables, [tmp_path], paths[-1], dealt, total=5)
    cyst = (86, 180, 233)
    assert [colored(path, HCC_COLOR) > 100 for path in paths] == [True, True]
    assert [colored(path, cyst) > 100 for path in paths] == [False, True]
