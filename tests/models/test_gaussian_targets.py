import math

import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmdet.models.utils import gaussian_radius as stock_radius  # noqa: E402

from mmdet_liver.models.task_modules import gaussian_targets  # noqa: E402


def slow_gaussians(shape, plane, centers, radii):
    maps = torch.zeros(shape)
    for p, (cx, cy), r in zip(plane, centers, radii, strict=True):
        for y in range(max(0, cy - r), min(shape[1], cy + r + 1)):
            for x in range(max(0, cx - r), min(shape[2], cx + r + 1)):
                sigma = (2 * r + 1) / 6
                value = math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2))
                maps[p, y, x] = max(maps[p, y, x].item(), value)
    return maps


@pytest.mark.parametrize(
    'plane, centers, radii',
    [
        pytest.param([0], [(4, 3)], [2], id='inside'),
        pytest.param([0], [(4, 3)], [0], id='a single cell'),
        pytest.param([1, 1, 1, 1], [(0, 0), (9, 0), (0, 6), (9, 6)], [3] * 4, id='corners'),
        pytest.param([0, 0], [(3, 3), (5, 4)], [3, 2], id='overlap, same map'),
        pytest.param([0, 1], [(3, 3), (3, 3)], [3, 2], id='same cell, other map'),
        pytest.param([0], [(5, 3)], [20], id='larger than the map'),
    ],
)
def test_draw_gaussians_as_a_slow_loop(plane, centers, radii):
    maps = torch.zeros(2, 7, 10)
    gaussian_targets.draw_gaussians(
        maps, torch.tensor(plane), torch.tensor(centers), torch.tensor(radii), max(radii)
    )
    torch.testing.assert_close(
        maps, slow_gaussians((2, 7, 10), plane, centers, radii), rtol=0, atol=1e-6
    )


def test_draw_gaussians_negative_radius_draws_nothing():
    maps = torch.zeros(1, 5, 5)
    gaussian_targets.draw_gaussians(
        maps, torch.tensor([0]), torch.tensor([[2, 2]]), torch.tensor([-1]), 0
    )
    assert not maps.any()


@pytest.mark.parametrize('min_overlap', [0.1, 0.3, 0.7])
def test_gaussian_radius_is_the_stock_one(min_overlap):
    size = torch.rand(500, 2, generator=torch.Generator().manual_seed(0)) * 60
    ours = gaussian_targets.gaussian_radius(size, min_overlap)
    stock = [float(stock_radius([h, w], min_overlap)) for w, h in size]
    assert ours.tolist() == stock  # bit by bit: it is truncated afterwards


def test_gaussian_radius_without_area_is_0():
    size = torch.tensor([[0.0, 0.0], [5.0, 0.0]])
    assert gaussian_targets.gaussian_radius(size, 0.3).tolist() == [0, 0]


@pytest.mark.parametrize(
    'cells, valid, expected',
    [
        pytest.param([(1, 0), (1, 0)], [1, 1], {(1, 0): 20}, id='the later of two'),
        pytest.param([(1, 0), (1, 0)], [1, 0], {(1, 0): 10}, id='the later one is invalid'),
        pytest.param([(1, 0), (0, 1)], [1, 1], {(1, 0): 10, (0, 1): 20}, id='apart'),
        pytest.param([(1, 0), (0, 1)], [0, 0], {}, id='none valid'),
        pytest.param([(0, 0), (2, 1)], [0, 1], {(2, 1): 20}, id='invalid below a valid one'),
    ],
)
def test_write_last(cells, valid, expected):
    maps = torch.zeros(2, 1, 2, 3)
    image = torch.ones(len(cells), dtype=torch.long)
    values = torch.tensor([[10.0], [20.0]])
    gaussian_targets.write_last(maps, image, torch.tensor(cells), values, torch.tensor(valid) > 0)
    written = {(x, y): maps[1, 0, y, x].item() for _, y, x in maps[1].nonzero().tolist()}
    assert written == expected and not maps[0].any()


@pytest.mark.parametrize(
    'box, cells',
    [
        pytest.param((4, 4, 8, 8), {(1, 1)}, id='exactly one cell'),
        pytest.param((3, 4, 9, 8), {(0, 1), (1, 1), (2, 1)}, id='touches its neighbours'),
        pytest.param((-9, -9, 1, 1), {(0, 0)}, id='over the border'),
        pytest.param((50, 50, 60, 60), set(), id='outside'),
    ],
)
def test_cells_covered(box, cells):
    covered = gaussian_targets.cells_covered(
        torch.tensor([box], dtype=torch.float32),
        torch.tensor([1]),
        batch=2,
        map_size=(3, 4),
        cell_wh=(4.0, 4.0),
    )
    assert {(x, y) for y, x in covered[1].nonzero().tolist()} == cells and not covered[0].any()
