from collections import Counter

import pytest
from audit_cases import audited
from coco_cases import ground_truth, results
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_metric import _excused, _iou

from mmdet_liver.errors import InputError

LESION = (100, 100, 40, 40)
FAR = (300, 300, 40, 40)
NEAR_FAR = (300, 300, 40, 20)  # IoU exactly 0.5 with FAR
BESIDE_FAR = (300, 300, 40, 19)  # IoU just below


def suggested(listed):
    return [
        (item.suggested, round(item.score, 4), item.models, item.image)
        for item in listed.items
        if item.kind == 'suggested'
    ]


@pytest.mark.parametrize(
    'annotations, models, expected',
    [
        pytest.param([], [[(2, FAR, 0.9)]], [(2, 0.9, 1, 0)], id='on no lesion'),
        pytest.param([(1, LESION)], [[(2, LESION, 0.9)]], [], id='on a lesion, of another class'),
        pytest.param([(1, FAR, 'ignore')], [[(2, FAR, 0.9)]], [], id='excused'),
        pytest.param([], [[(2, FAR, 0.29)]], [], id='score below'),
        pytest.param([], [[(2, FAR, 0.3)]], [(2, 0.3, 1, 0)], id='least score'),
        pytest.param(
            [], [[(2, FAR, 0.9), (3, NEAR_FAR, 0.8)]], [(2, 0.9, 1, 0)], id='overlapping ones'
        ),
        pytest.param(
            [],
            [[(2, FAR, 0.9), (3, BESIDE_FAR, 0.8)]],
            [(2, 0.9, 1, 0), (3, 0.8, 1, 0)],
            id='hardly overlapping ones',
        ),
        pytest.param(
            [], [[(2, FAR, 0.9)], [(2, FAR, 0.5)]], [(2, 0.7, 2, 0)], id='mean of two models'
        ),
        pytest.param(
            [], [[(2, FAR, 0.9)], []], [(2, 0.45, 1, 0)], id='a model that says nothing says 0'
        ),
        pytest.param(
            [],
            [[(2, FAR, 0.9)], [(3, FAR, 0.5)], [(3, NEAR_FAR, 0.7)]],
            [(3, 0.7, 3, 0)],
            id='the class with the highest sum',
        ),
        pytest.param(
            [],
            [[(2, FAR, 0.9), (3, FAR, 0.8)], [(3, FAR, 0.8)]],
            [(2, 0.85, 2, 0)],
            id='a model has one say',
        ),
    ],
)
def test_suggestions(tmp_path, annotations, models, expected):
    truth = ground_truth({7: annotations})
    _, listed = audited(tmp_path / 'gt.json', truth, *[results({7: m}) for m in models])
    assert suggested(listed) == expected


def test_fully_annotated_images_come_last_or_not_at_all(tmp_path):
    truth = ground_truth({1: [], 2: [], 3: []})
    truth['images'][0]['fully_annotated'] = 1
    truth['images'][1]['fully_annotated'] = 0
    entries = results({1: [(1, FAR, 0.9)], 2: [(1, FAR, 0.4)], 3: [(1, FAR, 0.5)]})
    _, listed = audited(tmp_path / 'gt.json', truth, entries)
    assert [image for *_, image in suggested(listed)] == [2, 1, 0]
    _, listed = audited(tmp_path / 'gt.json', truth, entries, skip_fully_annotated=True)
    assert [image for *_, image in suggested(listed)] == [2, 1]
    assert listed.found['suggested'] == 2


def test_the_most_doubtful_are_listed_and_all_are_counted(tmp_path):
    entries = results({1: [(1, FAR, 0.5), (1, LESION, 0.6)], 2: [(2, FAR, 0.9)]})
    _, listed = audited(tmp_path / 'gt.json', ground_truth({1: [], 2: []}), entries, most=2)
    assert suggested(listed) == [(2, 0.9, 1, 1), (1, 0.6, 1, 0)]
    assert [item.rank for item in listed.items] == [1, 2]
    assert listed.found['suggested'] == 3


SMALL = (500, 20, 10, 10)


@pytest.mark.parametrize(
    'models, expected',
    [
        pytest.param([[]], [(1, 0.0), (2, 0.0)], id='no prediction: the larger one first'),
        pytest.param([[(3, LESION, 0.05)]], [(2, 0.0)], id='found at the floor, as any class'),
        pytest.param([[(3, LESION, 0.0499)]], [(2, 0.0), (1, 0.0499)], id='only below the floor'),
        pytest.param([[], [(1, LESION, 0.2), (1, SMALL, 0.5)]], [], id='one model finds it'),
        pytest.param([[(1, LESION, 0.0)]], [(1, 0.0), (2, 0.0)], id='a score of 0'),
    ],
)
def test_never_found(tmp_path, models, expected):
    truth = ground_truth({7: [(1, LESION), (2, SMALL), (3, FAR, 'ignore')]})
    _, listed = audited(tmp_path / 'gt.json', truth, *[results({7: m}) for m in models])
    found = [(i.annotated, i.score) for i in listed.items if i.kind == 'never_found']
    assert found == expected


@pytest.mark.parametrize(
    'models, expected',
    [
        pytest.param([[(2, LESION, 0.9)]], [(2, 0.9, 1)], id='called another class'),
        pytest.param([[(2, LESION, 0.8), (1, LESION, 0.9)]], [], id='the best one counts'),
        pytest.param([[(2, LESION, 0.29)]], [], id='score below'),
        pytest.param([[(2, LESION, 0.9)], [(1, LESION, 0.4)]], [], id='one model agrees'),
        pytest.param([[(2, LESION, 0.9)], []], [], id='one model does not find it'),
        pytest.param(
            [[(2, LESION, 0.6)], [(3, LESION, 0.7)], [(2, LESION, 0.5)]],
            [(2, 0.6, 2)],
            id='others disagree: the highest sum',
        ),
    ],
)
def test_other_class(tmp_path, models, expected):
    truth = ground_truth({7: [(1, LESION)]})
    _, listed = audited(tmp_path / 'gt.json', truth, *[results({7: m}) for m in models])
    items = [i for i in listed.items if i.kind == 'other_class']
    assert [(i.suggested, round(i.score, 4), i.models) for i in items] == expected
    assert all((i.annotated, i.source) == (1, 0) for i in items)


def test_what_is_not_found_is_not_called_another_class(tmp_path):
    truth = ground_truth({7: [(1, LESION)]})
    _, listed = audited(tmp_path / 'gt.json', truth, [], min_score=0.0)
    assert [item.kind for item in listed.items] == ['never_found']


@pytest.mark.parametrize('rules', [{'min_score': 1.5}, {'floor': -0.1}, {'iou_thr': 0.0}])
def test_rules_out_of_range_are_refused(tmp_path, rules):
    with pytest.raises(InputError, match='found .*; expected'):
        audited(tmp_path / 'gt.json', ground_truth({1: []}), [], **rules)


BOX = st.tuples(*[st.sampled_from([0, 10, 20, 30])] * 2, *[st.sampled_from([0, 10, 20, 30])] * 2)
ANNOTATION = st.builds(
    lambda c, box, flags: (c, box, *flags),
    st.integers(1, 3),
    BOX,
    st.sampled_from([(), (), ('ignore',), ('iscrowd',)]),
)
PREDICTION = st.tuples(st.integers(1, 3), BOX, st.sampled_from([0.0, 0.2, 0.3, 0.5, 0.9]))
IMAGE = st.tuples(
    st.lists(ANNOTATION, max_size=3),
    st.lists(st.lists(PREDICTION, max_size=6), min_size=2, max_size=2),
)


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(IMAGE, min_size=1, max_size=3))
def test_equals_a_slow_loop(tmp_path, images):
    truth = ground_truth({i: annotations for i, (annotations, _) in enumerate(images)})
    models = [results({i: m[k] for i, (_, m) in enumerate(images)}) for k in range(2)]
    _, listed = audited(tmp_path / 'gt.json', truth, *models)
    expected = Counter(
        (i, *found)
        for i, (annotations, _) in enumerate(images)
        for found in slow_suggestions(truth, i, models)
    )
    found = [
        (
            item.image,
            item.box,
            item.suggested,
            round(item.score, 6),
            item.models,
        )
        for item in listed.items
        if item.kind == 'suggested'
    ]
    assert Counter(found) == expected


def slow_suggestions(truth, image_id, models, least=0.3):
    own = [a for a in truth['annotations'] if a['image_id'] == image_id]
    lesions = [a for a in own if not a.get('ignore') and not a.get('iscrowd')]
    loose = []
    for k, entries in enumerate(models):
        for p in (p for p in entries if p['image_id'] == image_id and p['score'] >= least):
            hits = any(_iou(p['bbox'], a['bbox']) >= 0.25 for a in lesions)
            if min(p['bbox'][2:]) and not hits and not _excused(p['bbox'], own, 0.25):
                loose.append((k, p))
    loose.sort(key=lambda pair: -pair[1]['score'])
    while loose:
        lead = loose[0][1]['bbox']
        together = [loose[0]] + [x for x in loose[1:] if _iou(lead, x[1]['bbox']) >= 0.5]
        loose = [x for x in loose if not any(x is y for y in together)]
        best = {}
        for k, p in together:
            best.setdefault(k, p)
        votes = {}
        for p in best.values():
            votes[p['category_id']] = votes.get(p['category_id'], 0) + p['score']
        name = min(votes, key=lambda c: (-votes[c], c))
        x, y, w, h = lead
        yield (x, y, x + w, y + h), name, round(sum(votes.values()) / len(models), 6), len(best)
