import copy
import json

import pytest
from audit_cases import exported, submitted
from coco_cases import ground_truth, results, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation.auditing.merging.files import merge_files
from mmdet_liver.evaluation.detection_files import read_truth
from mmdet_liver.files import file_sha256

LESION = (100, 100, 40, 40)
NUDGED = (101, 100, 40, 40)  # IoU 39 / 41 with LESION: kept
MOVED = (120, 100, 40, 40)  # IoU 20 / 60
NEXT = (110, 100, 40, 40)  # IoU 30 / 50
AWAY = (130, 100, 40, 40)  # IoU 10 / 70, below 0.25
FAR = (300, 300, 40, 40)


def percent(box, size=(640, 480)):
    x, y, w, h = box
    scaled = (100 * x / size[0], 100 * y / size[1], 100 * w / size[0], 100 * h / size[1])
    return dict(zip(('x', 'y', 'width', 'height'), scaled, strict=True))


def region(name, box, **changes):
    value = percent(box) | {'rotation': 0, 'rectanglelabels': [name]}
    made = {'type': 'rectanglelabels', 'original_width': 640, 'original_height': 480}
    return made | {'image_rotation': 0, 'value': value} | changes


def task(*regions, image='/data/local-files/?d=7.png', **data):
    annotation = {'result': list(regions), 'was_cancelled': False}
    return {'data': {'image': image, **data}, 'annotations': [annotation], 'predictions': [3]}


def merged(tmp_path, truth, reviewed, **kwargs):
    paths = write(tmp_path / 'gt.json', truth), write(tmp_path / 'reviewed.json', reviewed)
    merge_files(*paths, tmp_path / 'new.json', **kwargs)
    read_truth(tmp_path / 'new.json')
    return json.loads((tmp_path / 'new.json').read_text())


def one_lesion(*flags):
    truth = ground_truth({8: [(2, FAR)], 7: [(1, LESION, *flags)]})
    truth['annotations'][1] |= {'id': 40, 'note': 'of the hospital'}
    return truth


@pytest.mark.parametrize(
    'drawn, action, expected',
    [
        pytest.param([('cyst', LESION)], 'kept', (40, 1, LESION), id='kept'),
        pytest.param([('cyst', NUDGED)], 'kept', (40, 1, LESION), id='hardly moved'),
        pytest.param([('cyst', MOVED)], 'moved', (40, 1, MOVED), id='moved'),
        pytest.param([('HCC', NUDGED)], 'reclassified', (40, 2, LESION), id='reclassified'),
        pytest.param([('HCC', MOVED)], 'moved and reclassified', (40, 2, MOVED), id='both'),
    ],
)
def test_an_annotation_keeps_its_id(tmp_path, drawn, action, expected):
    truth = one_lesion('ignore')
    new = merged(tmp_path, truth, [task(*[region(*d) for d in drawn])], reviewer='Dr. A')
    other, first = new['annotations']
    assert other == truth['annotations'][0]
    assert (first['id'], first['category_id'], tuple(first['bbox'])) == expected
    assert (first['note'], first['ignore']) == ('of the hospital', 1)
    if action == 'kept':
        assert first == truth['annotations'][1]
    else:
        review = first['review']
        assert (review['action'], review['reviewer']) == (action, 'Dr. A')
        assert review['previous'] == {'bbox': list(LESION), 'category_id': 1, 'class': 'cyst'}
    assert {a: n for a, n in new['reviews'][0]['actions'].items() if n} == {action: 1}


def test_moved_too_far_is_removed_and_added_with_a_new_id(tmp_path):
    truth = one_lesion()
    new = merged(tmp_path, truth, [task(region('cyst', AWAY))])
    other, added = new['annotations']
    assert other == truth['annotations'][0]
    assert (added['id'], added['bbox'], added['area']) == (41, list(AWAY), 1600)
    assert added['review']['action'] == 'added' and 'suggested_score' not in added['review']
    (removed,) = new['removed_annotations']
    assert removed.pop('review')['action'] == 'removed'
    assert removed == truth['annotations'][1]


def test_an_id_is_not_given_twice(tmp_path):
    new = merged(tmp_path, one_lesion(), [task()])
    assert [a['id'] for a in new['annotations']] == [0]
    again = merged(tmp_path, new, [task(region('cyst', FAR), region('cyst', AWAY))])
    assert [a['id'] for a in again['annotations']] == [0, 41, 42]
    assert len(again['removed_annotations']) == 1 and len(again['reviews']) == 2


def test_the_outline_of_a_moved_box_is_kept_as_previous(tmp_path):
    truth = one_lesion()
    outline = [[100, 100, 140, 100, 140, 140]]
    truth['annotations'][1]['segmentation'] = outline
    moved = merged(tmp_path, truth, [task(region('cyst', MOVED))])['annotations'][1]
    assert 'segmentation' not in moved
    assert moved['review']['previous']['segmentation'] == outline
    named = merged(tmp_path, truth, [task(region('HCC', LESION))])['annotations'][1]
    assert named['segmentation'] == outline


def test_only_reviewed_images_change(tmp_path):
    truth = one_lesion()
    new = merged(tmp_path, truth, [task(region('cyst', LESION))])
    reviewed = {'file': 'reviewed.json', 'sha256': file_sha256(tmp_path / 'reviewed.json')}
    other, image = new['images']
    assert image.pop('reviewed').items() >= reviewed.items()
    assert image == truth['images'][1] | {'fully_annotated': 1}
    assert other == truth['images'][0]
    new = merged(tmp_path, truth, [task(region('cyst', LESION))], fully_annotated=False)
    assert 'fully_annotated' not in new['images'][1]


def test_pairs_are_the_surest_ones(tmp_path):
    truth = ground_truth({7: [(1, LESION), (2, NEXT)]})
    new = merged(tmp_path, truth, [task(region('HCC', NUDGED), region('cyst', NEXT))])
    assert [a['category_id'] for a in new['annotations']] == [2, 1]
    assert new['reviews'][0]['actions']['reclassified'] == 2


@pytest.mark.parametrize('program', [submitted, exported])
def test_accepted_suggestions_are_added_with_their_score(tmp_path, program):
    truth = one_lesion()
    found = results({7: [(3, FAR, 0.8), (1, LESION, 0.9)], 8: [(2, FAR, 0.9)]})
    new = merged(tmp_path, truth, program(tmp_path / 'gt.json', truth, found))
    assert new['annotations'][:2] == truth['annotations']
    added = new['annotations'][2]
    assert (added['id'], added['category_id'], added['bbox']) == (41, 3, list(FAR))
    assert added['review']['suggested_score'] == 0.8


def test_a_file_is_merged_once(tmp_path):
    new = merged(tmp_path, one_lesion(), [task(region('HCC', MOVED))])
    with pytest.raises(InputError, match='a review merged before'):
        merged(tmp_path, new, [task(region('HCC', MOVED))])


def test_another_export_of_the_same_review_changes_nothing_more(tmp_path):
    reviewed = [task(region('HCC', MOVED), region('Meta', FAR))]
    new = merged(tmp_path, one_lesion(), reviewed)
    again = merged(tmp_path, new, [reviewed[0] | {'id': 5}])
    assert again['annotations'] == new['annotations']
    assert again['reviews'][1]['actions']['kept'] == 2


@pytest.mark.parametrize(
    'annotations',
    [
        pytest.param([], id='not annotated'),
        pytest.param([{'was_cancelled': True, 'result': []}], id='skipped'),
    ],
)
def test_unfinished_tasks_are_not_reviewed(tmp_path, annotations):
    truth = ground_truth({7: [(1, LESION)], 8: [(2, FAR)]})
    done = task(image='8.png')
    new = merged(tmp_path, truth, [task() | {'annotations': annotations}, done])
    assert new['annotations'] == truth['annotations'][:1]
    assert new['images'][0] == truth['images'][0]
    with pytest.raises(InputError, match='no finished review'):
        merged(tmp_path, truth, [task() | {'annotations': annotations}])


def test_of_several_annotations_the_ground_truth_counts(tmp_path):
    done = task(region('HCC', LESION))
    done['annotations'].append({'result': [region('Meta', LESION)], 'ground_truth': True})
    assert merged(tmp_path, one_lesion(), [done])['annotations'][1]['category_id'] == 4


def test_notes_and_relations_are_passed_over(tmp_path):
    notes = {'type': 'choices', 'value': {'choices': ['clear']}}, {'type': 'relation'}
    truth = one_lesion()
    new = merged(tmp_path, truth, [task(region('cyst', LESION), *notes)])
    assert new['annotations'] == truth['annotations']


def turned(value):
    return region('cyst', LESION) | {'value': percent(LESION) | value}


@pytest.mark.parametrize(
    'reviewed, message',
    [
        pytest.param([task(region('FNH', LESION))], "result 0: .*class 'FNH'", id='class'),
        pytest.param([task(image='9.png')], "task 0: .*image '9.png'", id='image'),
        pytest.param([task(region('cyst', (600, 0, 60, 40)))], 'inside the 640x480', id='beyond'),
        pytest.param([task(region('cyst', (700, 0, 60, 40)))], 'inside the 640x480', id='outside'),
        pytest.param([task(region('cyst', (9, 9, -5, 5)))], 'with an area', id='negative size'),
        pytest.param([task(region('cyst', (9, 9, 0, 5)))], 'with an area', id='no area'),
        pytest.param(
            [task(turned({'rotation': 12, 'rectanglelabels': ['cyst']}))], 'rotation', id='turned'
        ),
        pytest.param(
            [task(region('cyst', LESION, image_rotation=90))], 'rotation', id='turned image'
        ),
        pytest.param(
            [task(region('cyst', LESION, original_width=641))], '641x480 pixels', id='other size'
        ),
        pytest.param(
            [task(turned({'rectanglelabels': ['cyst', 'HCC']}))], 'one label', id='two classes'
        ),
        pytest.param([task({'type': 'polygonlabels', 'value': {}})], 'rectangle', id='polygon'),
        pytest.param([task(), task()], "'7.png' again", id='an image twice'),
        pytest.param(
            [task() | {'annotations': [{'result': []}] * 2}], '2 annotations', id='two reviews'
        ),
        pytest.param([{'image': '7.png', 'label': []}], 'JSON-MIN', id='JSON-MIN'),
        pytest.param([task() | {'annotations': [12]}], 'list of objects', id='ids only'),
        pytest.param({'a': 1}, 'a JSON object', id='something else'),
        pytest.param([], 'no finished review', id='empty'),
    ],
)
def test_what_cannot_be_taken_is_one_line_and_nothing_is_written(tmp_path, reviewed, message):
    with pytest.raises(InputError, match=message) as caught:
        merged(tmp_path, one_lesion(), reviewed)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / 'new.json').exists()


@pytest.mark.parametrize(
    'change, message',
    [
        pytest.param({'bbox': [9, 9, -5, 5]}, 'with an area', id='negative size'),
        pytest.param({'bbox': [600, 9, 50, 5]}, 'inside the 640x480', id='outside'),
        pytest.param({'attributes': {'rotation': 3.5}}, 'rotation of 3.5', id='turned'),
    ],
)
def test_bad_boxes_of_cvat(tmp_path, change, message):
    truth = one_lesion()
    back = exported(tmp_path / 'gt.json', truth, [])
    back['annotations'][0] |= change
    with pytest.raises(InputError, match=message):
        merged(tmp_path, truth, back)


def test_images_that_cvat_shows_without_their_boxes(tmp_path):
    truth = one_lesion()
    back = exported(tmp_path / 'gt.json', truth, results({8: [(2, FAR, 0.9)]}))
    assert [image['file_name'] for image in back['images']] == ['7.png']
    handed_out = write(tmp_path / 'instances.json', back)
    more = copy.deepcopy(back)
    more['images'].append({'id': 99, 'file_name': '8.png', 'width': 640, 'height': 480})
    with pytest.raises(InputError, match="1 images that have lost all .* '8.png'"):
        merged(tmp_path, truth, more)
    new = merged(tmp_path, truth, more, handed_out=handed_out)
    assert new['annotations'] == truth['annotations']
    assert 'reviewed' not in new['images'][0]
    emptied = back | {'annotations': []}  # the reviewer did remove them
    new = merged(tmp_path, truth, emptied, handed_out=handed_out)
    assert new['annotations'] == truth['annotations'][:1]


@pytest.mark.parametrize(
    'given, found',
    [
        pytest.param('P1/b.png', 'P1/b.png', id='as it is'),
        pytest.param('images/P1/b.png', 'P1/b.png', id='with more folders'),
        pytest.param('b.png', 'P1/b.png', id='without folders'),
        pytest.param('a.png', None, id='in two folders'),
        pytest.param('P1\\a.png', 'P1/a.png', id='of Windows'),
        pytest.param('P3/b.png', None, id='in another folder'),
        pytest.param('/data/local-files/?d=x/P1/a%20b.png', 'P1/a b.png', id='address'),
        pytest.param('s3://bucket/P2/a.png', 'P2/a.png', id='bucket'),
        pytest.param('c.png', None, id='unknown'),
    ],
)
def test_images_are_found_by_name(tmp_path, given, found):
    names = ['P1/a.png', 'P2/a.png', 'P1/b.png', 'P1/a b.png']
    truth = ground_truth(dict.fromkeys(range(4), []))
    for image, name in zip(truth['images'], names, strict=True):
        image['file_name'] = name
    if found is None:
        with pytest.raises(InputError, match='task 0: found the image'):
            merged(tmp_path, truth, [task(image=given)])
    else:
        new = merged(tmp_path, truth, [task(image=given)])
        assert [i['file_name'] for i in new['images'] if 'reviewed' in i] == [found]


NUMBER = st.floats(0, 200, allow_nan=False)
SIDE = st.floats(0.5, 90, allow_nan=False)
BOX = st.tuples(NUMBER, NUMBER, SIDE, SIDE)
FLAT = st.tuples(NUMBER, NUMBER, st.just(0), SIDE)
ANNOTATION = st.builds(
    lambda c, box, flags: (c, box, *flags),
    st.integers(1, 4),
    BOX | FLAT,
    st.sampled_from([(), (), ('ignore',), ('iscrowd',)]),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.lists(ANNOTATION, max_size=4), min_size=1, max_size=3),
    st.tuples(st.integers(250, 999), st.integers(250, 999)),
    st.sampled_from([submitted, exported]),
)
def test_a_round_trip_returns_the_same_annotations(tmp_path, images, size, program):
    # Beyond the edges too: what the reviewer did not touch need not be inside.
    truth = ground_truth(dict(enumerate(images)), ids=(3, 50, 7, 2))
    for image in truth['images']:
        image |= {'width': size[0], 'height': size[1]}
    reviewed = program(tmp_path / 'gt.json', truth, [])
    listed = any(len(lesion) == 2 for annotations in images for lesion in annotations)
    if not listed:  # no lesion, so that none is never found
        return
    new = merged(tmp_path, truth, reviewed)
    assert new['annotations'] == truth['annotations']
    assert 'removed_annotations' not in new
    names = (
        {t['data']['file_name'] for t in reviewed}
        if program is submitted
        else {image['file_name'] for image in reviewed['images']}
    )
    for image, before in zip(new['images'], truth['images'], strict=True):
        assert ('reviewed' in image) == (image['file_name'] in names)
        assert image.items() >= before.items()
