"""Boxes to CenterNet's training maps, as pure functions (Zhou et al., arXiv:1904.07850).

Boxes are xyxy; `_cells` marks lengths in map cells, everything else is input pixels. All
boxes of a batch are handled together, with no loop over boxes.
"""

import torch
from torch import Tensor


def gaussian_radius(size_cells: Tensor, min_overlap: float) -> Tensor:
    """How far both corners may move while the IoU with the box stays >= `min_overlap`.

    Args:
        size_cells: (N, 2) width and height of the boxes.
        min_overlap: IoU in (0, 1).
    Returns:
        (N,) radius in cells, not rounded; 0 for a box without area.
    Source: Law and Deng, CornerNet, arXiv:1808.01244, section 3.2, as three quadratics:
    one corner in and one out, both in, both out. Solved as MMDetection solves them, with
    its 2a in the denominator, so that models trained there see the same targets.
    """
    width, height = size_cells.unbind(1)
    side, keep = width + height, min_overlap
    # The order of the products is kept too: radii are truncated, so the last bit counts.
    shifted = _smaller_root(1, side, width * height * (1 - keep) / (1 + keep))
    inside = _smaller_root(4, 2 * side, (1 - keep) * width * height)
    a, b, c = 4 * keep, -2 * keep * side, (keep - 1) * width * height
    outside = (b + _sqrt(b * b - 4 * a * c)) / (2 * a)
    return torch.minimum(torch.minimum(shifted, inside), outside).nan_to_num(0)


def _smaller_root(a: float, b: Tensor, c: Tensor) -> Tensor:
    return (b - _sqrt(b * b - 4 * a * c)) / (2 * a)  # of a r^2 - b r + c


def _sqrt(value: Tensor) -> Tensor:
    # torch's float32 root may be off by the last bit on a CPU. Apple's GPUs have no float64.
    exact = value if value.device.type == 'mps' else value.double()
    return exact.sqrt().to(value.dtype)


def draw_gaussians(
    maps: Tensor, plane: Tensor, center_cells: Tensor, radius_cells: Tensor, reach: int
) -> None:
    """Raise `maps` in place to a Gaussian around each centre; where they overlap, the maximum.

    Each is cut to the square of its radius and at the map's border, and has
    sigma = (2 radius + 1) / 6.

    Args:
        maps: (P, H, W) float, contiguous.
        plane: (N,) which of the P maps a Gaussian goes to.
        center_cells: (N, 2) integer x, y.
        radius_cells: (N,) integer; a negative one draws nothing.
        reach: the largest radius, or the larger side of the map if that is less (the caller
            knows it, and reading it here would wait for the GPU).
    """
    height, width = maps.shape[-2:]
    step = torch.arange(-reach, reach + 1, device=maps.device)  # (K,)
    x = center_cells[:, :1] + step  # (N, K)
    y = center_cells[:, 1:] + step
    near = step.abs() <= radius_cells[:, None]
    draws_x = near & (x >= 0) & (x < width)
    draws_y = near & (y >= 0) & (y < height)
    sigma = (2 * radius_cells + 1).to(maps.dtype) / 6
    distance2 = step.square()[:, None] + step.square()  # (K, K)
    patch = torch.exp(-distance2 / (2 * sigma * sigma)[:, None, None])  # (N, K, K)
    patch = patch * (draws_y[:, :, None] & draws_x[:, None, :])
    # Cells outside are folded back onto the border, where their 0 changes nothing.
    row = plane[:, None] * height + y.clamp(0, height - 1)
    index = row[:, :, None] * width + x.clamp(0, width - 1)[:, None, :]
    # The maximum does not depend on the order, so this is deterministic on a GPU as well.
    maps.view(-1).scatter_reduce_(0, index.flatten(), patch.flatten(), reduce='amax')


def write_last(maps: Tensor, image: Tensor, cell: Tensor, values: Tensor, valid: Tensor) -> None:
    """Write each row of `values` at its cell, in place; where two share one, the later stays.

    Args:
        maps: (B, D, H, W).
        image: (N,) which of the B maps.
        cell: (N, 2) integer x, y inside the map.
        values: (N, D).
        valid: (N,) rows that are False leave no trace.
    """
    height, width = maps.shape[-2:]
    x, y = cell.unbind(1)
    index = (image * height + y) * width + x
    # With equal indices the order of writing is undefined on a GPU, so all who share a cell
    # write the same row: that of the last of them, or 0 where none of them is valid.
    taken, order = torch.where(valid, index, -1).sort(stable=True)
    last = (torch.searchsorted(taken, index, right=True) - 1).clamp(min=0)
    owned = taken[last] == index
    maps[image, :, y, x] = values[order[last]] * owned[:, None]


def cells_covered(
    boxes: Tensor,
    image: Tensor,
    *,
    batch: int,
    map_size: tuple[int, int],
    cell_wh: tuple[float, float],
) -> Tensor:
    """Which cells a box touches, be it with a corner: (B, H, W) bool.

    Args:
        boxes: (N, 4) xyxy in input pixels.
        image: (N,) which image of the batch each lies in.
        batch: B.
        map_size: H, W.
        cell_wh: width and height of a cell in input pixels.
    """
    height, width = map_size
    left = torch.arange(width, device=boxes.device) * cell_wh[0]
    top = torch.arange(height, device=boxes.device) * cell_wh[1]
    x1, y1, x2, y2 = boxes[:, :, None].unbind(1)  # (N, 1) each
    in_x = (left < x2) & (left + cell_wh[0] > x1)  # (N, W)
    in_y = (top < y2) & (top + cell_wh[1] > y1)
    covered = in_y[:, :, None] & in_x[:, None, :]  # (N, H, W)
    count = torch.zeros(batch, height, width, dtype=torch.int32, device=boxes.device)
    return count.index_add_(0, image, covered.int()) > 0
