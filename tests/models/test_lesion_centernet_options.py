"""What `test_cfg` of the head does, worked out by hand on maps with a few peaks."""

import pytest
import torch
from mmengine.config import ConfigDict

from mmdet_liver import compat

compat.install()

from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.models.dense_heads import LesionCenterNetHead  # noqa: E402

# (label, row, column): score; each box is 4 x 4 cells of 4 pixels around its cell's corner
PEAKS = {(0, 4, 4): 0.9, (1, 4, 4): 0.8, (1, 4, 5): 0.5, (0, 10, 10): 0.7, (0, 10, 12): 0.6}


def predict(peaks=PEAKS, meta=None, batch=1, **test_cfg):
    head = LesionCenterNetHead(3, 4, 2, test_cfg=ConfigDict(test_cfg))
    heatmap = torch.zeros(batch, 2, 16, 16)
    for (label, y, x), score in peaks.items():
        heatmap[0, label, y, x] = score
    wh = torch.full((batch, 2, 16, 16), 4.0)
    metas = [{'batch_input_shape': (64, 64), **(meta or {})}] * batch
    return head.predict_by_feat([heatmap], [wh], [torch.zeros_like(wh)], metas)


def rounded(scores):
    return [round(score, 4) for score in scores.tolist()]


@pytest.mark.parametrize(
    'test_cfg, scores, labels',
    [
        pytest.param({}, [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 0], id='defaults'),
        pytest.param({'topk': 2}, [0.9, 0.8], [0, 1], id='topk'),
        pytest.param({'topK': 2}, [0.9, 0.8], [0, 1], id='topk in its old spelling'),
        pytest.param({'topk': 10**6}, [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 0], id='topk over all'),
        pytest.param({'max_per_img': 1}, [0.9], [0], id='max_per_img without nms'),
        pytest.param({'max_per_img': 0}, [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 0], id='no limit'),
        pytest.param({'score_thr': 0.65}, [0.9, 0.8, 0.7], [0, 1, 0], id='score_thr'),
        pytest.param({'score_thr': 0.95}, [], [], id='nothing left'),
        pytest.param({'local_maximum_kernel': 5}, [0.9, 0.8, 0.7], [0, 1, 0], id='a wider window'),
        # The boxes at columns 10 and 12 overlap by a third.
        pytest.param(
            {'nms': {'type': 'nms', 'iou_threshold': 0.3}},
            [0.9, 0.8, 0.7],
            [0, 1, 0],
            id='nms keeps the labels of what it keeps',
        ),
        pytest.param(
            {'nms': {'iou_threshold': 0.3}, 'max_per_img': 2}, [0.9, 0.8], [0, 1], id='nms, limit'
        ),
        pytest.param(
            {'nms': {'iou_threshold': 0.3, 'class_agnostic': True}},
            [0.9, 0.7],
            [0, 0],
            id='nms over the classes',
        ),
        pytest.param(
            {'cross_class_suppression': True}, [0.9, 0.7, 0.6], [0, 0, 0], id='cross-class'
        ),
    ],
)
def test_what_is_kept(test_cfg, scores, labels):
    (result,) = predict(**test_cfg)
    assert rounded(result.scores) == scores and result.labels.tolist() == labels
    assert result.bboxes.shape == (len(scores), 4)


def test_one_place_keeps_one_class_and_the_scores_of_all():
    (result,) = predict(cross_class_suppression=True)
    expected = torch.tensor([[0.9, 0.8], [0.7, 0.0], [0.6, 0.0]])
    torch.testing.assert_close(result.class_scores, expected)
    assert result.bboxes[0].tolist() == [8, 8, 24, 24]
    assert torch.equal(result.class_scores.argmax(1), result.labels)


@pytest.mark.parametrize(
    'window, labels',
    [
        pytest.param(1, [0, 1], id='the same cell only'),
        pytest.param(3, [0, 1], id='still apart'),
        pytest.param(5, [0], id='within two cells'),
        pytest.param(False, [0, 1], id='off'),
    ],
)
def test_width_of_a_place(window, labels):
    (result,) = predict({(0, 4, 4): 0.9, (1, 4, 6): 0.8}, cross_class_suppression=window)
    assert result.labels.tolist() == labels


def test_class_scores_only_with_suppression():
    (result,) = predict()
    assert 'class_scores' not in result


def test_boxes_beyond_the_corner_are_no_rivals_of_other_classes():
    # Shifted apart by the largest coordinate alone, as mmcv does it, the box of class 1 that
    # starts at -8 would overlap the one of class 0 at the far end.
    (result,) = predict({(0, 15, 15): 0.9, (1, 0, 0): 0.8}, nms={'iou_threshold': 0.01})
    assert result.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    'meta, box',
    [
        pytest.param({}, [8, 8, 24, 24], id='no border'),
        pytest.param({'border': None}, [8, 8, 24, 24], id='border None'),
        pytest.param({'border': [2, 62, 4, 60]}, [4, 6, 20, 22], id='border'),
        pytest.param({'scale_factor': (2, 4)}, [4, 2, 12, 6], id='scale_factor'),
        pytest.param(
            {'border': [2, 62, 4, 60], 'scale_factor': (2, 4)}, [2, 1.5, 10, 5.5], id='both'
        ),
    ],
)
def test_into_the_image(meta, box):
    (result,) = predict(meta=meta, topk=1)
    assert result.bboxes.tolist() == [box]


def test_empty_image_beside_a_full_one():
    full, empty = predict(batch=2, nms={'iou_threshold': 0.5}, cross_class_suppression=True)
    assert len(full) == 3 and len(empty) == 0
    assert empty.bboxes.shape == (0, 4) and empty.class_scores.shape == (0, 2)


@pytest.mark.parametrize(
    'test_cfg, message',
    [
        pytest.param({'top_k': 9}, r"unknown key 'top_k'; expected topk, local_max", id='key'),
        pytest.param({'topk': 0}, 'topk=0', id='topk'),
        pytest.param({'local_maximum_kernel': 4}, 'an odd number', id='even kernel'),
        pytest.param({'score_thr': 30}, 'score_thr=30', id='per cent'),
        pytest.param({'cross_class_suppression': 2}, 'cross_class_suppression=2', id='even'),
    ],
)
def test_wrong_options_fail_at_build(test_cfg, message):
    with pytest.raises(InputError, match=message):
        LesionCenterNetHead(3, 4, 2, test_cfg=ConfigDict(test_cfg))


def test_options_changed_after_building_count():
    head = LesionCenterNetHead(3, 4, 2, test_cfg=ConfigDict(topk=5))
    head.test_cfg.topk = 2
    maps = [torch.rand(1, 2, 8, 8) for _ in range(3)]
    (result,) = head.predict_by_feat(*([m] for m in maps), [{'batch_input_shape': (32, 32)}])
    assert len(result) == 2
