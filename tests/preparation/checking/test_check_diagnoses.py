"""Clusters of look-alikes with different diagnoses, in files that are scored."""

import pytest
from checked_sets import coco, image, lesion, read

from mmdet_liver.preparation.checking.diagnoses import check_diagnoses

CYST, HCC = 1, 2


def pair(tmp_path, annotations, name='val.json', **fields):
    content = coco([image(1, **fields), image(2, **fields)], annotations)
    return read(tmp_path, content, name)


@pytest.mark.parametrize(
    'annotations, contradict',
    [
        pytest.param([], False, id='no lesions'),
        pytest.param([lesion(1, 1), lesion(2, 2)], False, id='the same'),
        pytest.param([lesion(1, 1), lesion(2, 2, category_id=CYST)], True, id='two diagnoses'),
        pytest.param(
            [lesion(1, 1), lesion(2, 2), lesion(3, 2, category_id=CYST)], False, id='one more'
        ),
        pytest.param([lesion(1, 1)], False, id='not annotated'),
        pytest.param([lesion(1, 1), lesion(2, 2, category_id=CYST, ignore=1)], False, id='ignored'),
        pytest.param(
            [lesion(1, 1), lesion(2, 2, category_id=CYST, iscrowd=1)], False, id='a crowd'
        ),
        pytest.param([lesion(1, 1), lesion(2, 2, category_id=9)], False, id='unknown category'),
    ],
)
def test_contradictions(tmp_path, annotations, contradict):
    found = list(check_diagnoses(pair(tmp_path, annotations, cluster_id='C1'), '', {}))
    assert [f.kind for f in found] == ['contradicting diagnoses'] * contradict
    if found:
        assert (found[0].image, found[0].severity) == ('1.png', 'warning')
        assert 'HCC' in found[0].message and found[0].message.endswith('with 2.png')
    # Without a cluster there is nothing to compare, and in training nothing is scored.
    assert list(check_diagnoses(pair(tmp_path, annotations), '', {})) == []
    train = pair(tmp_path, annotations, 'train.json', cluster_id='C1')
    assert list(check_diagnoses(train, '', {})) == []


def test_vouched_to_be_lesion_free(tmp_path):
    content = coco(
        [image(1, cluster_id='C', fully_annotated=1), image(2, cluster_id='C')], [lesion(1, 2)]
    )
    assert len(list(check_diagnoses(read(tmp_path, content), '', {}))) == 1


def test_clusters_found_in_the_pixels(tmp_path):
    file = pair(tmp_path, [lesion(1, 1), lesion(2, 2, category_id=CYST)])
    same = {'/data/1.png': 'C1', '/data/2.png': 'C1'}
    assert len(list(check_diagnoses(file, '/data', same))) == 1
    assert list(check_diagnoses(file, '/data', {**same, '/data/2.png': 'C2'})) == []
