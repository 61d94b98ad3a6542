"""Leaks between files, from made-up facts; the pixels are tested with the image files."""

from collections import defaultdict

import numpy as np
import pytest
from checked_sets import kinds

from mmdet_liver.preparation.checking.leaks import (
    find_copies,
    find_leaks,
    find_look_alikes,
    find_unknown_patients,
)
from mmdet_liver.preparation.checking.listing import ListedImage, list_images
from mmdet_liver.preparation.checking.reading import CocoFile
from mmdet_liver.preparation.cleansing.facts import Facts


def listed(name, part, file=None, root='/data', **ids):
    ids = {'patient': '', 'study': '', 'cluster': ''} | ids
    return ListedImage(file or f'{part}.json', part, name, root, name, (100, 80), **ids)


@pytest.mark.parametrize(
    'first, second, expected',
    [
        pytest.param({}, {}, [], id='nothing known'),
        pytest.param({'patient': 'p'}, {'patient': 'q'}, [], id='two patients'),
        pytest.param({'patient': 'p'}, {'patient': 'p'}, ['patient leak'], id='one patient'),
        pytest.param({'study': 's'}, {'study': 's'}, ['study leak'], id='one study of someone'),
        pytest.param(
            {'patient': 'p', 'study': '1'},
            {'patient': 'q', 'study': '1'},
            [],
            id='each patient has a first study',
        ),
        pytest.param({'cluster': 'c'}, {'cluster': 'c'}, ['cluster leak'], id='one cluster'),
        pytest.param(
            {'patient': 'p', 'cluster': 'c'},
            {'patient': 'p', 'cluster': 'c'},
            ['patient leak', 'cluster leak'],
            id='both',
        ),
    ],
)
def test_what_two_files_share(first, second, expected):
    assert kinds(find_leaks([listed('a', 0, **first), listed('b', 1, **second)])) == expected
    # In one file, and in two versions of one split, it is no leak.
    assert list(find_leaks([listed('a', 0, **first), listed('b', 0, **second)])) == []
    truth = listed('b', 0, 'truth.json', **second)
    assert list(find_leaks([listed('a', 0, **first), truth])) == []


def test_one_finding_a_patient_with_the_counts():
    images = [listed(f'{i}', 0, patient='p') for i in range(3)]
    images += [
        listed('x', 1, patient='p'),
        listed('y', 2, patient='p'),
        listed('z', 2, patient='p'),
    ]
    (found,) = find_leaks(images)
    assert (found.file, found.image) == ('0.json', '0')
    assert found.message == "patient 'p', 3 here; 1.json: x; 2.json: y and 1 more"


def test_the_same_image_in_two_files():
    assert kinds(find_leaks([listed('a', 0), listed('a', 1)])) == ['image leak']
    assert list(find_leaks([listed('a', 0), listed('a', 1, root='/other')])) == []


def test_unknown_patients_are_told_where_there_are_several_files():
    images = [listed('a', 0), listed('b', 0, patient='p'), listed('c', 1, patient='q')]
    (found,) = find_unknown_patients(images)
    assert (found.file, found.severity) == ('0.json', 'warning')
    assert found.message == '1 of 2 images are without patient_id'
    assert list(find_unknown_patients(images[:2])) == []
    assert list(find_unknown_patients(images[1:])) == []


def by_path(images, shas, hashes=None):
    hashes = hashes or [0] * len(images)
    return {
        image.path: Facts(sha, hash=value)
        for image, sha, value in zip(images, shas, hashes, strict=True)
    }


@pytest.mark.parametrize(
    'images, shas, expected',
    [
        pytest.param([listed('a', 0), listed('b', 1)], 'xy', [], id='two images'),
        pytest.param([listed('a', 0), listed('b', 1)], 'xx', ['copy leak'], id='over files'),
        pytest.param([listed('a', 0), listed('b', 0)], 'xx', ['copy in one file'], id='in one'),
        pytest.param([listed('a', 0), listed('a', 1)], 'xx', [], id='one file on disk'),
        pytest.param([listed('a', 0), listed('b', 1)], ['', ''], [], id='both missing'),
        pytest.param(
            [listed('a', 0), listed('b', 0), listed('c', 1)],
            'xxx',
            ['copy leak', 'copy in one file'],
            id='both',
        ),
        pytest.param(
            [listed('a', 0), listed('a', 0), listed('b', 1)],
            'xxx',
            ['copy leak'],
            id='an image named twice is no copy',
        ),
    ],
)
def test_copies(images, shas, expected):
    assert kinds(find_copies(images, by_path(images, shas))) == expected


def test_a_copy_under_two_patients_names_them():
    images = [listed('a', 0, patient='p'), listed('b', 0, patient='q')]
    (found,) = find_copies(images, by_path(images, 'xx'))
    assert found.message == 'equal bytes in b, of patients p, q'


def look_alikes(images, shas, hashes):
    cluster_of = dict.fromkeys((image.path for image in images), 'C1')
    return list(find_look_alikes(images, cluster_of, by_path(images, shas, hashes)))


@pytest.mark.parametrize(
    'images, shas, count',
    [
        pytest.param([listed('a', 0), listed('b', 0)], 'xy', 0, id='in one file'),
        pytest.param([listed('a', 0), listed('b', 1)], 'xy', 1, id='over files'),
        pytest.param([listed('a', 0), listed('b', 1)], 'xx', 0, id='equal bytes are copies'),
        pytest.param(
            [listed('a', 0), listed('b', 0, 'truth.json')], 'xy', 0, id='versions of one split'
        ),
    ],
)
def test_look_alikes(images, shas, count):
    assert kinds(look_alikes(images, shas, [7, 6])) == ['look-alike leak'] * count


def test_images_in_no_cluster_are_no_look_alikes():
    images = [listed('a', 0), listed('b', 1)]
    assert list(find_look_alikes(images, {}, by_path(images, 'xy'))) == []


def test_the_nearest_pair_over_files_is_named():
    images = [listed('a', 0), listed('b', 0), listed('c', 1), listed('d', 2)]
    # c is 2 bits from a, 1 from b; d is 3 from all; a and b themselves are in one file.
    (found,) = look_alikes(images, 'wxyz', [0b00011, 0b00010, 0b00000, 0b11100])
    assert (found.file, found.image) == ('0.json', 'b')
    assert found.message == (
        'distance 1 to c in 1.json; of the look-alikes, 2 in 0.json, 1 in 1.json, 1 in 2.json'
    )


def test_nearest_pairs_against_a_slow_loop():
    rng = np.random.default_rng(0)
    images, cluster_of, facts = [], {}, {}
    for i in range(200):
        image = listed(f'{i}', int(rng.integers(3)))
        images.append(image)
        cluster_of[image.path] = f'C{rng.integers(20)}'
        value = int(rng.integers(2**63))
        facts[image.path] = Facts(f'{rng.integers(150)}', hash=value)
    found = {cluster_of[f'/data/{f.image}']: f for f in find_look_alikes(images, cluster_of, facts)}
    nearest = defaultdict(lambda: 65)
    for a in images:
        for b in images:
            same = cluster_of[a.path] == cluster_of[b.path]
            if same and a.part != b.part and facts[a.path].sha256 != facts[b.path].sha256:
                distance = bin(facts[a.path].hash ^ facts[b.path].hash).count('1')
                nearest[cluster_of[a.path]] = min(nearest[cluster_of[a.path]], distance)
    told = {name: int(f.message.split()[1]) for name, f in found.items()}
    assert told == dict(nearest) and len(told) > 10


def coco_file(name, version_of, *images):
    return CocoFile(name, 'x', version_of, list(images), [], [])


def test_files_of_one_split_are_one_part():
    entry = {'file_name': './x/1.png', 'width': 3, 'height': 2, 'patient_id': 5}
    files = [
        coco_file('test', ('test', 'f'), entry),
        coco_file('truth', ('test', 'f'), {'file_name': '2.png', 'width': 3}, {'id': 3}),
        coco_file('train', ('train', 'f'), entry),
        coco_file('other', ('test', 'e'), entry),
        coco_file('foreign', None, entry),
        coco_file('foreign too', None, entry),
    ]
    images = list_images(files, ['/a', '/a', '/a', '/a', '', ''])
    parts = {image.file: image.part for image in images}
    assert parts['test'] == parts['truth']
    assert len(set(parts.values())) == 5
    assert images[0] == ListedImage(
        'test', parts['test'], './x/1.png', '/a', 'x/1.png', (3, 2), '5', '', ''
    )
    assert (images[0].path, images[-1].path) == ('/a/x/1.png', 'x/1.png')
    assert [(i.name, i.size) for i in images if i.file == 'truth'] == [('2.png', None)]
