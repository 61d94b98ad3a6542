import numpy as np
import pytest
from coco_cases import ground_truth, results, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmdet_liver.evaluation.arrays import merge_classes
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.measures.average_precision import average_precision
from mmdet_liver.evaluation.measures.error_types import ERROR_TYPES, error_types

LESION = (100, 100, 40, 40)
FIFTH = (100, 100, 20, 16)  # IoU 0.2 with LESION
TENTH = (100, 100, 20, 8)  # IoU exactly 0.1
QUARTER = (100, 100, 20, 20)  # IoU exactly 0.25
LESS = (100, 100, 20, 7)  # IoU below 0.1
FAR = (300, 300, 40, 40)


def measured(tmp_path, truth, entries, merged=False, score_thr=0.3, **kwargs):
    read = read_truth(write(tmp_path / 'gt.json', truth))
    read = merge_classes(read, 'tumor') if merged else read
    return error_types(read, to_detections(entries, read, 'r'), score_thr=score_thr, **kwargs)


def named(counts):
    return {n: int(c) for n, c in zip(ERROR_TYPES, counts, strict=True) if c}


@pytest.mark.parametrize(
    'annotations, predictions, expected',
    [
        pytest.param([(1, LESION)], [(1, LESION, 0.9)], {}, id='hit'),
        pytest.param([(1, LESION)], [(1, QUARTER, 0.9)], {}, id='IoU of 0.25 is a hit'),
        pytest.param([(1, LESION)], [], {'missed': 1}, id='missed'),
        pytest.param([(1, LESION)], [(1, LESION, 0.2)], {'missed': 1}, id='score below'),
        pytest.param([], [(1, FAR, 0.9)], {'background': 1}, id='no lesion'),
        pytest.param([], [], {}, id='neither'),
        pytest.param(
            [(1, LESION)], [(1, LESS, 0.9)], {'background': 1, 'missed': 1}, id='background'
        ),
        pytest.param([(1, LESION)], [(1, FIFTH, 0.9)], {'localisation': 1}, id='localisation'),
        pytest.param([(1, LESION)], [(1, TENTH, 0.9)], {'localisation': 1}, id='IoU of 0.1'),
        pytest.param([(1, LESION)], [(2, LESION, 0.9)], {'classification': 1}, id='class'),
        pytest.param(
            [(1, LESION)], [(2, QUARTER, 0.9)], {'classification': 1}, id='class, IoU of 0.25'
        ),
        pytest.param(
            [(1, LESION)], [(2, FIFTH, 0.9)], {'both': 1, 'missed': 1}, id='both explains no miss'
        ),
        pytest.param(
            [(1, LESION)], [(2, TENTH, 0.9)], {'both': 1, 'missed': 1}, id='both, IoU of 0.1'
        ),
        pytest.param(
            [(1, LESION)],
            [(1, LESION, 0.9), (1, LESION, 0.8), (1, QUARTER, 0.7)],
            {'duplicate': 2},
            id='duplicates',
        ),
        pytest.param(
            [(1, LESION)],
            [(1, QUARTER, 0.9), (1, LESION, 0.8)],
            {'duplicate': 1},
            id='the higher score claims, not the higher IoU',
        ),
        pytest.param(
            [(1, LESION)],
            [(1, LESION, 0.9), (1, FIFTH, 0.8), (2, LESION, 0.7)],
            {'localisation': 1, 'classification': 1},
            id='errors on a lesion that was claimed',
        ),
        pytest.param(
            [(1, LESION), (2, (100, 100, 20, 16))],
            [(2, LESION, 0.9)],
            {'localisation': 1, 'missed': 1},
            id='localisation is asked before classification',
        ),
        pytest.param(
            [(1, LESION), (2, LESION)],
            [(2, LESION, 0.9), (2, LESION, 0.8)],
            {'classification': 1},
            id='classification is asked before duplicate',
        ),
        pytest.param([(1, LESION, 'ignore')], [(2, LESION, 0.9)], {}, id='ignored'),
        pytest.param([(1, LESION, 'iscrowd')], [(2, (110, 110, 5, 5), 0.9)], {}, id='in a crowd'),
        pytest.param(
            [(1, LESION, 'ignore')], [(1, FIFTH, 0.9)], {'background': 1}, id='not quite ignored'
        ),
        pytest.param(
            [(1, LESION), (1, LESION, 'ignore')],
            [(2, LESION, 0.9)],
            {'classification': 1},
            id='a lesion comes before an ignored one',
        ),
        pytest.param(
            [(1, LESION), (1, (100, 100, 20, 16), 'ignore')],
            [(1, FIFTH, 0.9)],
            {'missed': 1},
            id='an excused one explains no miss',
        ),
    ],
)
def test_counts(tmp_path, annotations, predictions, expected):
    found = measured(tmp_path, ground_truth({7: annotations}), results({7: predictions}))
    assert named(found.counts) == expected


@pytest.mark.parametrize(
    'annotations, predictions, ap, expected',
    [
        pytest.param(
            [(1, LESION)],
            [(1, FAR, 0.9), (1, LESION, 0.8)],
            0.5,
            {'background': 0.5},
            id='background taken away',
        ),
        pytest.param(
            [(1, LESION), (1, FAR)],
            [(1, LESION, 0.9), (1, LESION, 0.8), (1, FAR, 0.7)],
            (51 + 50 * 2 / 3) / 101,
            {'duplicate': 50 / 3 / 101},
            id='duplicate taken away',
        ),
        pytest.param(
            [(1, LESION)], [(1, FIFTH, 0.9)], 0, {'localisation': 1}, id='moved onto the lesion'
        ),
        pytest.param(
            [(1, LESION)],
            [(1, FIFTH, 0.9), (1, TENTH, 0.8), (1, FIFTH, 0.7)],
            0,
            {'localisation': 1},
            id='only the best is moved',
        ),
        pytest.param([(1, LESION)], [(2, LESION, 0.9)], 0, {'classification': 1}, id='class'),
        pytest.param(
            [(1, LESION)],
            [(1, FIFTH, 0.9), (2, LESION, 0.8)],
            0,
            {'localisation': 1, 'classification': 0.5},
            id='each type is mended alone',
        ),
        pytest.param(
            [(1, LESION), (1, FAR)], [(1, LESION, 0.9)], 51 / 101, {'missed': 50 / 101}, id='missed'
        ),
        pytest.param(
            [(1, LESION), (1, FAR)],
            [(1, LESION, 0.9), (1, FIFTH, 0.8)],
            51 / 101,
            {'missed': 50 / 101},
            id='an error on a claimed lesion becomes no second hit',
        ),
        pytest.param([(1, LESION)], [], 0, {'missed': 1}, id='no prediction'),
        pytest.param(
            [(1, LESION)],
            [(1, FAR, 0.9)],
            0,
            {},
            id='nothing left to find, but a wrong one there',
        ),
        pytest.param(
            [(1, LESION), (2, FAR)],
            [(1, LESION, 0.9), (1, (300, 300, 20, 16), 0.95)],
            0.25,
            {'both': 0.25, 'missed': 0.5},
            id='both taken away',
        ),
        pytest.param(
            [(1, LESION), (1, FAR, 'ignore')],
            [(2, FAR, 0.95), (1, FAR, 0.9), (1, LESION, 0.8)],
            1,
            {},
            id='excused predictions do not count',
        ),
    ],
)
def test_delta_ap(tmp_path, annotations, predictions, ap, expected):
    found = measured(tmp_path, ground_truth({7: annotations}), results({7: predictions}))
    assert found.ap == pytest.approx(ap)
    deltas = {n: d for n, d in zip(ERROR_TYPES, found.delta_ap, strict=True) if d > 1e-12}
    assert deltas == pytest.approx(expected)


def test_without_lesions_there_is_no_ap(tmp_path):
    found = measured(tmp_path, ground_truth({1: []}), results({1: [(1, FAR, 0.9)]}))
    assert np.isnan(found.ap) and np.isnan(found.delta_ap).all()


def test_merged_classes_know_no_wrong_class(tmp_path):
    truth = ground_truth({1: [(1, LESION), (3, FAR)]})
    entries = results({1: [(2, LESION, 0.9), (4, (300, 300, 20, 16), 0.9)]})
    found = measured(tmp_path, truth, entries, merged=True)
    assert named(found.counts) == {'localisation': 1}


def test_a_score_of_0_is_not_counted(tmp_path):
    truth, entries = ground_truth({1: []}), results({1: [(1, FAR, 0.0)]})
    assert named(measured(tmp_path, truth, entries, score_thr=0.0).counts) == {}


def test_a_low_foreground_threshold_lowers_the_background(tmp_path):
    truth, entries = ground_truth({1: [(1, LESION)]}), results({1: [(1, LESS, 0.9)]})
    assert named(measured(tmp_path, truth, entries, iou_thr=0.08).counts) == {}


# One mistake or two of each type, every class with lesions, no score twice: here the paper
# and the authors' program agree. Made with tidecv 1.0.1: TIDE(0.25, 0.1).evaluate(truth,
# predictions, mode=TIDE.BOX), its count_errors() and fix_main_errors() / 100.
TIDE_LESIONS = {
    1: [(1, (100, 100, 40, 40)), (2, (300, 300, 40, 40))],
    2: [(2, (50, 50, 60, 60))],
    3: [(3, (200, 100, 50, 50)), (3, (20, 20, 30, 30))],
    4: [],
    5: [(1, (10, 10, 40, 40)), (2, (100, 10, 40, 40))],
}
TIDE_PREDICTIONS = {
    1: [(1, (100, 100, 40, 40), 0.9), (1, (101, 100, 40, 40), 0.8), (1, (300, 300, 40, 40), 0.7)],
    2: [(2, (50, 50, 30, 24), 0.85), (3, (50, 50, 30, 24), 0.65)],
    3: [(3, (200, 100, 50, 50), 0.6), (3, (400, 300, 30, 30), 0.95)],
    4: [(2, (10, 10, 20, 20), 0.75)],
    5: [(2, (100, 10, 40, 40), 0.55), (1, (10, 10, 40, 40), 0.45)],
}
TIDE_AP = 0.34433443344334436
TIDE_FOUND = {
    'classification': (1, 0.10066006600660096),
    'localisation': (1, 0.14741474147414713),
    'both': (1, 0.028052805280527976),
    'duplicate': (1, 0.02750275027502781),
    'background': (2, 0.04675467546754668),
    'missed': (1, 0.055005500550054834),
}


def test_equals_the_authors_program(tmp_path):
    truth = ground_truth(TIDE_LESIONS, ('a', 'b', 'c'))
    found = measured(tmp_path, truth, results(TIDE_PREDICTIONS), score_thr=0.0)
    assert found.names == tuple(TIDE_FOUND)
    assert found.ap == pytest.approx(TIDE_AP, abs=1e-12)
    assert found.counts.tolist() == [count for count, _ in TIDE_FOUND.values()]
    assert found.delta_ap == pytest.approx([d for _, d in TIDE_FOUND.values()], abs=1e-12)


def test_types_of_single_predictions_and_lesions(tmp_path):
    truth = ground_truth(TIDE_LESIONS, ('a', 'b', 'c'))
    found = measured(tmp_path, truth, results(TIDE_PREDICTIONS), score_thr=0.7)
    names = [ERROR_TYPES[i] if i >= 0 else '' for i in found.of_prediction]
    assert names == [
        *['', 'duplicate', 'classification', 'localisation', '', '', 'background'],
        *['background', '', ''],
    ]
    # Unclaimed at 0.7, and no one's error: both lesions of image 3, both of image 5.
    assert np.flatnonzero(found.missed).tolist() == [3, 4, 5, 6]


def test_an_error_explains_the_first_of_equal_lesions(tmp_path):
    found = measured(
        tmp_path, ground_truth({1: [(1, LESION)] * 2}), results({1: [(2, LESION, 0.9)]})
    )
    assert found.missed.tolist() == [False, True]


def slow_types(truth, entries, iou_thr, background_iou_thr, score_thr):
    """The module's definition as plain loops: type of each shown prediction, missed lesions."""
    types, missed = {}, []
    for image in truth['images']:
        own = [a for a in truth['annotations'] if a['image_id'] == image['id']]
        lesions = [a for a in own if not a.get('ignore') and not a.get('iscrowd')]
        shown = [i for i, p in enumerate(entries) if p['image_id'] == image['id']]
        shown = [i for i in shown if entries[i]['score'] >= max(score_thr, 1e-9)]
        claimed, explained = {}, set()
        for i in sorted(shown, key=lambda i: -entries[i]['score']):
            best = None
            for g, lesion in enumerate(lesions):
                iou = _iou(entries[i], lesion)
                if _same(entries[i], lesion) and g not in claimed.values() and iou >= iou_thr:
                    best = g if best is None or iou >= _iou(entries[i], lesions[best]) else best
            if best is not None:
                claimed[i] = best
        for i in shown:
            if i in claimed:
                continue
            same = [_iou(entries[i], g) * _same(entries[i], g) for g in lesions]
            other = [_iou(entries[i], g) * (not _same(entries[i], g)) for g in lesions]
            highest_same, highest_other = max(same, default=0), max(other, default=0)
            if max(highest_same, highest_other) < iou_thr and _excused(entries[i], own, iou_thr):
                continue
            if background_iou_thr <= highest_same < iou_thr:
                types[i] = 'localisation'
                explained.add(same.index(highest_same))
            elif highest_other >= iou_thr:
                types[i] = 'classification'
                explained.add(other.index(highest_other))
            elif highest_same >= iou_thr:
                types[i] = 'duplicate'
            elif highest_other < background_iou_thr:
                types[i] = 'background'
            else:
                types[i] = 'both'
        found = explained | set(claimed.values())
        missed += [g not in found for g in range(len(lesions))]
    return types, missed


def _same(a, b):
    return a['category_id'] == b['category_id']


def _iou(a, b):
    shared = _shared(a['bbox'], b['bbox'])
    return shared and shared / (_area(a['bbox']) + _area(b['bbox']) - shared)


def _excused(prediction, annotations, iou_thr):
    return any(
        (a.get('ignore') and _iou(prediction, a) >= iou_thr)
        or (
            a.get('iscrowd')
            and _shared(prediction['bbox'], a['bbox']) >= iou_thr * _area(prediction['bbox']) > 0
        )
        for a in annotations
    )


def _area(box):
    return box[2] * box[3]


def _shared(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


BOX = st.tuples(
    st.sampled_from([0, 10, 20, 25]), st.sampled_from([0, 10]), *[st.sampled_from([0, 10, 40])] * 2
)
FLAG = st.sampled_from([(), (), (), (), ('ignore',), ('iscrowd',)])
CLASS = st.integers(1, 3)
ANNOTATION = st.builds(lambda c, box, flags: (c, box, *flags), CLASS, BOX, FLAG)
SCORE = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9])
IMAGE = st.tuples(
    st.lists(ANNOTATION, max_size=4), st.lists(st.tuples(CLASS, BOX, SCORE), max_size=8)
)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(IMAGE, min_size=1, max_size=3),
    st.sampled_from([(0.25, 0.1), (0.5, 0.1), (0.25, 0.25)]),
    st.sampled_from([0.0, 0.3]),
)
def test_equals_the_slow_loop(tmp_path, images, iou_thrs, score_thr):
    truth = ground_truth({i: image[0] for i, image in enumerate(images)}, ('a', 'b', 'c'))
    entries = results({i: image[1] for i, image in enumerate(images)})
    read = read_truth(write(tmp_path / 'gt.json', truth))
    detections = to_detections(entries, read, 'results')
    found = error_types(read, detections, *iou_thrs, score_thr=score_thr)
    types, missed = slow_types(truth, entries, *iou_thrs, score_thr)
    fast = {i: ERROR_TYPES[n] for i, n in enumerate(found.of_prediction) if n >= 0}
    assert fast == types
    assert found.counts[:-1].tolist() == [list(types.values()).count(n) for n in ERROR_TYPES[:-1]]
    assert found.missed.tolist() == missed
    assert found.counts[-1] == sum(missed)
    if not len(read.ignored.boxes) and not len(read.crowds.boxes) and iou_thrs[0] == 0.25:
        ap25 = average_precision(read, detections).mean[7]
        np.testing.assert_allclose(found.ap, ap25, rtol=0, atol=1e-12)
    assert np.isnan(found.delta_ap).all() or (found.delta_ap + found.ap <= 1 + 1e-12).all()
