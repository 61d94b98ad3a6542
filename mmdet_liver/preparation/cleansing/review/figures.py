"""Where the thresholds lie in the data: distances between images, and their sizes."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mmdet_liver.files import whole_file
from mmdet_liver.preparation.cleansing.review.facts import Distances, SizeRule

_DPI = 110
_BELOW, _ABOVE, _LINE = '#d55e00', '#56b4e9', '#222222'


def distance_figure(distances: Distances) -> Figure:
    """Histogram of the nearest distances, and what each threshold would put together."""
    figure = Figure(figsize=(11, 4.2), layout='constrained')
    histogram, growth = figure.subplots(1, 2)
    _draw_histogram(histogram, distances)
    _draw_growth(growth, distances)
    return figure


def _draw_histogram(axes: Axes, distances: Distances) -> None:
    counts = np.bincount(distances.nearest)
    bits = np.arange(len(counts))
    colors = np.where(bits <= distances.max_distance, _BELOW, _ABOVE)
    axes.bar(bits, counts, width=0.9, color=colors)
    _mark_threshold(axes, distances.max_distance)
    # Not below one: a single image is a bar that shows.
    axes.set(yscale='log', ylim=(0.7, 4 * counts.max()))
    axes.set_xlabel('distance to the nearest other image, by hash alone, in bits of 64')
    axes.set_ylabel('images')
    axes.set_title(f'{len(distances.nearest):,} of {distances.compared:,} images', fontsize=10)


def _draw_growth(axes: Axes, distances: Distances) -> None:
    if distances.clusters:
        thresholds, images, clusters = zip(*distances.clusters, strict=True)
        axes.plot(thresholds, clusters, color=_LINE, ls='--', marker='s', ms=4, label='clusters')
        title = f'all {distances.compared:,} images, confirmed by their tiles'
    else:
        images = np.bincount(distances.nearest, minlength=distances.max_distance + 5).cumsum()
        thresholds = np.arange(len(images))
        title = f'{len(distances.nearest):,} of {distances.compared:,} images'
    axes.plot(thresholds, images, color=_BELOW, marker='o', ms=4, label='images in clusters')
    _mark_threshold(axes, distances.max_distance)
    axes.set(yscale='symlog', ylim=(0, 2 * max(1, *images)))
    axes.set_xlabel('threshold: joined at this distance or nearer, in bits')
    axes.set_title(title, fontsize=10)
    axes.grid(color='0.9')


def _mark_threshold(axes: Axes, max_distance: int) -> None:
    label = f'threshold: {max_distance} bits'
    axes.axvline(max_distance + 0.5, color=_LINE, lw=1, ls=':', label=label)
    axes.legend(loc='best', framealpha=0.9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def size_figure(
    sizes: Mapping[str, tuple[int, int]], left_out: Collection[str], rule: SizeRule | None
) -> Figure:
    """Width against height, a dot for each size, larger for more images.

    Args:
        sizes: image -> (width, height) in pixels.
        left_out: the images that were left out for their size.
    """
    figure = Figure(figsize=(7, 5.2), layout='constrained')
    axes = figure.add_subplot()
    small = Counter(size for image, size in sizes.items() if image in left_out)
    stay = Counter(size for image, size in sizes.items() if image not in left_out)
    _draw_dots(axes, stay, _ABOVE, f'not too small ({stay.total():,})')
    _draw_dots(axes, small, _BELOW, f'left out ({small.total():,})')
    if rule is not None:
        _draw_rule(axes, rule)
    if max(map(max, sizes.values())) > 20 * min(map(min, sizes.values())):
        axes.set(xscale='log', yscale='log')  # one panorama would press all others together
    axes.set_xlabel('width in pixels')
    axes.set_ylabel('height in pixels')
    axes.set_title(f'{len(sizes):,} images, {len(small | stay):,} sizes', fontsize=10)
    legend = axes.legend(loc='upper left', frameon=False)
    for handle in legend.legend_handles[:2]:
        handle.set_sizes([40])
    return figure


def _draw_dots(axes: Axes, counts: Counter, color: str, label: str) -> None:
    sizes = np.array(list(counts), dtype=float).reshape(-1, 2)
    area = 14 * np.sqrt(np.array(list(counts.values()), dtype=float))
    axes.scatter(*sizes.T, s=area, color=color, alpha=0.6, linewidth=0, label=label)


def _draw_rule(axes: Axes, rule: SizeRule) -> None:
    # What is left out lies in a square, or, where one side is enough, in an L.
    side = rule.min_side
    (_, right), (_, top) = axes.get_xlim(), axes.get_ylim()
    right, top = max(right, side * 1.1), max(top, side * 1.1)
    x, y = ([1, side, side], [side, side, 1])
    if rule.rule == 'either':
        x, y = ([side, side, right], [top, side, side])
    label = f'too small: {rule.rule} side{"s" * (rule.rule == "both")} not above {side} px'
    axes.plot(x, y, color=_LINE, lw=1, ls=':', label=label)
    axes.set(xlim=(0.9, right), ylim=(0.9, top))


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a PNG; it appears whole or not at all."""
    with whole_file(path) as temporary:
        # No software version in the file: the same numbers give the same bytes.
        figure.savefig(temporary, dpi=_DPI, metadata={'Software': None})
