"""Maps of the features: every lesion a dot, near to those it resembles, coloured by diagnosis.

t-SNE (van der Maaten and Hinton, JMLR 9, 2008) of scikit-learn, begun from the principal
components. Near dots are alike; distances between groups and their sizes mean nothing.
"""

import importlib.util
from pathlib import Path

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.figures.classes import ClassStyle, class_styles
from mmdet_liver.evaluation.figures.drawing import FAINT, WIDTH, figure_file, legend_height
from mmdet_liver.evaluation.figures.drawing import legend_below as _legend_below
from mmdet_liver.evaluation.figures.fonts import drawable, shortened
from mmdet_liver.probing.neighbours import unit_rows

MOST_DOTS = 3000  # of train and of val: t-SNE takes about a minute for both
_PERPLEXITY = 30  # scikit-learn's default
_LEAST_DOTS = 5


def require_map_maker() -> None:
    """InputError unless scikit-learn is installed."""
    if importlib.util.find_spec('sklearn') is None:
        raise input_error(
            'maps of the features',
            'no scikit-learn',
            'it to be installed',
            "pip install 'mmdet_liver[probe]', or give --no-maps",
        )


def place_on_map(features: np.ndarray, seed: int = 0) -> np.ndarray:
    """(N, 2) places of (N, D) features by t-SNE on their directions; 0 where there are few."""
    if len(features) < _LEAST_DOTS:
        return np.zeros((len(features), 2))
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    maker = TSNE(init='pca', perplexity=perplexity, random_state=seed, n_jobs=1)
    return maker.fit_transform(unit_rows(features))


def draw_map(
    train: tuple[np.ndarray, np.ndarray],
    val: tuple[np.ndarray, np.ndarray],
    classes: tuple[str, ...],
    path: str | Path,
    *,
    title: str,
    seed: int = 0,
) -> None:
    """Write a PNG: train lesions as faint dots, val lesions as strong marks.

    Args:
        train, val: features (N, D) and labels (N,), 0 to C - 1, perhaps none in train; of
            more than MOST_DOTS so many are drawn by lot.
        title: what the features are.
    """
    (train_x, train_y), (val_x, val_y) = (_some(*part, seed) for part in (train, val))
    places = place_on_map(np.concatenate([train_x, val_x]), seed)
    styles = class_styles(classes)
    labels = [style.label for style in styles]
    with figure_file(path, WIDTH, WIDTH + 0.35 + legend_height(labels)) as figure:
        axes = figure.add_subplot()
        for c, style in enumerate(styles):
            _draw_dots(axes, places[: len(train_y)][train_y == c], style, faint=True)
        for c, style in enumerate(styles):
            _draw_dots(axes, places[len(train_y) :][val_y == c], style, faint=False)
        axes.set(xticks=[], yticks=[], aspect='equal', box_aspect=1)
        axes.set_adjustable('datalim')
        axes.set_title(shortened(drawable(title), 60))
        faint = f'{len(train_y)} train lesions faint, ' if len(train_y) else ''
        note = f'{faint}{len(val_y)} val lesions with an edge'
        axes.set_xlabel(note, color=FAINT)
        handles = [axes.plot([], [], label=s.label, **s.dot())[0] for s in styles]
        _legend_below(figure, handles)


def _draw_dots(axes, places: np.ndarray, style: ClassStyle, *, faint: bool) -> None:
    if faint:
        dot = {**style.dot(3.5), 'markeredgewidth': 0, 'alpha': 0.3, 'zorder': 2}
    else:
        dot = {**style.dot(6), 'zorder': 3}
    axes.plot(*places.T, **dot)


def _some(features: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if len(labels) <= MOST_DOTS:
        return features, labels
    chosen = np.random.default_rng(seed).choice(len(labels), MOST_DOTS, replace=False)
    chosen.sort()
    return features[chosen], labels[chosen]
