"""What the two figures show, against counts by hand."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from mmdet_liver.preparation.cleansing.review.facts import Distances, SizeRule
from mmdet_liver.preparation.cleansing.review.figures import (
    distance_figure,
    save_figure,
    size_figure,
)

NEAREST = np.array([0, 0, 2, 2, 2, 5, 5, 9])


def test_histogram_counts_each_distance_and_colours_those_below():
    axes = distance_figure(Distances(NEAREST, compared=20, max_distance=2)).axes[0]
    bars = axes.patches
    assert [bar.get_height() for bar in bars] == [2, 0, 3, 0, 0, 2, 0, 0, 0, 1]
    below = {to_hex(bar.get_facecolor()) for bar in bars[:3]}
    above = {to_hex(bar.get_facecolor()) for bar in bars[3:]}
    assert len(below) == len(above) == 1 and below != above
    assert axes.get_title() == '8 of 20 images' and axes.get_yscale() == 'log'


def test_growth_without_counts_is_that_of_the_sample():
    axes = distance_figure(Distances(NEAREST, compared=20, max_distance=2)).axes[1]
    images = axes.lines[0]
    assert images.get_ydata().tolist() == [2, 2, 5, 5, 5, 7, 7, 7, 7, 8]
    assert axes.get_title() == '8 of 20 images'


def test_growth_of_all_images():
    clusters = ((0, 4, 2), (1, 9, 3))
    axes = distance_figure(Distances(NEAREST, 20, 1, clusters)).axes[1]
    by_label = {line.get_label(): line for line in axes.lines}
    assert axes.get_title() == 'all 20 images, confirmed by their tiles'
    assert list(by_label['clusters'].get_ydata()) == [2, 3]
    assert list(by_label['images in clusters'].get_ydata()) == [4, 9]
    assert list(by_label['threshold: 1 bits'].get_xdata()) == [1.5, 1.5]


@pytest.mark.parametrize(
    'rule, line',
    [
        pytest.param('both', [(1, 400), (400, 400), (400, 1)], id='a square'),
        pytest.param('either', [(400, None), (400, 400), (None, 400)], id='an L'),
    ],
)
def test_sizes_show_the_rule_and_what_it_left_out(rule, line):
    sizes = {'a': (300, 200), 'b': (640, 480), 'c': (640, 480), 'd': (300, 500)}
    axes = size_figure(sizes, {'a'}, SizeRule(400, rule)).axes[0]
    stay, small = axes.collections
    assert sorted(stay.get_offsets().tolist()) == [[300, 500], [640, 480]]
    assert small.get_offsets().tolist() == [[300, 200]]
    assert max(stay.get_sizes()) > min(stay.get_sizes())  # two images of one size
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[:2] == ['not too small (3)', 'left out (1)']
    drawn = axes.lines[0].get_xydata().tolist()
    for (x, y), (wanted_x, wanted_y) in zip(drawn, line, strict=True):
        assert wanted_x in (x, None) and wanted_y in (y, None)
    assert axes.get_title() == '4 images, 3 sizes'


def test_one_panorama_does_not_press_the_others_together():
    axes = size_figure({'a': (60_000, 300), 'b': (640, 480)}, set(), None).axes[0]
    assert axes.get_xscale() == axes.get_yscale() == 'log'


def test_same_numbers_same_bytes(tmp_path):
    for name in 'ab':
        figure = distance_figure(Distances(NEAREST, 20, 2))
        save_figure(figure, tmp_path / f'{name}.png')
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
