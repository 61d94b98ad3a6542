import copy
import random

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.hiding import hide_labels


def content():
    """Ten lesions on images 0 to 4, two each, then an ignored one; images 5 and 6 have none."""
    annotations = [{'id': 10 + i, 'image_id': i // 2, 'bbox': [i, 0, 9, 9]} for i in range(10)]
    annotations.append({'id': 20, 'image_id': 4, 'bbox': [0, 0, 9, 9], 'ignore': 1})
    annotations.append({'id': 21, 'image_id': 6, 'bbox': [0, 0, 9, 9], 'iscrowd': 1})
    images = [{'id': i, 'file_name': f'{i}.png', 'fully_annotated': 1} for i in range(7)]
    return {
        'info': {'description': 'made up'},
        'images': images,
        'annotations': annotations,
        'categories': [{'id': 1, 'name': 'cyst'}],
        'licenses': [],
    }


def hidden_ids(thinned):
    return thinned['info']['hidden_labels']['annotation_ids']


def ids(thinned):
    return [annotation['id'] for annotation in thinned['annotations']]


@pytest.mark.parametrize('share, number', [(0, 0), (0.04, 0), (0.3, 3), (0.5, 5), (1, 10)])
def test_hides_the_share_and_says_which(share, number):
    thinned = hide_labels(content(), share, 0)
    hidden = hidden_ids(thinned)
    assert len(set(hidden)) == number and hidden == sorted(hidden)
    assert ids(thinned) == [i for i in range(10, 22) if i not in hidden]
    assert thinned['info']['hidden_labels'] == {
        'share': share, 'seed': 0, 'annotation_ids': hidden,
    }  # fmt: skip


def test_ignored_regions_are_no_labels_to_hide():
    assert ids(hide_labels(content(), 1, 0)) == [20, 21]


def test_hidden_lesions_may_stay_as_ignored_ones():
    plain, kept = (hide_labels(content(), 0.3, 0, mark_ignored=mark) for mark in (False, True))
    assert kept['info'] == plain['info'] and kept['images'] == plain['images']
    assert ids(kept) == list(range(10, 22))
    ignored = [a['id'] for a in kept['annotations'] if a.get('ignore')]
    assert sorted(ignored) == sorted([*hidden_ids(plain), 20])
    assert [a for a in kept['annotations'] if a['id'] not in hidden_ids(plain)] == (
        plain['annotations']
    )


def test_marks_go_where_there_are_lesions_and_stay_where_there_are_none():
    marked = [i['id'] for i in hide_labels(content(), 0.1, 0)['images'] if 'fully_annotated' in i]
    assert marked == [5, 6]


def test_the_rest_stays_as_it_was():
    before = content()
    given = copy.deepcopy(before)
    thinned = hide_labels(given, 0.5, 0)
    assert given == before
    assert thinned['licenses'] == [] and thinned['categories'] == before['categories']
    assert thinned['info']['description'] == 'made up'
    assert all(annotation in before['annotations'] for annotation in thinned['annotations'])


def test_a_larger_share_hides_what_a_smaller_one_does_and_seeds_differ():
    few, many = (hidden_ids(hide_labels(content(), share, 0)) for share in (0.3, 0.5))
    assert set(few) < set(many)
    assert len({tuple(hidden_ids(hide_labels(content(), 0.3, seed))) for seed in range(5)}) > 1


def test_order_in_the_file_plays_no_part():
    shuffled = content()
    random.Random(1).shuffle(shuffled['annotations'])
    assert hidden_ids(hide_labels(shuffled, 0.3, 0)) == hidden_ids(hide_labels(content(), 0.3, 0))


def test_every_label_is_as_likely_to_go():
    counts = dict.fromkeys(range(10, 20), 0)
    for seed in range(1000):
        for i in hidden_ids(hide_labels(content(), 0.3, seed)):
            counts[i] += 1
    assert all(250 < count < 350 for count in counts.values())  # 300, with a deviation of 14


def test_file_without_info_or_lesions():
    bare = content() | {'annotations': []}
    del bare['info']
    assert hidden_ids(hide_labels(bare, 0.5, 0)) == []


@pytest.mark.parametrize('share', [-0.1, 1.1, 30, float('nan')])
def test_share_out_of_range(share):
    with pytest.raises(InputError, match=r'^share: found .*; expected 0 to 1'):
        hide_labels(content(), share, 0)


def test_hiding_twice_is_refused():
    with pytest.raises(InputError, match='labels hidden before'):
        hide_labels(hide_labels(content(), 0.3, 0), 0.3, 0)
