"""What must hold for the metric whatever the data: against the slow loop, and against itself."""

from fractions import Fraction

import numpy as np
import pytest
from coco_cases import ground_truth, results, write
from hypothesis import given
from hypothesis import strategies as st
from slow_metric import slow_matrix
from test_scoring import FAR, IMAGE, LESION, PROPERTY, content, scored

from mmdet_liver.evaluation.arrays import merge_classes, round_scores
from mmdet_liver.evaluation.confusion import SCORE_THRS
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.matching import box_iou
from mmdet_liver.evaluation.scoring import evaluate

IMAGES = st.lists(IMAGE, min_size=1, max_size=4)
RANDOM = st.randoms(use_true_random=False)


def matrices(tmp_path, truth, entries, **kwargs):
    return scored(tmp_path, truth, entries, **kwargs).sweep.matrices.tolist()


@PROPERTY
@given(IMAGES, RANDOM)
def test_entries_of_different_images_may_be_mixed(tmp_path, images, random):
    truth, entries = content(images)
    waiting = [[e for e in entries if e['image_id'] == i] for i in range(len(images))]
    mixed = []
    while any(waiting):  # within an image the order stays: it breaks ties
        mixed.append(random.choice([w for w in waiting if w]).pop(0))
    assert matrices(tmp_path, truth, mixed) == matrices(tmp_path, truth, entries)


@PROPERTY
@given(IMAGES, RANDOM)
def test_order_within_an_image_matters_to_ties_only(tmp_path, images, random):
    truth, entries = content(images)
    for i, score in enumerate(random.sample(range(1, 1000), len(entries))):
        entries[i]['score'] = score / 1000
    mixed = random.sample(entries, len(entries))
    assert matrices(tmp_path, truth, mixed) == matrices(tmp_path, truth, entries)


@PROPERTY
@given(IMAGES)
def test_a_threshold_may_lie_on_any_score(tmp_path, images):
    truth, entries = content(images)
    read = read_truth(write(tmp_path / 'gt.json', truth))
    detections = to_detections(entries, read, 'results')
    for score in {entry['score'] for entry in entries}:
        thr = round(score, 6)
        fast = evaluate(read, detections, score_thr=score).matrix.tolist()
        assert fast == slow_matrix(truth, entries, thr)


@PROPERTY
@given(IMAGES, st.sampled_from([0.1, 0.2, 0.5, 1.0]))
def test_other_iou_thresholds(tmp_path, images, iou_thr):
    truth, entries = content(images)
    evaluation = scored(tmp_path, truth, entries, iou_thr=iou_thr)
    slow = [slow_matrix(truth, entries, float(t), iou_thr) for t in SCORE_THRS]
    assert evaluation.sweep.matrices.tolist() == slow


@PROPERTY
@given(IMAGES)
def test_merged_classes_equal_the_slow_loop_with_one_class(tmp_path, images):
    truth, entries = content(images)
    read = merge_classes(read_truth(write(tmp_path / 'gt.json', truth)), 'tumor')
    evaluation = evaluate(read, to_detections(entries, read, 'results'))
    for entry in (*truth['annotations'], *entries):
        entry['category_id'] = 1
    truth['categories'] = truth['categories'][:1]
    slow = [slow_matrix(truth, entries, float(t)) for t in SCORE_THRS]
    assert evaluation.sweep.matrices.tolist() == slow


@PROPERTY
@given(IMAGES)
def test_ids_may_be_texts(tmp_path, images):
    plain = matrices(tmp_path, *content(images))
    truth, entries = content(images, ids=('a', 'b', 'c'))
    for entry in (*truth['annotations'], *entries):
        entry['image_id'] = f'image {entry["image_id"]}'
    for image in truth['images']:
        image['id'] = f'image {image["id"]}'
    assert matrices(tmp_path, truth, entries) == plain


def test_a_number_and_its_text_are_two_ids(tmp_path):
    truth = ground_truth({7: [(1, LESION)], '7': [(2, FAR)]}, ids=(1, '1', 2, '2'))
    entries = results({'7': [(2, FAR, 0.9)], 7: [(1, LESION, 0.8)]}, ids=(1, '1', 2, '2'))
    evaluation = scored(tmp_path, truth, entries)
    # Numbers come first: 1 cyst, 2 hemangioma, '1' HCC, '2' Meta.
    assert evaluation.truth.labels == ('None', 'cyst', 'hemangioma', 'HCC', 'Meta')
    assert (evaluation.matrix[1, 1], evaluation.matrix[3, 3], evaluation.matrix.sum()) == (1, 1, 2)


@PROPERTY
@given(IMAGES)
def test_rows_sum_to_the_lesions_and_counts_fall_with_the_threshold(tmp_path, images):
    truth, entries = content(images)
    found = scored(tmp_path, truth, entries).sweep.matrices
    lesions = [a for a in truth['annotations'] if not a.get('ignore') and not a.get('iscrowd')]
    totals = np.bincount([a['category_id'] for a in lesions], minlength=4)
    assert (found.sum(axis=2)[:, 1:] == totals[1:]).all()
    assert (found[:, 0, 0] == 0).all()
    assert (np.diff(found[:, 0, :], axis=0) <= 0).all()  # over-detections
    assert (np.diff(found[:, :, 0], axis=0) >= 0).all()  # missed


@PROPERTY
@given(IMAGES)
def test_annotations_that_are_ignored_change_over_detections_only(tmp_path, images):
    truth, entries = content(images)
    with_them = scored(tmp_path, truth, entries).sweep.matrices
    for key in ('ignore', 'iscrowd'):
        truth['annotations'] = [a for a in truth['annotations'] if not a.get(key)]
    without = scored(tmp_path, truth, entries).sweep.matrices
    assert (with_them[:, 1:] == without[:, 1:]).all()
    assert (with_them[:, 0] <= without[:, 0]).all()


@PROPERTY
@given(IMAGES, st.integers(1, 3))
def test_an_image_without_anything_changes_nothing(tmp_path, images, empty):
    more = matrices(tmp_path, *content([*images, *[([], [])] * empty]))
    assert more == matrices(tmp_path, *content(images))


CORNER, SIZE = st.integers(-50, 2000), st.integers(0, 1000)
WHOLE_BOX = st.tuples(CORNER, CORNER, SIZE, SIZE)


@PROPERTY
@given(WHOLE_BOX, WHOLE_BOX)
def test_iou_of_whole_pixels_is_the_nearest_double(one, other):
    # So that at no decimal threshold a box falls to the wrong side by rounding.
    (x, y, w, h), (u, v, s, t) = one, other
    shared = max(min(x + w, u + s) - max(x, u), 0) * max(min(y + h, v + t) - max(y, v), 0)
    exact = float(Fraction(shared, w * h + s * t - shared)) if shared else 0.0
    corners = np.array([[x, y, x + w, y + h], [u, v, u + s, v + t]], float)
    assert box_iou(corners[:1], corners[None, 1:]).item() == exact


@PROPERTY
@given(st.lists(st.floats(0, 1) | st.integers(0, 2_000_000).map(lambda i: i * 5e-7)))
def test_scores_are_rounded_as_decimals(values):
    assert round_scores(np.array(values)).tolist() == [round(v, 6) for v in values]


@pytest.mark.parametrize('score', [0.2999995, 0.3000005, 2.5e-6, 0.9999995])
def test_a_score_reaches_the_threshold_of_the_same_number(tmp_path, score):
    truth, entries = ground_truth({1: [(1, LESION)]}), results({1: [(1, LESION, score)]})
    assert scored(tmp_path, truth, entries, score_thr=score).matrix[1, 1] == 1


@pytest.mark.parametrize(
    'lesion, prediction, expected',
    [
        pytest.param([1e6, 1e6, 40, 40], [1e6, 1e6, 20, 20], 1, id='far from the origin'),
        pytest.param([0, 0, 1e90, 1e90], [0, 0, 5e89, 5e89], 1, id='huge'),
        pytest.param([0, 0, 1e-9, 1e-9], [0, 0, 1e-9, 1e-9], 1, id='tiny'),
        pytest.param([0, 0, 1e90, 1e90], [0, 0, 1, 1], 0, id='huge and small'),
        pytest.param([-50, -50, 40, 40], [-50, -50, 40, 40], 1, id='outside of the image'),
        pytest.param([5, 5, 0, 0], [5, 5, 0, 0], 0, id='points'),
    ],
)
def test_extreme_boxes(tmp_path, lesion, prediction, expected):
    truth, entries = ground_truth({1: [(1, lesion)]}), results({1: [(1, prediction, 0.9)]})
    matrix = scored(tmp_path, truth, entries, score_thr=0.5).matrix
    assert matrix.tolist() == slow_matrix(truth, entries, 0.5)
    assert matrix[1, 1] == expected
