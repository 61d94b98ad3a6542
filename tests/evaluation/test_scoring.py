import numpy as np
import pytest
from coco_cases import ground_truth, results, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_metric import slow_matrix

from mmdet_liver.errors import InputError
from mmdet_liver.evaluation import matching
from mmdet_liver.evaluation.arrays import merge_classes
from mmdet_liver.evaluation.confusion import SCORE_THRS
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.scoring import evaluate

LESION = (100, 100, 40, 40)
QUARTER = (100, 100, 20, 20)  # IoU exactly 0.25 with LESION
LESS = (100, 100, 20, 19)
FAR = (300, 300, 40, 40)
FLAT = (110, 110, 0, 20)


def scored(tmp_path, truth, entries, **kwargs):
    read = read_truth(write(tmp_path / 'gt.json', truth))
    return evaluate(read, to_detections(entries, read, 'results'), **kwargs)


def cells(matrix):
    return {(int(r), int(c)): int(matrix[r, c]) for r, c in np.argwhere(matrix)}


@pytest.mark.parametrize(
    'annotations, predictions, expected',
    [
        pytest.param([(1, LESION)], [(1, LESION, 0.9)], {(1, 1): 1}, id='hit'),
        pytest.param([(1, LESION)], [(2, LESION, 0.9)], {(1, 2): 1}, id='wrong class, once'),
        pytest.param([(1, LESION)], [(1, QUARTER, 0.9)], {(1, 1): 1}, id='IoU of 0.25'),
        pytest.param([(1, LESION)], [(1, LESS, 0.9)], {(1, 0): 1, (0, 1): 1}, id='IoU below'),
        pytest.param([(1, LESION)], [(1, LESION, 0.29)], {(1, 0): 1}, id='score below'),
        pytest.param([(1, LESION)], [(1, LESION, 0.2999996)], {(1, 1): 1}, id='score rounds up'),
        pytest.param(
            [(1, LESION)], [(1, LESION, float(np.float32(0.3)))], {(1, 1): 1}, id='float32 0.3'
        ),
        pytest.param(
            [(1, LESION)], [(1, LESION, 0.5)] * 3, {(1, 1): 1}, id='three on one lesion count once'
        ),
        pytest.param(
            [(1, LESION)],
            [(1, LESION, 0.5), (2, QUARTER, 0.6)],
            {(1, 2): 1},
            id='the highest score names the class, not the highest IoU',
        ),
        pytest.param(
            [(1, LESION)],
            [(3, LESION, 0.6), (2, LESION, 0.6000004)],
            {(1, 3): 1},
            id='of equal scores the earlier, after rounding',
        ),
        pytest.param(
            [(1, LESION), (2, LESION)], [(2, LESION, 0.9)], {(1, 2): 1, (2, 0): 1}, id='IoU tie'
        ),
        pytest.param(
            [(1, LESION), (2, (110, 100, 40, 40))],
            [(2, (109, 100, 40, 40), 0.9)],
            {(1, 0): 1, (2, 2): 1},
            id='the nearer lesion',
        ),
        pytest.param([(1, LESION)], [], {(1, 0): 1}, id='no prediction'),
        pytest.param([], [(4, FAR, 0.9), (4, FAR, 0.9)], {(0, 4): 2}, id='all over-detections'),
        pytest.param([], [], {}, id='neither'),
        pytest.param([(1, LESION, 'ignore')], [(2, QUARTER, 0.9)], {}, id='ignored, hit'),
        pytest.param([(1, LESION, 'ignore')], [(2, LESS, 0.9)], {(0, 2): 1}, id='ignored, not hit'),
        pytest.param([(1, LESION, 'iscrowd')], [(2, (110, 110, 2, 2), 0.9)], {}, id='in a crowd'),
        pytest.param(
            [(1, (0, 0, 100, 100), 'iscrowd')],
            [(2, (75, 0, 100, 9), 0.9)],
            {},
            id='0.25 in crowd',
        ),
        pytest.param(
            [(1, (0, 0, 100, 100), 'iscrowd')],
            [(2, (76, 0, 100, 9), 0.9)],
            {(0, 2): 1},
            id='0.24 in crowd',
        ),
        pytest.param(
            [(1, LESION), (2, LESION, 'ignore')],
            [(2, LESION, 0.9)],
            {(1, 2): 1},
            id='a lesion comes before an ignored one',
        ),
        pytest.param(
            [(1, FLAT)], [(1, FLAT, 0.9)], {(1, 0): 1, (0, 1): 1}, id='no area, no overlap'
        ),
    ],
)
def test_one_image(tmp_path, annotations, predictions, expected):
    truth, entries = ground_truth({7: annotations}), results({7: predictions})
    evaluation = scored(tmp_path, truth, entries, score_thr=0.3)
    assert cells(evaluation.matrix) == expected
    assert cells(np.array(slow_matrix(truth, entries, 0.3))) == expected


def test_a_score_of_0_is_no_prediction(tmp_path):
    entries = results({1: [(1, LESION, 0.0), (1, FAR, 4e-7)]})
    evaluation = scored(tmp_path, ground_truth({1: [(1, LESION)]}), entries, score_thr=0.0)
    assert cells(evaluation.matrix) == {(1, 0): 1}


def test_labels_follow_category_ids(tmp_path):
    truth = ground_truth({1: [(1, LESION)]}, names=('b', 'a'), ids=(9, 4))
    evaluation = scored(tmp_path, truth, results({1: [(1, LESION, 0.9)]}, ids=(9, 4)))
    assert evaluation.truth.labels == ('None', 'a', 'b')
    assert cells(evaluation.matrix) == {(2, 2): 1}


def test_merged_classes_take_any_category(tmp_path):
    truth = ground_truth({1: [(1, LESION), (3, FAR)]})
    read = merge_classes(read_truth(write(tmp_path / 'gt.json', truth)), 'tumor')
    entries = results({1: [(1, LESION, 0.9), (2, FAR, 0.9)]}, ids=(0, 77))
    evaluation = evaluate(read, to_detections(entries, read, 'results'))
    assert (evaluation.truth.labels, cells(evaluation.matrix)) == (('None', 'tumor'), {(1, 1): 2})


@pytest.mark.parametrize('kwargs', [{'score_thr': 1.5}, {'score_thr': True}, {'iou_thr': 0.0}])
def test_thresholds_out_of_range_are_refused(tmp_path, kwargs):
    with pytest.raises(InputError, match='_thr: found .*; expected'):
        scored(tmp_path, ground_truth({1: []}), [], **kwargs)


# Few places and sizes, so that overlaps, ties and boxes without area are common.
BOX = st.tuples(
    st.sampled_from([0, 10, 20, 25]),
    st.sampled_from([0, 10]),
    *[st.sampled_from([0, 10, 20, 40])] * 2,
)
SCORE = st.sampled_from([0.0, 3e-7, 0.05, 0.2999996, 0.3, 0.3000004, 0.55, 0.9, 1.0])
FLAG = st.sampled_from([(), (), (), ('ignore',), ('iscrowd',), ('ignore', 'iscrowd')])
CLASS = st.integers(1, 3)
ANNOTATION = st.builds(lambda c, box, flags: (c, box, *flags), CLASS, BOX, FLAG)
IMAGE = st.tuples(
    st.lists(ANNOTATION, max_size=4), st.lists(st.tuples(CLASS, BOX, SCORE), max_size=6)
)
PROPERTY = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def content(images, ids=(1, 2, 3), order=None):
    numbers = order or range(len(images))
    return (
        ground_truth({i: images[i][0] for i in numbers}, ('a', 'b', 'c'), ids),
        results({i: images[i][1] for i in numbers}, ids),
    )


@PROPERTY
@given(st.lists(IMAGE, min_size=1, max_size=4))
def test_equals_the_slow_loop_at_every_threshold(tmp_path, images):
    truth, entries = content(images)
    evaluation = scored(tmp_path, truth, entries)
    slow = [slow_matrix(truth, entries, float(t)) for t in SCORE_THRS]
    assert evaluation.sweep.matrices.tolist() == slow
    classes = [c for annotations, _ in images for c, _, *flags in annotations if not flags]
    totals = [classes.count(c) for c in (1, 2, 3)]
    assert (evaluation.sweep.matrices.sum(axis=2)[:, 1:] == totals).all()


@PROPERTY
@given(st.lists(IMAGE, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_order_of_images_and_category_ids_do_not_matter(tmp_path, images, random):
    order = random.sample(range(len(images)), len(images))
    plain = scored(tmp_path, *content(images)).sweep.matrices
    other = scored(tmp_path, *content(images, ids=(3, 50, 700), order=order)).sweep.matrices
    assert plain.tolist() == other.tolist()


def test_blocks_do_not_change_the_result(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    boxes = rng.integers(1, 50, (40, 4)).tolist()
    images = {0: [(1, b) for b in boxes[:5]], 1: [(2, b) for b in boxes[5:8]], 2: []}
    found = {i: [(1, b, 0.5) for b in boxes[8 + i :: 3]] for i in images}
    truth, entries = ground_truth(images), results(found)
    whole = scored(tmp_path, truth, entries).sweep.matrices
    monkeypatch.setattr(matching, '_PAIRS_AT_ONCE', 7)
    assert scored(tmp_path, truth, entries).sweep.matrices.tolist() == whole.tolist()
