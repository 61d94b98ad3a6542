import json

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.aul import import_aul
from mmdet_liver.preparation.manifest import Record


def polygon(folder, name, points):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(points))


@pytest.fixture
def folder(tmp_path):
    for name in ('Benign/image/1.jpg', 'Benign/image/2.jpg', 'Malignant/image/229.jpg',
                 'Malignant/image/3.JPG', 'Normal/image/1.jpg'):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'')
    liver = [[0, 0], [90, 0], [90, 90]]
    polygon(tmp_path, 'Benign/segmentation/mass/1.json', [[10, 5], [20.5, 9], [12, 30]])
    polygon(tmp_path, 'Benign/segmentation/liver/1.json', liver)
    polygon(tmp_path, 'Benign/segmentation/outline/1.json', liver)
    polygon(tmp_path, 'Malignant/segmentation/mass/229.json', [[1, 2], [3, 2], [3, 4], [1, 4]])
    # The liver, where the outline belongs.
    polygon(tmp_path, 'Malignant/segmentation/outline/229.json', liver)
    polygon(tmp_path, 'Malignant/segmentation/mass/3.json', [])
    polygon(tmp_path, 'Normal/segmentation/liver/1.json', liver)
    return tmp_path


def test_extent_of_the_mass_is_the_box(folder):
    found = import_aul(folder)
    assert list(found.records) == [
        Record('Benign/image/1.jpg', 'Benign/image/1', diagnosis='benign', box=(10, 5, 20.5, 30)),
        Record(
            'Malignant/image/229.jpg',
            'Malignant/image/229',
            diagnosis='malignant',
            box=(1, 2, 3, 4),
        ),
        Record('Normal/image/1.jpg', 'Normal/image/1', fully_annotated=True),
    ]


def test_lesion_image_without_mass_is_left_out(folder):
    reason = 'a benign or malignant image without the outline of its mass'
    assert list(import_aul(folder).decisions) == [
        Decision('Benign/image/2.jpg', 'import', 'left out', reason),
        Decision('Malignant/image/3.JPG', 'import', 'left out', reason),
    ]


def test_polygon_without_image_is_told(folder):
    polygon(folder, 'Benign/segmentation/mass/99.json', [[0, 0], [1, 1], [0, 1]])
    assert import_aul(folder).decisions[-1].reason == 'a polygon without its image'


@pytest.mark.parametrize(
    'name, points, named',
    [
        pytest.param(
            'Normal/segmentation/mass/1.json', [[0, 0], [1, 1]], 'a mass in a normal', id='normal'
        ),
        pytest.param(
            'Benign/segmentation/mass/1.json', [[0, 0], [5, 0]], 'without area', id='line'
        ),
        pytest.param('Benign/segmentation/mass/1.json', [1, 2, 3], 'no list of', id='flat'),
        pytest.param('Benign/segmentation/mass/1.json', {'a': 1}, 'no list of', id='object'),
        pytest.param('Benign/segmentation/mass/1.json', [[1, 2], [3]], 'no list of', id='ragged'),
    ],
)
def test_bad_polygon_is_named(folder, name, points, named):
    polygon(folder, name, points)
    with pytest.raises(InputError) as error:
        import_aul(folder)
    assert named in str(error.value) and name in str(error.value)


def test_another_layout(tmp_path):
    with pytest.raises(InputError, match='none of Benign/image'):
        import_aul(tmp_path)
    (tmp_path / 'Normal/image').mkdir(parents=True)
    with pytest.raises(InputError, match='found no image'):
        import_aul(tmp_path)
