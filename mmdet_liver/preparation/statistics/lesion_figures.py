"""Figures of which each lesion is one entry: share, place, split, size, shape."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from mmdet_liver.preparation.statistics.drawing import (
    Values,
    histogram_rows,
    name_rows,
    new_figure,
    new_panels,
    write,
)
from mmdet_liver.preparation.statistics.groups import Group, diagnosis_groups
from mmdet_liver.preparation.statistics.tables import Tables

_GRID = 64  # cells of the heat map a side
_SPLITS = ('#23415f', '#5f8fbf', '#b5d0e8')
_STEPS_MM = (1, 2, 5, 10, 20, 50, 100, 1000)  # widths of a bar
_BARS = 40


def position_map(boxes: np.ndarray, sizes: np.ndarray, grid: int = _GRID) -> np.ndarray:
    """Share of boxes that cover each place of the image.

    Args:
        boxes: (L, 4) xyxy in pixels; parts outside the image are left out.
        sizes: (L, 2) width and height of each box's image.
    Returns:
        (grid, grid), rows from the top; a box counts in every cell that it touches.
    """
    relative = (boxes.reshape(-1, 2, 2) / sizes[:, None]).clip(0, 1) * grid  # (L, corner, xy)
    x0, y0 = np.floor(relative[:, 0]).astype(int).T
    x1, y1 = np.ceil(relative[:, 1]).astype(int).T
    # +1 where a box begins and -1 where it ends; the sums along both axes fill it in.
    steps = np.zeros((grid + 1, grid + 1))
    for y, x, step in ((y0, x0, 1), (y0, x1, -1), (y1, x0, -1), (y1, x1, 1)):
        np.add.at(steps, (y, x), step)
    return steps.cumsum(axis=0).cumsum(axis=1)[:grid, :grid] / max(1, len(boxes))


def draw_box_shares(tables: Tables) -> Figure | None:
    shares = tables.box_shares() * 100
    # From the decade of the smallest, slips left aside.
    low = np.quantile(shares[shares > 0], 0.002) if (shares > 0).any() else 1
    low = 10 ** np.clip(np.floor(np.log10(low)), -3, 1)
    edges = np.geomspace(low, 100, _BARS + 1)
    label = "box in percent of the image's area"
    figure = histogram_rows(_by_lesion(tables, shares), edges, label, unit=' %', log=True)
    if figure:
        ticks = [t for t in (0.001, 0.01, 0.1, 1, 10, 100) if t >= low]
        figure.axes[-1].set_xticks(ticks, [f'{tick:g} %' for tick in ticks])
    return figure


def draw_positions(tables: Tables) -> Figure | None:
    groups = [g for g in diagnosis_groups(tables) if len(g.lesions)]
    if len(groups) > 1:
        everything = np.arange(len(tables.lesions.image))
        groups = [Group('all lesions', '', np.zeros(0), everything), *groups]
    if not groups:
        return None
    figure, panels = new_panels(len(groups))
    sizes = tables.images.sizes[tables.lesions.image]
    for axes, group in zip(panels, groups, strict=True):
        heat = position_map(tables.lesions.boxes[group.lesions], sizes[group.lesions])
        axes.imshow(heat, cmap='magma', vmin=0, aspect='auto')
        axes.set(xticks=[], yticks=[])
        axes.set_box_aspect(0.75)
        text = f'{group.label} ({len(group.lesions):,})\nbrightest: {heat.max():.0%} of them'
        axes.set_title(text, fontsize=8, loc='left', parse_math=False)
    return figure


def draw_splits(tables: Tables) -> Figure | None:
    groups = diagnosis_groups(tables)
    counts = np.array(  # (splits, groups)
        [
            [(tables.images.source[tables.lesions.image[g.lesions]] == i).sum() for g in groups]
            for i in range(len(tables.sources))
        ]
    )
    if not counts.any():
        return None
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    thick = 0.8 / len(counts)
    figure = new_figure(0.9 + max(0.42, 0.2 * len(counts)) * len(groups))
    axes = figure.add_subplot()
    for i, source in enumerate(tables.sources):
        y = np.arange(len(groups)) - 0.4 + (i + 0.5) * thick
        axes.barh(y, shares[i], thick * 0.9, color=_SPLITS[i % 3], label=_short(source.split))
        for place, share, count in zip(y, shares[i], counts[i], strict=True):
            write(axes, share, place, f' {count:,}', va='center', fontsize=8)
    name_rows(axes, [g.label for g in groups])
    axes.set_xlim(0, shares.max() * 1.12)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("share of the split's lesions (number beside the bar)")
    figure.legend(loc='outside upper right', ncols=4, frameon=False, fontsize=9)
    return figure


def draw_lesion_mm(tables: Tables) -> Figure | None:
    sides = tables.longer_sides_mm()
    known = sides[~np.isnan(sides)]
    # One slip in the scale must not squeeze all others into one bar.
    reach = np.quantile(known, 0.995) if len(known) else 0
    step = next((s for s in _STEPS_MM if s * _BARS > reach), _STEPS_MM[-1])
    edges = np.arange(min(reach // step, _BARS) + 2) * step
    return histogram_rows(_by_lesion(tables, sides), edges, "box's longer side in mm", unit=' mm')


def draw_aspect_ratios(tables: Tables) -> Figure | None:
    ratios = tables.aspect_ratios()
    known = np.abs(np.log2(ratios[~np.isnan(ratios)]))
    octaves = int(np.clip(np.ceil(np.quantile(known, 0.995)), 1, 3)) if len(known) else 1
    edges = 2 ** np.linspace(-octaves, octaves, _BARS + 1)
    label = 'width over height (1: as wide as high)'
    figure = histogram_rows(_by_lesion(tables, ratios), edges, label, log=True)
    if figure:
        ticks = range(-octaves, octaves + 1)
        names = [f'1/{2**-t}' if t < 0 else f'{2**t}' for t in ticks]
        figure.axes[-1].set_xticks([2.0**t for t in ticks], names)
        figure.axes[-1].set_xticks([], minor=True)
    return figure


def _by_lesion(tables: Tables, values: np.ndarray) -> list[Values]:
    return [Values(g.label, g.color, values[g.lesions]) for g in diagnosis_groups(tables)]


def _short(text: str) -> str:
    return text if len(text) <= 16 else f'{text[:15]}…'
