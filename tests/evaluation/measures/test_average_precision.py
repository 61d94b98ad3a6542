import contextlib
import io

import numpy as np
import pytest
from coco_cases import ground_truth, results, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmdet_liver.evaluation.arrays import merge_classes
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.measures import claiming
from mmdet_liver.evaluation.measures.average_precision import (
    NAMES,
    average_precision,
    interpolated_precision,
)

LESION = (100, 100, 40, 40)  # medium: 1600 square pixels
HALF = (100, 100, 40, 20)
QUARTER = (100, 100, 20, 20)
FAR = (300, 300, 40, 40)
NAN = float('nan')


def measured(tmp_path, truth, entries, merged=False):
    read = read_truth(write(tmp_path / 'gt.json', truth))
    read = merge_classes(read, 'tumor') if merged else read
    return average_precision(read, to_detections(entries, read, 'results'))


def oracle(truth, entries):
    """pycocotools, with ignored annotations as crowds: (C, 8) as `per_class`."""
    annotations = [
        {
            **a,
            'id': i,  # from 1: there, 0 also means "not matched"
            'area': a['bbox'][2] * a['bbox'][3],
            'iscrowd': int(bool(a.get('ignore') or a.get('iscrowd'))),
        }
        for i, a in enumerate(truth['annotations'], start=1)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {**truth, 'annotations': annotations}
        coco.createIndex()
        found = COCO()
        found.dataset = {**truth, 'annotations': []}
        found.createIndex()
        if entries:
            found = coco.loadRes([dict(e) for e in entries])
        evaluation = COCOeval(coco, found, 'bbox')
        evaluation.params.iouThrs = np.array([0.1, 0.25, *evaluation.params.iouThrs])
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval['precision'][..., -1]  # (T, R, C, A), 100 predictions
    ap = np.where(precision < 0, np.nan, precision).mean(axis=1)  # (T, C, A)
    sizes = ap[2:].mean(axis=0)  # (C, A)
    columns = [sizes[:, 0], ap[2, :, 0], ap[7, :, 0], *sizes[:, 1:].T, ap[0, :, 0], ap[1, :, 0]]
    return np.stack(columns, axis=1)


def assert_equal(measured, expected):
    np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    'annotations, predictions, expected',
    [
        pytest.param([(1, LESION)], [(1, LESION, 0.9)], {'mAP': 1, 'AP_M': 1, 'AP10': 1}, id='hit'),
        pytest.param([(1, LESION)], [(1, LESION, 0.9)], {'AP_S': NAN, 'AP_L': NAN}, id='sizes'),
        pytest.param(
            [(1, LESION)], [(1, FAR, 0.9), (1, LESION, 0.5)], {'mAP': 0.5}, id='over-detection'
        ),
        pytest.param(
            [(1, LESION)], [(1, FAR, 0.4), (1, LESION, 0.5)], {'mAP': 1}, id='a lower one is free'
        ),
        pytest.param(
            [(1, LESION), (1, FAR)], [(1, LESION, 0.9)], {'mAP': 51 / 101}, id='half found'
        ),
        pytest.param(
            [(1, LESION), (1, FAR)],
            [(1, LESION, 0.9), (1, LESION, 0.8), (1, FAR, 0.7)],
            {'mAP': (51 + 50 * 2 / 3) / 101},
            id='a second on one lesion is wrong',
        ),
        pytest.param(
            [(1, LESION)],
            [(1, HALF, 0.9)],
            {'mAP': 0.1, 'AP50': 1, 'AP75': 0, 'AP25': 1},
            id='IoU 0.5',
        ),
        pytest.param(
            [(1, LESION)], [(1, QUARTER, 0.9)], {'AP50': 0, 'AP25': 1, 'AP10': 1}, id='IoU 0.25'
        ),
        pytest.param(
            [(1, LESION)],
            [(1, (100, 100, 20, 19), 0.9)],
            {'AP25': 0, 'AP10': 1},
            id='IoU below 0.25',
        ),
        pytest.param([(1, LESION)], [(2, LESION, 0.9)], {'mAP': 0, 'AP10': 0}, id='wrong class'),
        pytest.param([(1, LESION)], [], {'mAP': 0, 'AP_M': 0, 'AP_S': NAN}, id='no prediction'),
        pytest.param([], [(1, LESION, 0.9)], dict.fromkeys(NAMES, NAN), id='no lesion'),
        pytest.param([], [], dict.fromkeys(NAMES, NAN), id='neither'),
        pytest.param(
            [(1, LESION), (1, FAR, 'ignore')],
            [(1, FAR, 0.9), (1, LESION, 0.5)],
            {'mAP': 1},
            id='ignored, counts neither way',
        ),
        pytest.param(
            [(1, LESION), (2, FAR, 'ignore')],
            [(1, FAR, 0.9), (1, LESION, 0.5)],
            {'mAP': 0.5},
            id='ignored for another class',
        ),
        pytest.param(
            [(1, LESION), (1, FAR, 'iscrowd')],
            [(1, (310, 310, 5, 5), 0.9), (1, (320, 310, 5, 5), 0.8), (1, LESION, 0.5)],
            {'mAP': 1},
            id='any number in a crowd',
        ),
        pytest.param(
            [(1, LESION)],
            [(1, FAR, 0.9)] * 100 + [(1, LESION, 0.5)],
            {'mAP': 0},
            id='only the 100 best of an image',
        ),
        pytest.param(
            [(1, LESION), (1, (110, 100, 40, 40))],
            [(1, (105, 100, 40, 40), 0.9), (1, (95, 100, 40, 40), 0.8)],
            {'AP75': 1},
            id='of equal IoU the later lesion, which leaves the earlier',
        ),
        pytest.param(
            # Of size S there is one lesion; the large one and the crowd have equal overlaps.
            # At IoU 0.50 and 0.55 the first prediction takes the later of them, the lesion,
            # and the second finds nothing; above, both are wrong.
            [(1, (100, 90, 30, 26.875), 'iscrowd'), (1, LESION), (1, (300, 300, 20, 20))],
            [
                (1, (100, 100, 30, 30), 0.9),
                (1, (110, 110, 30, 30), 0.8),
                (1, (300, 300, 20, 20), 0.7),
            ],
            {'AP_S': (2 * 1 / 2 + 8 * 1 / 3) / 10},
            id='of equal overlaps the later, crowd or not',
        ),
        pytest.param(
            [(1, LESION)], [(1, (100, 100, 100, 100), 0.9)], {'AP10': 1, 'AP_M': 0}, id='too large'
        ),
    ],
)
def test_one_image(tmp_path, annotations, predictions, expected):
    truth, entries = ground_truth({7: annotations}), results({7: predictions})
    found = measured(tmp_path, truth, entries)
    mean = dict(zip(found.names, found.mean, strict=True))
    assert {name: mean[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    assert_equal(found.per_class, oracle(truth, entries))


@pytest.mark.parametrize(
    'ranks, num_lesions, expected',
    [
        pytest.param([], 3, 0, id='no hit'),
        pytest.param([1, 2, 3], 3, 1, id='all, first'),
        pytest.param([2, 3], 2, 2 / 3, id='a later precision is higher'),
        pytest.param([1], 100, 2 / 101, id='recall 0.01: at 0 and at 0.01'),
    ],
)
def test_interpolated_precision(ranks, num_lesions, expected):
    assert interpolated_precision(np.array(ranks, int), num_lesions) == pytest.approx(expected)


def test_equal_scores_go_by_image_id(tmp_path):
    # The image with the hit stands last in the file but has the lower id.
    truth = ground_truth({9: [], 2: [(1, LESION)]})
    entries = results({9: [(1, LESION, 0.5)], 2: [(1, LESION, 0.5)]})
    assert measured(tmp_path, truth, entries).mean[0] == 1
    assert_equal(measured(tmp_path, truth, entries).per_class, oracle(truth, entries))


def test_sizes_of_boxes_that_are_no_whole_numbers(tmp_path):
    # 0.1 + 32 - 0.1 is 32.00000000000001 at some offsets; 32^2 is both small and medium.
    boxes = [(100 * i + 0.1 * i, 33.3, 32, 32) for i in range(5)]
    truth = ground_truth({1: [(1, box) for box in boxes]})
    found = measured(tmp_path, truth, results({1: [(1, box, 0.9) for box in boxes]}))
    assert found.mean[[3, 4]].tolist() == [1, 1]


def test_merged_classes(tmp_path):
    truth = ground_truth({1: [(1, LESION), (3, FAR)]})
    entries = results({1: [(2, LESION, 0.9), (2, FAR, 0.9)]}, ids=(0, 77))
    found = measured(tmp_path, truth, entries, merged=True)
    assert (found.per_class.shape, found.mean[0]) == ((1, 8), 1)


def test_mean_is_over_classes_with_such_lesions(tmp_path):
    truth = ground_truth({1: [(1, LESION), (2, FAR), (3, (0, 0, 10, 10))]})
    found = measured(tmp_path, truth, results({1: [(1, LESION, 0.9), (3, (0, 0, 10, 10), 0.8)]}))
    mean = dict(zip(found.names, found.mean, strict=True))
    assert mean['mAP'] == pytest.approx(2 / 3)
    assert (mean['AP_S'], mean['AP_M']) == (1, 0.5)
    assert np.isnan(found.per_class[3]).all()


# Few places and sizes, so that overlaps, ties, size limits and boxes without area are common.
BOX = st.tuples(
    st.sampled_from([0, 10, 20]), st.sampled_from([0, 10]), *[st.sampled_from([0, 10, 32, 96])] * 2
)
FLAG = st.sampled_from([(), (), (), ('ignore',), ('iscrowd',), ('ignore', 'iscrowd')])
CLASS = st.integers(1, 3)
ANNOTATION = st.builds(lambda c, box, flags: (c, box, *flags), CLASS, BOX, FLAG)
SCORE = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9])
IMAGE = st.tuples(
    st.lists(ANNOTATION, max_size=5), st.lists(st.tuples(CLASS, BOX, SCORE), max_size=7)
)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(IMAGE, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_equals_pycocotools(tmp_path, images, random):
    ids = random.sample(range(50), len(images))
    truth = ground_truth(dict(zip(ids, [i[0] for i in images], strict=True)), ('a', 'b', 'c'))
    entries = results(dict(zip(ids, [i[1] for i in images], strict=True)))
    random.shuffle(truth['annotations'])
    random.shuffle(entries)
    assert_equal(measured(tmp_path, truth, entries).per_class, oracle(truth, entries))


def crowded(rng, num_images=12, num_predictions=150):
    """Quarter pixels, so that the corners of the boxes are exact in either notation."""

    def boxes(count, around):
        return np.round(rng.uniform(around, around + 60, (count, 4)) * 4).astype(int) / 4

    lesions = {i: [(1 + j % 2, b) for j, b in enumerate(boxes(6, 20))] for i in range(num_images)}
    found = {
        i: [
            (int(c), b.tolist(), float(s))
            for c, b, s in zip(
                rng.integers(1, 3, num_predictions),
                boxes(num_predictions, 18),
                rng.random(num_predictions).round(2),
                strict=True,
            )
        ]
        for i in range(num_images)
    }
    lesions = {i: [(c, b.tolist()) for c, b in own] for i, own in lesions.items()}
    for i in range(0, num_images, 3):
        lesions[i][0] = (*lesions[i][0], 'iscrowd')
    # All of one image in one class, so that its 100 best are a choice.
    found[0] = [(1, b, s) for _, b, s in found[0]]
    return ground_truth(lesions, ('a', 'b')), results(found)


def test_equals_pycocotools_on_crowded_images(tmp_path, monkeypatch):
    truth, entries = crowded(np.random.default_rng(0))
    whole = measured(tmp_path, truth, entries).per_class
    assert_equal(whole, oracle(truth, entries))
    assert 0 < whole[0, 0] < whole[0, 7] < 1
    monkeypatch.setattr(claiming, '_PAIRS_AT_ONCE', 7)
    assert_equal(measured(tmp_path, truth, entries).per_class, whole)
