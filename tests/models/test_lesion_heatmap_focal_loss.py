import math

import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmdet.models.losses import GaussianFocalLoss  # noqa: E402
from mmdet.registry import MODELS  # noqa: E402

from mmdet_liver.models.losses import LesionHeatmapFocalLoss  # noqa: E402


def random_maps(seed=0):
    generator = torch.Generator().manual_seed(seed)
    pred = torch.rand(2, 4, 9, 7, generator=generator)
    target = torch.rand(2, 4, 9, 7, generator=generator)
    target[0, 1, 2, 3] = target[1, 3, 0, 0] = 1
    return pred, target


@pytest.mark.parametrize(
    'pred, target, expected',
    [
        pytest.param(0.5, 1.0, 0.25 * math.log(2), id='centre'),
        pytest.param(0.5, 0.0, 0.25 * math.log(2), id='background'),
        pytest.param(0.5, 0.5, 0.5**4 * 0.25 * math.log(2), id='near a centre'),
        pytest.param(1.0, 1.0, 0.0, id='right'),
    ],
)
def test_value_by_hand(pred, target, expected):
    loss = LesionHeatmapFocalLoss()(torch.tensor([[pred]]), torch.tensor([[target]]))
    assert loss.item() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'alpha': 1.5, 'gamma': 3.0, 'loss_weight': 2.0},
        {'pos_weight': 3.0, 'neg_weight': 0.5},
        {'reduction': 'sum'},
        {'reduction': 'none'},
    ],
    ids=str,
)
@pytest.mark.parametrize('avg_factor', [None, 7], ids=['mean', 'avg_factor'])
@pytest.mark.parametrize('weighted', [False, True])
def test_equals_the_stock_loss(options, avg_factor, weighted):
    if options.get('reduction') == 'sum':
        avg_factor = None  # the stock reduction refuses the pair
    pred, target = random_maps()
    weight = torch.rand_like(pred) if weighted else None
    ours, stock = LesionHeatmapFocalLoss(**options), GaussianFocalLoss(**options)
    mine, theirs = pred.clone().requires_grad_(), pred.clone().requires_grad_()
    a = ours(mine, target, weight=weight, avg_factor=avg_factor)
    b = stock(theirs, target, weight=weight, avg_factor=avg_factor)
    a.sum().backward()
    b.sum().backward()
    torch.testing.assert_close(a, b, rtol=1e-5, atol=0)
    torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-5, atol=1e-7)


def test_gradient_raises_centres_and_lowers_the_rest():
    pred = torch.full((1, 1, 1, 2), 0.5, requires_grad=True)
    LesionHeatmapFocalLoss()(pred, torch.tensor([[[[1.0, 0.0]]]])).backward()
    assert pred.grad[..., 0] < 0 < pred.grad[..., 1]


def test_weight_0_takes_a_cell_out():
    pred, target = random_maps()
    pred.requires_grad_()
    weight = torch.ones_like(pred)
    weight[0, 1, 2, 3] = 0
    LesionHeatmapFocalLoss()(pred, target, weight=weight).backward()
    assert (pred.grad == 0).nonzero().tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_finite_where_saturated(dtype):
    logit = torch.tensor([-200.0, -9.0, 0.0, 9.0, 200.0], dtype=dtype).repeat(2, 1)
    logit.requires_grad_()
    target = torch.tensor([[1.0], [0.0]]).expand(2, 5)
    loss = LesionHeatmapFocalLoss(reduction='sum')(logit.sigmoid(), target)
    loss.backward()
    assert loss.dtype == torch.float32 and loss.isfinite() and logit.grad.isfinite().all()


def test_is_registered():
    loss = MODELS.build({'type': 'LesionHeatmapFocalLoss', 'gamma': 3.0})
    assert isinstance(loss, LesionHeatmapFocalLoss) and loss.gamma == 3.0
