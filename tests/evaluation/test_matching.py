import numpy as np
import pytest

from mmdet_liver.evaluation.matching import assign_to_lesions, box_iou, share_inside


@pytest.mark.parametrize(
    'iou, belongs',
    [
        pytest.param([[0.8]], [0], id='hit'),
        pytest.param([[0.8], [0.5]], [0, 0], id='two predictions on one lesion'),
        pytest.param([[0.3, 0.4]], [1], id='the nearer of two lesions'),
        pytest.param([[0.4, 0.4]], [0], id='the earlier of equals'),
        pytest.param([[0.25]], [0], id='just at the threshold'),
        pytest.param([[0.24]], [-1], id='just under the threshold'),
        pytest.param(np.zeros((2, 0)), [-1, -1], id='clean frame'),
        pytest.param(np.zeros((0, 2)), [], id='no prediction'),
    ],
)
def test_assign_to_lesions(iou, belongs):
    assert assign_to_lesions(np.asarray(iou), iou_thr=0.25).tolist() == belongs


@pytest.mark.parametrize(
    'box, other, iou, inside',
    [
        pytest.param([0, 0, 10, 10], [0, 0, 10, 10], 1, 1, id='same'),
        pytest.param([0, 0, 10, 10], [0, 0, 5, 5], 0.25, 0.25, id='a quarter of the box'),
        pytest.param([0, 0, 5, 5], [0, 0, 10, 10], 0.25, 1, id='box inside'),
        pytest.param([-5, 0, 5, 10], [0, 0, 10, 10], 1 / 3, 0.5, id='out of the image, unclipped'),
        pytest.param([0, 0, 10, 10], [10, 0, 20, 10], 0, 0, id='touching: no pixel shared'),
        pytest.param([3, 3, 3, 9], [0, 0, 10, 10], 0, 0, id='no area'),
        pytest.param([3, 3, 3, 3], [3, 3, 3, 3], 0, 0, id='neither has an area'),
    ],
)
def test_overlaps(box, other, iou, inside):
    box, other = np.array([box], float), np.array([[other]], float)
    assert box_iou(box, other).item() == pytest.approx(iou)
    assert share_inside(box, other).item() == pytest.approx(inside)
