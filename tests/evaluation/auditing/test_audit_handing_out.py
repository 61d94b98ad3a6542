import csv
import importlib.util
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from audit_cases import audited
from coco_cases import ground_truth, results, write
from PIL import Image

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.auditing.handing_out.folder import write_review_folder
from mmdet_liver.evaluation.auditing.handing_out.label_studio import labelling_config
from mmdet_liver.evaluation.auditing.handing_out.sheets import view_around

TOOL = Path(__file__).parents[3] / 'tools/audit_labels.py'
LESION = (64, 48, 128, 96)
FAR = (320, 240, 32, 48)
TRUTH = ground_truth({7: [(1, LESION), (4, FAR, 'ignore')], 8: [(2, FAR)], 9: []})
TRUTH['images'][0] |= {'file_name': 'P 1/a&b.png', 'patient_id': 'P1'}
RESULTS = results(
    {7: [(3, LESION, 0.9), (2, (400, 0, 64, 48), 0.6)], 8: [], 9: [(1, (-8, 0, 32, 48), 0.4)]}
)


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('audit_labels_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def written(tmp_path, truth=TRUTH, **kwargs):
    read, listed = audited(tmp_path / 'gt.json', truth, RESULTS)
    write_review_folder(tmp_path / 'out', read, truth, listed, where='gt.json', **kwargs)
    return tmp_path / 'out'


def loaded(path):
    return json.loads(path.read_text())


def test_the_table(tmp_path):
    rows = list(csv.DictReader((written(tmp_path) / 'review_list.csv').open()))
    assert [(r['kind'], r['rank'], r['image_id']) for r in rows] == [
        ('suggested', '1', '7'),
        ('suggested', '2', '9'),
        ('never_found', '1', '8'),
        ('other_class', '1', '7'),
    ]
    assert rows[3] == {
        'rank': '1',
        'kind': 'other_class',
        'image_id': '7',
        'file_name': 'P 1/a&b.png',
        'patient_id': 'P1',
        'fully_annotated': '',
        'annotation_id': '0',
        'x': '64.000',
        'y': '48.000',
        'width': '128.000',
        'height': '96.000',
        'annotated_class': 'cyst',
        'suggested_class': 'hemangioma',
        'score': '0.9000',
        'models_agree': '1',
        'models': '1',
    }
    assert (rows[0]['annotated_class'], rows[0]['annotation_id']) == ('', '')


def test_label_studio(tmp_path):
    tasks = loaded(
        written(tmp_path, image_url='/data/local-files/?d=x/') / 'label_studio/tasks.json'
    )
    assert [task['data']['image_id'] for task in tasks] == [7, 9, 8]
    task = tasks[0]
    assert task['data'] == {
        'image': '/data/local-files/?d=x/P%201/a%26b.png',
        'file_name': 'P 1/a&b.png',
        'image_id': 7,
        'note': 'suggested HCC 0.60; cyst, called hemangioma 0.90',
        'suggestions': [{'bbox': [400, 0, 64, 48], 'class': 'HCC', 'score': 0.6}],
    }
    (prediction,) = task['predictions']
    first, ignored, suggestion = prediction['result']
    assert first['value'] == {
        'x': 10,
        'y': 10,
        'width': 20,
        'height': 20,
        'rotation': 0,
        'rectanglelabels': ['cyst'],
    }
    assert (first['original_width'], first['original_height']) == (640, 480)
    assert first['meta']['text'] == ['cyst, called hemangioma 0.90'] and 'score' not in first
    assert ignored['meta']['text'] == ['not counted']
    assert (suggestion['score'], suggestion['value']['x']) == (0.6, 62.5)
    assert tasks[1]['predictions'][0]['result'][0]['value']['x'] == -1.25


def test_the_labelling_config_fits_the_tasks(tmp_path):
    folder = written(tmp_path) / 'label_studio'
    root = ElementTree.fromstring((folder / 'config.xml').read_text())
    labels, image = root.find('RectangleLabels'), root.find('Image')
    found = {label.get('value'): label.get('background') for label in labels}
    assert found['HCC'] == '#d55e00' and list(found) == ['cyst', 'HCC', 'hemangioma', 'Meta']
    for region in loaded(folder / 'tasks.json')[0]['predictions'][0]['result']:
        assert (region['from_name'], region['to_name']) == (labels.get('name'), image.get('name'))
    assert image.get('value') == '$image'
    quoted = ElementTree.fromstring(labelling_config(('None', '"<&>"')))
    assert quoted.find('RectangleLabels/Label').get('value') == '"<&>"'


def test_cvat(tmp_path):
    folder = written(tmp_path) / 'cvat'
    coco = loaded(folder / 'instances.json')
    assert set(coco) == {'licenses', 'info', 'categories', 'images', 'annotations'}
    assert [image['id'] for image in coco['images']] == [7, 9, 8]
    assert (folder / 'images.txt').read_text().splitlines() == ['P 1/a&b.png', '9.png', '8.png']
    boxes = [
        (a['id'], a['image_id'], a['category_id'], a['bbox'], a['attributes']['suggestion'])
        for a in coco['annotations']
    ]
    assert boxes == [
        (1, 7, 1, list(LESION), 'false'),
        (2, 7, 4, list(FAR), 'false'),
        (3, 7, 2, [400, 0, 64, 48], 'true'),
        (4, 9, 1, [-8, 0, 32, 48], 'true'),
        (5, 8, 2, list(FAR), 'false'),
    ]
    assert all(a['segmentation'] == [] for a in coco['annotations'])
    names = {a['name'] for label in loaded(folder / 'labels.json') for a in label['attributes']}
    assert names == set(coco['annotations'][0]['attributes'])


def pictures(tmp_path):
    for name in ('P 1/a&b.png', '8.png'):  # 9.png is missing
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((480, 640), 90, np.uint8)).save(path)
    return tmp_path / 'images'


def test_contact_sheets(tmp_path):
    (tmp_path / 'out').mkdir()
    for name in ('suggested_002.png', 'suggested_notes.png'):
        (tmp_path / 'out' / name).touch()
    folder = written(tmp_path, image_root=pictures(tmp_path))
    assert sorted(path.name for path in folder.glob('*.png')) == [
        'never_found_001.png',
        'other_class_001.png',
        'suggested_001.png',
        'suggested_notes.png',
    ]
    page = np.asarray(Image.open(folder / 'suggested_001.png'))
    assert (page == (255, 0, 255)).all(axis=2).any()


@pytest.mark.parametrize(
    'box, expected',
    [
        pytest.param((300, 200, 340, 220), (270, 160, 370, 260), id='2.5 longer sides'),
        pytest.param((300, 200, 302, 202), (269, 169, 333, 233), id='64 pixels at least'),
        pytest.param((-20, 460, 20, 500), (0, 380, 100, 480), id='at the corner'),
        pytest.param((0, 0, 640, 480), (0, 0, 640, 480), id='the whole image'),
        pytest.param((900, 900, 910, 910), (576, 416, 640, 480), id='outside'),
    ],
)
def test_view_around(box, expected):
    assert view_around(box, (640, 480)) == expected


def test_sizes_are_measured_where_the_file_has_none(tmp_path):
    truth = json.loads(json.dumps(TRUTH))
    del truth['images'][0]['width'], truth['images'][2]
    with pytest.raises(InputError, match='gt.json, images, entry 0: found no width'):
        audit_and_write(tmp_path, truth)
    folder = audit_and_write(tmp_path, truth, image_root=pictures(tmp_path))
    region = loaded(folder / 'label_studio/tasks.json')[0]['predictions'][0]['result'][0]
    assert region['original_width'] == 640


def audit_and_write(tmp_path, truth, **kwargs):
    entries = [entry for entry in RESULTS if entry['image_id'] != 9]
    read, listed = audited(tmp_path / 'gt.json', truth, entries)
    write_review_folder(tmp_path / 'out', read, truth, listed, where='gt.json', **kwargs)
    return tmp_path / 'out'


def test_nothing_to_review(tmp_path):
    truth = ground_truth({7: []})
    read, listed = audited(tmp_path / 'gt.json', truth, [])
    assert write_review_folder(tmp_path / 'out', read, truth, listed, where='gt.json') == 0
    assert loaded(tmp_path / 'out/label_studio/tasks.json') == []
    assert len((tmp_path / 'out/review_list.csv').read_text().splitlines()) == 1


def test_the_tool_lists_and_merges(main, tmp_path, capsys):
    gt, found = write(tmp_path / 'gt.json', TRUTH), write(tmp_path / 'results.json', RESULTS)
    images = str(pictures(tmp_path))
    out = tmp_path / 'out'
    main([str(gt), str(found), '--out-dir', str(out), '--image-root', images])
    assert 'suggested: 2 found, 2 on the list' in capsys.readouterr().out
    tasks = loaded(out / 'label_studio/tasks.json')
    tasks[0]['annotations'] = tasks[0]['predictions']
    reviewed = write(tmp_path / 'reviewed.json', tasks)
    new = tmp_path / 'new.json'
    argv = [str(gt), '--merge', str(reviewed), '--out', str(new), '--reviewer', 'Dr. A']
    main(argv)
    assert '1 reviewed images: 2 kept, 0 moved' in capsys.readouterr().out
    added = loaded(new)['annotations'][-1]
    assert (added['id'], added['review']['reviewer']) == (3, 'Dr. A')


@pytest.mark.parametrize(
    'argv',
    [
        pytest.param(['gt.json', '--out-dir', 'out'], id='no results'),
        pytest.param(['gt.json', 'r.json'], id='no folder'),
        pytest.param(['gt.json', 'r.json', '--merge', 'x.json', '--out', 'y.json'], id='both'),
        pytest.param(['gt.json', '--merge', 'x.json'], id='no output'),
    ],
)
def test_the_tool_asks_for_one_of_its_two_uses(main, argv):
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2


def test_a_model_does_not_agree_with_itself(main, tmp_path):
    gt, found = write(tmp_path / 'gt.json', TRUTH), write(tmp_path / 'results.json', RESULTS)
    with pytest.raises(InputError, match='the same results again'):
        main([str(gt), str(found), str(found), '--out-dir', str(tmp_path / 'out')])


def test_the_ground_truth_is_not_written_over(main, tmp_path):
    gt = write(tmp_path / 'gt.json', TRUTH)
    reviewed = write(tmp_path / 'reviewed.json', [])
    with pytest.raises(InputError, match='found a file that is read'):
        main([str(gt), '--merge', str(reviewed), '--out', str(gt)])
