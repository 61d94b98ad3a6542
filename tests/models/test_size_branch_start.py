"""How the head's branches start: sizes of every aspect ratio can be learned from there."""

import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmdet.models.dense_heads import CenterNetHead  # noqa: E402

from mmdet_liver.models.dense_heads import LesionCenterNetHead  # noqa: E402

HEADS = {'ours': LesionCenterNetHead, 'stock': CenterNetHead}


def started(kind):
    torch.manual_seed(0)
    head = HEADS[kind](8, 32, 2)
    head.init_weights()
    return head


def aspect_correlation(kind):
    """Of log aspect ratios, learned and true: correlation, and ratio of the spreads.

    After a short training of the size branch alone, with the demo's optimizer and about as
    many steps as 60 epochs of BUSI have in batches of 16. Widths hang on one feature and
    heights on another.
    """
    branch = started(kind).wh_head
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(4, 8, 16, 16, generator=generator)
    sizes = 4 + 12 * features[:, :2]
    optimizer = torch.optim.AdamW(branch.parameters(), lr=1e-3)
    for _ in range(1400):
        loss = 0.1 * (branch(features) - sizes).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        found = branch(features).clamp(min=1).log()
    aspects = torch.stack([found[:, 0] - found[:, 1], sizes[:, 0].log() - sizes[:, 1].log()])
    return torch.corrcoef(aspects.flatten(1))[0, 1].item(), aspects[0].std() / aspects[1].std()


def test_every_aspect_ratio_is_learned_where_the_stock_head_learns_one():
    correlation, spread = aspect_correlation('ours')
    assert correlation > 0.9 and spread > 0.6
    _, spread = aspect_correlation('stock')
    assert spread < 0.1


@pytest.mark.parametrize('branch', ['wh_head', 'offset_head'])
def test_the_branches_start_at_usual_size(branch):
    hidden, _, last = getattr(started('ours'), branch)
    # He et al.: variance 2 / (outputs x 9). torch: uniform up to 1 / sqrt(inputs).
    assert hidden.weight.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)
    assert last.weight.std().item() == pytest.approx((1 / 32 / 3) ** 0.5, rel=0.2)
    assert not hidden.bias.any() and not last.bias.any()


def test_the_heat_map_starts_as_in_the_stock_head():
    ours, stock = started('ours').heatmap_head, started('stock').heatmap_head
    for name, weight in stock.state_dict().items():
        assert torch.equal(weight, ours.state_dict()[name])
