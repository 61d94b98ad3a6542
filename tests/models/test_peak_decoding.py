import pytest
import torch
from torch.nn.functional import max_pool2d

from mmdet_liver import compat

compat.install()

from mmdet_liver.models.task_modules import peak_decoding  # noqa: E402


@pytest.mark.parametrize('kernel', [1, 3, 5, 9])
@pytest.mark.parametrize('size', [(7, 12), (1, 5), (3, 3)], ids=str)
def test_window_maximum_is_max_pooling(kernel, size):
    maps = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(kernel))
    pooled = max_pool2d(maps, kernel, stride=1, padding=kernel // 2)
    assert torch.equal(peak_decoding.window_maximum(maps, kernel), pooled)


@pytest.mark.parametrize(
    'total, k',
    [
        pytest.param(10, 10, id='all of them'),
        pytest.param(5000, 7, id='in blocks'),
        pytest.param(65536, 100, id='a full map'),
        pytest.param(64 * 20 - 1, 10, id='just too short for blocks'),
        pytest.param(64 * 20, 10, id='just long enough'),
    ],
)
def test_highest_is_topk(total, k):
    scores = torch.rand(3, total, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values, index = peak_decoding.highest(scores, k)
    expected = scores.topk(k, dim=1)
    assert torch.equal(values, expected.values) and torch.equal(index, expected.indices)


def test_highest_of_zeros_stays_in_range():
    values, index = peak_decoding.highest(torch.zeros(1, 64 * 100 + 3), 5)
    assert values.tolist() == [[0] * 5] and index.max() < 64 * 100 + 3


@pytest.mark.parametrize(
    'peaks, kernel, kept',
    [
        pytest.param({(0, 2): 0.8, (1, 2): 0.9}, 1, [(1, 2)], id='one cell, two classes'),
        pytest.param({(0, 2): 0.9, (1, 2): 0.9}, 1, [(0, 2)], id='equal: the lower label'),
        pytest.param({(0, 2): 0.8, (1, 3): 0.9}, 1, [(0, 2), (1, 3)], id='beyond the window'),
        pytest.param({(0, 2): 0.8, (1, 3): 0.9}, 3, [(1, 3)], id='a cell apart'),
        pytest.param({(0, 2): 0.9, (1, 3): 0.9}, 3, [(0, 2)], id='a cell apart, equal'),
        pytest.param({(0, 2): 0.8, (0, 4): 0.9}, 5, [(0, 2), (0, 4)], id='same class: both'),
        pytest.param({(0, 2): 0.7, (1, 2): 0.8, (2, 2): 0.9}, 3, [(2, 2)], id='three classes'),
        pytest.param({(0, 1): 0.7, (1, 2): 0.8, (2, 3): 0.9}, 3, [(2, 3)], id='a chain'),
    ],
)
def test_keep_likeliest_class(peaks, kernel, kept):
    heatmap = torch.zeros(1, 3, 1, 7)
    for (label, x), score in peaks.items():
        heatmap[0, label, 0, x] = score
    left = peak_decoding.keep_likeliest_class(heatmap, heatmap, kernel)
    assert [(c, x) for _, c, _, x in left.nonzero().tolist()] == kept


def test_boxes_at_by_hand():
    wh, offset = torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4)
    wh[0, :, 1, 2] = torch.tensor([2.0, 1.0])
    offset[0, :, 1, 2] = torch.tensor([0.5, 0.25])
    boxes = peak_decoding.boxes_at(torch.tensor([[6]]), wh, offset, (4.0, 8.0))
    # Centre (2.5, 1.25) cells, half size (1, 0.5) cells; a cell is 4 x 8 pixels.
    assert boxes.tolist() == [[[6.0, 6.0, 14.0, 14.0]]]
