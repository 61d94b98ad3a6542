"""Figures of which each image is one entry: sex, age, size, number of lesions."""

import numpy as np
from matplotlib.figure import Figure

from mmdet_liver.preparation.statistics.drawing import (
    FAINT,
    Values,
    histogram_rows,
    name_rows,
    new_figure,
    new_panels,
    strip_frame,
    write,
)
from mmdet_liver.preparation.statistics.groups import image_groups
from mmdet_liver.preparation.statistics.tables import Tables

SMALL_SIDE = 400  # pixels; the study left out what is not larger
_SEXES = {'F': ('female', '#aa4499'), 'M': ('male', '#4477aa'), '': ('not known', '#d0d0d0')}
_MANY = 10  # lesions on an image, and more


def draw_sexes(tables: Tables) -> Figure:
    groups = image_groups(tables)
    figure = new_figure(1.0 + 0.42 * len(groups))
    axes = figure.add_subplot()
    left = np.zeros(len(groups))
    for sex, (name, color) in _SEXES.items():
        counts = np.array([(tables.images.sexes[g.images] == sex).sum() for g in groups])
        if counts.any():
            axes.barh(range(len(groups)), counts, left=left, color=color, label=name, height=0.7)
        left += counts
    for i, total in enumerate(left):
        write(axes, total, i, f' {total:,.0f}', va='center')
    name_rows(axes, [g.label for g in groups])
    axes.set_xlim(0, max(1, left.max()) * 1.12)
    axes.set_xlabel('images')
    figure.legend(loc='outside upper right', ncols=3, frameon=False, fontsize=9)
    return figure


def draw_ages(tables: Tables) -> Figure | None:
    rows = [Values(g.label, g.color, tables.images.ages[g.images]) for g in image_groups(tables)]
    return histogram_rows(rows, np.arange(0, 116, 5), 'age in years, by image')


def draw_image_sizes(tables: Tables) -> Figure:
    groups = image_groups(tables)
    figure, panels = new_panels(len(groups), share=True)
    found = [
        np.unique(tables.images.sizes[group.images], axis=0, return_counts=True) for group in groups
    ]
    most = max(counts.max(initial=1) for _, counts in found)
    limits = tables.images.sizes.max(axis=0) * 1.1
    for axes, group, (sizes, counts) in zip(panels, groups, found, strict=True):
        for line in (axes.axvline, axes.axhline):
            line(SMALL_SIDE, color=FAINT, lw=0.8, ls=':')
        style = {'color': group.color, 'ec': 'black', 'lw': 0.4, 'alpha': 0.75}
        axes.scatter(*sizes.T, s=10 + 110 * counts / most, **style)
        axes.set(xlim=(0, limits[0]), ylim=(0, limits[1]))
        strip_frame(axes, 'top', 'right')
        text = f'{group.label}\n{len(group.images):,} images, {len(sizes):,} sizes'
        axes.set_title(text, fontsize=8, loc='left', parse_math=False)
    figure.supxlabel('width in pixels', fontsize=10)
    figure.supylabel('height in pixels', fontsize=10)
    return figure


def draw_lesion_counts(tables: Tables) -> Figure:
    counts = np.bincount(tables.lesions_per_image().clip(max=_MANY))
    figure = new_figure(2.4)
    axes = figure.add_subplot()
    axes.bar(range(len(counts)), counts, color='#5f8fbf', width=0.75)
    for i, count in enumerate(counts):
        write(axes, i, count, f'{count:,}', ha='center', va='bottom')
    labels = [f'{i}+' if i == _MANY else str(i) for i in range(len(counts))]
    axes.set_xticks(range(len(counts)), labels)
    axes.set_ylim(0, counts.max() * 1.12)
    axes.set(xlabel='lesions on an image', ylabel='images')
    strip_frame(axes, 'top', 'right')
    return figure
