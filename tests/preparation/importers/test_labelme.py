import base64
import json

import cv2
import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.labelme import embedded_image, import_labelme
from mmdet_liver.preparation.importers.vocabulary import parse_vocabulary
from mmdet_liver.preparation.manifest import Record

PNG = cv2.imencode('.png', np.zeros((40, 60), np.uint8))[1].tobytes()


def shape(label, kind, *points):
    return {'label': label, 'shape_type': kind, 'points': [list(p) for p in points], 'flags': {}}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'in/annotated').mkdir(parents=True)
    for name in ('a.png', 'b.png', 'c.png'):
        (tmp_path / f'in/{name}').write_bytes(PNG)
    return tmp_path / 'in'


def write(folder, name, image_path, *shapes, **more):
    content = {'version': '5.5.0', 'flags': {'seen': True}, 'shapes': list(shapes)}
    size = {'imageHeight': 40, 'imageWidth': 60}
    content |= {'imagePath': image_path, 'imageData': None, **size, **more}
    (folder / name).write_text(json.dumps(content))


@pytest.mark.parametrize(
    'drawn, box',
    [
        pytest.param(shape('HCC', 'rectangle', (9, 8), (1, 2)), (1, 2, 9, 8), id='rectangle'),
        pytest.param(
            shape('HCC', 'polygon', (5, 0), (9.5, 4), (5, 8), (1, 4)), (1, 0, 9.5, 8), id='polygon'
        ),
        pytest.param(shape('HCC', None, (0, 0), (4, 0), (2, 2)), (0, 0, 4, 2), id='early version'),
        # The second point lies 3 to the right and 4 down: the radius is 5.
        pytest.param(shape('HCC', 'circle', (20, 10), (23, 14)), (15, 5, 25, 15), id='circle'),
        pytest.param(shape('HCC', 'mask', (3, 4), (6, 8)), (3, 4, 6, 8), id='mask'),
    ],
)
def test_shape_becomes_a_box(folder, drawn, box):
    write(folder, 'a.json', 'a.png', drawn)
    (record,) = import_labelme(folder).records
    assert record == Record('a.png', diagnosis='HCC', box=box)


def test_files_become_records(folder):
    write(folder, 'a.json', 'a.png', shape('cyst', 'rectangle', (1, 1), (2, 2)),
          shape('hcc', 'rectangle', (3, 3), (4, 4)), shape('scale', 'line', (0, 0), (1, 1)),
          shape('cyst', 'rectangle', (2, 2), (1, 1)))  # fmt: skip
    write(folder, 'annotated/b.json', '..\\b.png')
    found = import_labelme(folder, parse_vocabulary(['diagnosis:scale=']))
    assert list(found.records) == [
        Record('a.png', diagnosis='cyst', box=(1, 1, 2, 2)),
        Record('a.png', diagnosis='HCC', box=(3, 3, 4, 4)),
        Record('b.png'),
    ]
    assert [(d.image_path, d.action) for d in found.decisions] == [
        ('a.png', 'flagged'), ('c.png', 'left out')
    ]  # fmt: skip


def test_dropped_and_unlisted(folder):
    write(folder, 'a.json', 'a.png', shape('FNH', 'point', (1, 1)))
    write(folder, 'b.json', 'b.png')
    words = parse_vocabulary([], ['FNH'])
    found = import_labelme(folder, words, include_unlisted=True)
    assert list(found.records) == [Record('b.png'), Record('c.png', fully_annotated=False)]
    assert [(d.image_path, d.action) for d in found.decisions] == [('a.png', 'left out')]


@pytest.mark.parametrize('image_path', ['gone.png', '', '../../secret.png', '/home/x/a.png'])
def test_image_held_in_the_file_goes_by_the_files_path(folder, image_path):
    held = base64.b64encode(PNG).decode()
    drawn = shape('HCC', 'rectangle', (1, 1), (2, 2))
    write(folder, 'annotated/x.json', image_path, drawn, imageData=held)
    (record,) = import_labelme(folder).records
    assert record == Record('annotated/x.json', diagnosis='HCC', box=(1, 1, 2, 2))
    assert embedded_image(folder / record.image_path) == PNG


def test_image_beside_the_file_comes_before_the_one_in_it(folder):
    write(folder, 'a.json', 'a.png', imageData=base64.b64encode(PNG).decode())
    assert [r.image_path for r in import_labelme(folder).records] == ['a.png']


@pytest.mark.parametrize('data', [None, '***', 5, '日本'])
def test_embedded_image_that_is_none(folder, data):
    write(folder, 'a.json', '', imageData=data)
    with pytest.raises(InputError, match='a.json: found no image in imageData'):
        embedded_image(folder / 'a.json')


SMALL = shape('HCC', 'rectangle', (1, 1), (2, 2))


@pytest.mark.parametrize(
    'image_path, shapes, more, named',
    [
        pytest.param('gone.png', [], {}, "no image 'gone.png'", id='missing'),
        pytest.param('../out.png', [], {}, "the path '../out.png'", id='way out'),
        pytest.param('/etc/x.png', [], {}, "the path '/etc/x.png'", id='absolute'),
        pytest.param('a.png', [{**SMALL, 'label': 'FNH'}], {}, "1 unknown: 'FNH'", id='word'),
        pytest.param('a.png', [SMALL], {'imageHeight': 41}, '60x40 pixels, but 60x41', id='size'),
        pytest.param('a.png', [shape('HCC', 'line', (0, 0), (1, 1))], {}, 'a line of', id='line'),
        pytest.param(
            'a.png', [shape('HCC', 'rectangle', (1, 1), (1, 5))], {}, 'without area', id='no area'
        ),
        pytest.param('a.png', [{'points': []}], {}, 'shape 0: found no label and', id='no label'),
        pytest.param('a.png', [{**SMALL, 'points': [[1], [2]]}], {}, 'and points x', id='columns'),
        pytest.param('a.png', [{**SMALL, 'points': []}], {}, 'and points x, y', id='no points'),
        pytest.param(
            'a.png', [shape('HCC', 'mask', (0, 0), (1, float('inf')))], {}, 'points x, y', id='inf'
        ),
        pytest.param('a.png', [5], {}, 'shape 0', id='no object'),
        pytest.param('a.png', None, {'shapes': 1}, "no list 'shapes'", id='no shapes'),
    ],
)  # fmt: skip
def test_bad_file_is_one_line(folder, image_path, shapes, more, named):
    write(folder, 'a.json', image_path, *(shapes or []), **more)
    with pytest.raises(InputError) as error:
        import_labelme(folder)
    assert named in str(error.value) and '\n' not in str(error.value)


def test_two_files_of_one_image(folder):
    write(folder, 'a.json', 'a.png')
    write(folder, 'annotated/a.json', '../a.png')
    with pytest.raises(InputError, match=r'annotated/a.json: found the image of a.json'):
        import_labelme(folder)


def test_folder_without_files(folder):
    with pytest.raises(InputError, match='no JSON file'):
        import_labelme(folder)
