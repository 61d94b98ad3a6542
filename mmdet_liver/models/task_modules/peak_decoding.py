"""From CenterNet's maps to boxes, as pure functions (Zhou et al., arXiv:1904.07850).

Boxes are xyxy in input pixels; maps are (B, C, H, W) and handled as a whole batch.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

# A row of scores is searched block by block; the size is the fastest of 16, 32, 64, 128
# for 128x128 maps on a CPU.
_BLOCK = 64


def window_maximum(maps: Tensor, kernel: int) -> Tensor:
    """Maximum of the kernel x kernel window (odd, cells) around every cell, same shape.

    Max pooling of stride 1 by columns and then by rows, from shifted views and in place:
    a fraction of the time of `max_pool2d` on a CPU. Without gradient.
    """
    for dim in (-2, -1):
        source, maps = maps, maps.clone()
        size = source.shape[dim]
        for shift in range(1, min(kernel // 2, size - 1) + 1):
            first, last = (0, size - shift), (shift, size - shift)
            for here, there in ((first, last), (last, first)):
                cells = maps.narrow(dim, *here)
                torch.maximum(cells, source.narrow(dim, *there), out=cells)
    return maps


def keep_peaks(heatmap: Tensor, kernel: int) -> Tensor:
    """Set to 0 what is not the highest of its class in the kernel x kernel window."""
    return window_maximum(heatmap, kernel).eq_(heatmap).mul_(heatmap)


def keep_likeliest_class(peaks: Tensor, heatmap: Tensor, kernel: int) -> Tensor:
    """Set to 0 every peak in whose window another class is likelier.

    So one place keeps one class, and a box's label is the highest of its class scores.
    Other peaks of the same class are left alone. Equal scores: the lower label stays.

    Args:
        peaks: (B, C, H, W) heat map with 0 wherever there is no peak.
        heatmap: (B, C, H, W) the heat map itself, in [0, 1].
        kernel: side of the window in cells, odd.
    """
    nearby = window_maximum(heatmap, kernel)
    none = torch.full_like(nearby[:, :1], -1)
    below = torch.cat([none, nearby[:, :-1].cummax(1).values], 1)  # the best of lower labels
    above = torch.cat([none, nearby[:, 1:].flip(1).cummax(1).values], 1).flip(1)
    return peaks * ((heatmap > below) & (heatmap >= above))


def highest(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` highest values of each row and their indices, both (B, k), descending.

    Args:
        scores: (B, M), none below 0, M >= k.
        k: how many.
    """
    batch, total = scores.shape
    if total < 2 * k * _BLOCK:
        values, index = scores.topk(k, dim=1)
        return values, index
    blocks = pad(scores, (0, -total % _BLOCK), value=-1.0).view(batch, -1, _BLOCK)
    # The k highest values lie in the k blocks with the highest maxima.
    chosen = blocks.amax(2).topk(k, dim=1, sorted=False).indices  # (B, k)
    inside = blocks.gather(1, chosen[:, :, None].expand(-1, -1, _BLOCK))  # (B, k, _BLOCK)
    values, place = inside.flatten(1).topk(k, dim=1)
    block = torch.div(place, _BLOCK, rounding_mode='floor')
    return values, chosen.gather(1, block) * _BLOCK + place % _BLOCK


def boxes_at(cell: Tensor, wh: Tensor, offset: Tensor, cell_wh: tuple[float, float]) -> Tensor:
    """The boxes that the size and offset maps predict at given cells.

    Args:
        cell: (B, K) index of a cell in the flattened map.
        wh: (B, 2, H, W) box width and height, in cells.
        offset: (B, 2, H, W) shift of the centre (x, y) inside its cell, in cells.
        cell_wh: width and height of a cell in input pixels (need not be whole).
    Returns:
        (B, K, 4) xyxy in input pixels, not clipped.
    """
    columns = wh.shape[-1]
    corner = torch.stack([cell % columns, torch.div(cell, columns, rounding_mode='floor')], 1)
    center = corner + at_cells(offset, cell)  # (B, 2, K)
    half = at_cells(wh, cell) / 2
    scale = wh.new_tensor(cell_wh)[:, None]
    return torch.cat([(center - half) * scale, (center + half) * scale], 1).transpose(1, 2)


def at_cells(maps: Tensor, cell: Tensor) -> Tensor:
    """(B, D, H, W) and flat cells (B, K) -> (B, D, K)."""
    return maps.flatten(2).gather(2, cell[:, None].expand(-1, maps.shape[1], -1))
