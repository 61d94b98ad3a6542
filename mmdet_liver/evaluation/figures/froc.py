"""Sensitivity against false positives per image, of each class and of any lesion."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mmdet_liver.evaluation.figures.classes import ClassStyle, class_styles
from mmdet_liver.evaluation.figures.drawing import (
    INK,
    WIDTH,
    figure_file,
    legend_below,
    legend_height,
)
from mmdet_liver.evaluation.measures.froc import RATES, FrocEvents, froc_curve, sensitivities

ANY = 'any lesion'
_ANY_STYLE = ClassStyle(ANY, (0.13, 0.13, 0.13), '-', 'o')
_EDGES = (0.1, 10.0)  # of the axis, false positives per image
_DODGE = 0.035  # doublings between the interval bars of two lines
_MOST_WITH_BARS = 6
_TICKS = ('1/8', '1/4', '1/2', '1', '2', '4', '8')


def draw_froc(
    events: tuple[FrocEvents, ...],
    labels: Sequence[str],
    path: str | Path,
    intervals: Mapping | None = None,
) -> None:
    """Draw the curve of any lesion and those of the classes that have lesions.

    Args:
        events: of any class, then of each class, as `froc_events` gives them.
        labels: 'None', then the class names.
        intervals: `values['froc']` of `Intervals`: 'any' and, 'per_class', each name with
            'sensitivity', seven pairs [low, high] or None. Of more than six curves only
            the first has them drawn.
    """
    styles = [_ANY_STYLE, *class_styles(labels[1:])]
    # A task of one class has one curve: any lesion is a lesion of that class.
    shown = [i for i, e in enumerate(events) if len(e.lesion_image)]
    shown = [i for i in shown if i > 0 or len(events) > 2]
    bars = _bars(intervals, labels, shown)
    space = legend_height([f'{styles[i].label} 0.000' for i in shown])
    with figure_file(path, WIDTH, 4.0 + space) as figure:
        axes = figure.add_subplot()
        handles = []
        for place, i in enumerate(shown):
            handles.append(_draw_curve(axes, events[i], styles[i]))
            # Side by side, so that they do not cover one another.
            shift = 2 ** (_DODGE * (place - (len(shown) - 1) / 2))
            _draw_bars(axes, bars[place], shift, styles[i])
        if not shown:
            axes.text(0.5, 0.5, 'no lesions', transform=axes.transAxes, ha='center', color=INK)
        axes.set_xscale('log', base=2)
        axes.set_xticks(RATES, _TICKS)
        axes.minorticks_off()
        axes.set(xlim=_EDGES, ylim=(_lowest(axes) - 0.01, 1.02))
        axes.set_xlabel('false positives per image')
        axes.set_ylabel('sensitivity')
        axes.set_title('FROC; below, the mean sensitivity at the seven rates')
        axes.grid()
        legend_below(figure, handles)


def _bars(intervals: Mapping | None, labels: Sequence[str], shown: list[int]) -> np.ndarray:
    # (shown, 7, 2), NaN for those not to be drawn.
    bars = np.full((len(shown), len(RATES), 2), np.nan)
    if intervals is None:
        return bars
    for place, i in enumerate(shown if len(shown) <= _MOST_WITH_BARS else shown[:1]):
        own = intervals['per_class'][labels[i]] if i else intervals['any']
        bars[place] = [pair or (np.nan, np.nan) for pair in own['sensitivity']]
    return bars


def _draw_bars(axes: Axes, bars: np.ndarray, shift: float, style: ClassStyle) -> None:
    for rate, (low, high) in zip(RATES, bars, strict=True):
        if np.isfinite([low, high]).all():
            solid = style.line(1.5) | {'linestyle': '-', 'label': f'_{style.label} interval'}
            axes.plot([rate * shift] * 2, [low, high], **solid)


def _draw_curve(axes: Axes, events: FrocEvents, style: ClassStyle) -> Line2D:
    width = 2.4 if style.label == ANY else 1.7
    x, y = _on_axis(*froc_curve(events))
    axes.plot(x, y, drawstyle='steps-post', label=f'_{style.label}', **style.line(width))
    points = sensitivities(events, np.ones((1, events.num_images)))[0]
    axes.plot(RATES, points, label=f'_{style.label} at the rates', **style.dot(4.5))
    label = f'{style.label} {points.mean():.3f}'
    return Line2D([], [], label=label, **style.dot(4.5) | style.line(width))


def _lowest(axes: Axes) -> float:
    # Of good detectors the lower part of the axis would be empty, and the lines one.
    drawn = np.concatenate([[1.0], *(line.get_ydata() for line in axes.get_lines())])
    return max(0.0, np.floor(5 * np.nanmin(drawn) - 0.5) / 5)


def _on_axis(fppi: np.ndarray, sensitivity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # The axis has no 0: what is reached left of it is there at its edge. Beyond the last
    # point the sensitivity stays, since a rate is what may be reached at most.
    left = max(int(np.searchsorted(fppi, _EDGES[0], side='right')) - 1, 0)
    x = np.concatenate([[_EDGES[0]], fppi[left + 1 :], [max(_EDGES[1], fppi[-1])]])
    return x, np.concatenate([sensitivity[left:], sensitivity[-1:]])
