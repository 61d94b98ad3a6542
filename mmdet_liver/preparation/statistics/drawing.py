"""How the figures look: narrow enough to be read on a phone, the same bytes every time."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_DPI = 150
# On a phone of 390 px a letter of 10 pt is then as high as a web page's small print.
WIDTH = 5.4  # inches
_COLUMNS = 3
INK, FAINT = '#222222', '#8a8a8a'


class Values(NamedTuple):
    """Numbers of one group, to be drawn as one row."""

    label: str
    color: str
    values: np.ndarray  # NaN where unknown


def new_figure(height: float) -> Figure:
    figure = Figure(figsize=(WIDTH, height), layout='constrained', facecolor='white')
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # inches
    return figure


def new_panels(count: int, *, share: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure of `count` axes, three in a row; with `share` on a common scale."""
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    figure = new_figure(0.3 + rows * (5.0 / columns * 0.78 + 0.42))
    grid = figure.subplots(rows, columns, sharex=share, sharey=share, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.set_visible(False)
    return figure, list(grid[:count])


def to_png(figure: Figure) -> bytes:
    data = io.BytesIO()
    # No software version in the file: the same numbers give the same bytes.
    figure.savefig(data, format='png', dpi=_DPI, metadata={'Software': None})
    return data.getvalue()


def strip_frame(axes: Axes, *sides: str) -> None:
    """Hide the frame's sides and make what remains of it faint."""
    for name, spine in axes.spines.items():
        spine.set_visible(name not in sides)
        spine.set_color('#b0b0b0')
    axes.tick_params(color='#b0b0b0')


def name_rows(axes: Axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.invert_yaxis()
    axes.tick_params(axis='y', length=0)
    strip_frame(axes, 'top', 'right', 'left')


def write(axes: Axes, x: float, y: float, text: str, **style: object) -> None:
    """Text as it stands: a `$` in a name begins no formula."""
    axes.text(x, y, text, parse_math=False, **{'fontsize': 9, 'color': INK} | style)


def histogram_rows(
    rows: Sequence[Values], edges: np.ndarray, xlabel: str, *, unit: str = '', log: bool = False
) -> Figure | None:
    """One histogram a group, one below the other on a common axis, with median and quartiles.

    Each has a scale of its own, as shapes are to be compared. Values beyond the edges are
    drawn in the last bar. None where no value is known.

    Args:
        edges: of the bars, ascending.
        unit: written behind the median.
        log: a logarithmic axis.
    """
    known = [row._replace(values=row.values[~np.isnan(row.values)]) for row in rows]
    if not any(len(row.values) for row in known):
        return None
    figure = new_figure(0.75 + 0.78 * len(known))
    all_axes = figure.subplots(len(known), sharex=True, squeeze=False)[:, 0]
    for axes, row in zip(all_axes, known, strict=True):
        _draw_histogram(axes, row, edges, unit)
    if log:
        all_axes[-1].set_xscale('log')
    all_axes[-1].set_xlim(edges[0], edges[-1])
    all_axes[-1].set_xlabel(xlabel)
    return figure


def _draw_histogram(axes: Axes, row: Values, edges: np.ndarray, unit: str) -> None:
    counts, _ = np.histogram(row.values.clip(edges[0], edges[-1]), edges)
    axes.bar(edges[:-1], counts, np.diff(edges), align='edge', color=row.color, ec='white', lw=0.4)
    strip_frame(axes, 'top', 'right', 'left')
    axes.set_yticks([])
    axes.set_ylim(0, max(1, counts.max()) * 1.3)
    name = {'transform': axes.transAxes, 'ha': 'right', 'va': 'center'}
    write(axes, -0.02, 0.6, row.label, fontsize=10, **name)
    write(axes, -0.02, 0.25, f'{len(row.values):,}', color=FAINT, **name)
    if len(row.values):
        low, median, high = np.quantile(row.values, (0.25, 0.5, 0.75))
        axes.axvspan(low, high, color='black', alpha=0.06, lw=0)
        axes.axvline(median, color=INK, lw=1.2)
        text = f' {median:.3g}{unit} '
        write(axes, median, axes.get_ylim()[1], text, va='top', ha=_side(axes, median, edges))


def _side(axes: Axes, x: float, edges: np.ndarray) -> str:
    # The text stands beside its line, on the side where there is room.
    return 'right' if np.searchsorted(edges, x) > 0.8 * len(edges) else 'left'
