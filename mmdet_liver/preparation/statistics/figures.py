"""The figures of a data set, a table of them: what each shows, and what to look for in it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from mmdet_liver.preparation.statistics import image_figures, lesion_figures
from mmdet_liver.preparation.statistics.tables import Tables


@dataclass(frozen=True)
class Need:
    """What a figure is about and not every image or lesion has; `known`: (N,) or (L,) bool."""

    what: str
    unit: str  # 'images' or 'lesions'
    known: Callable[[Tables], np.ndarray]


@dataclass(frozen=True)
class Plot:
    name: str  # of the file, without .png
    title: str
    caption: str  # what to look for
    draw: Callable[[Tables], Figure | None]  # None where nothing is known to draw
    need: Need | None = None


def unknown_note(plot: Plot, tables: Tables) -> str:
    """'Age not known for 3 of 594 images.', or '' where all is known."""
    if plot.need is None:
        return ''
    known = plot.need.known(tables)
    unknown = len(known) - int(known.sum())
    amount = f'{unknown:,} of {len(known):,} {plot.need.unit}'
    return f'{plot.need.what} not known for {amount}.' if unknown else ''


PLOTS = (
    Plot(
        'images_by_sex',
        'Images by sex and diagnosis',
        'Look for a diagnosis that comes with one sex only: a model may learn the one for the '
        'other. An image with two diagnoses counts in both.',
        image_figures.draw_sexes,
        Need('Sex', 'images', lambda t: t.images.sexes != ''),
    ),
    Plot(
        'age',
        'Age by diagnosis',
        'Look for a bar at 0 (an unknown age), for children with cancer, and for diagnoses that '
        'age alone tells apart. Line: median; shade: the middle half.',
        image_figures.draw_ages,
        Need('Age', 'images', lambda t: ~np.isnan(t.images.ages)),
    ),
    Plot(
        'image_size',
        'Image sizes by diagnosis',
        'Look for a size that only one diagnosis has: it names the scanner or the hospital. A '
        f'larger dot stands for more images; dotted: {image_figures.SMALL_SIDE} pixels.',
        image_figures.draw_image_sizes,
    ),
    Plot(
        'box_share',
        "Box share of the image's area",
        'Look for the smallest: a lesion of 1% is about a tenth of the image wide, so what '
        'remains of it after shrinking decides whether it can be found. What is beyond the axis '
        'is in its first or last bar.',
        lesion_figures.draw_box_shares,
    ),
    Plot(
        'box_position',
        'Where the lesions lie',
        'Look for a place where one diagnosis always lies, and for lesions outside the '
        'ultrasound sector. Bright: covered by most boxes; images are stretched to one shape.',
        lesion_figures.draw_positions,
    ),
    Plot(
        'lesions_per_image',
        'Lesions on an image',
        'Look for too few with several: a lesion that was not annotated is learned as background.',
        image_figures.draw_lesion_counts,
    ),
    Plot(
        'lesions_by_split',
        'Lesions by split',
        'Look for bars of unlike length within a diagnosis: that split is not a fair sample.',
        lesion_figures.draw_splits,
    ),
    Plot(
        'lesion_mm',
        'Lesion size in millimetres',
        'Look for sizes that cannot be: the scale of those images is wrong. What is larger than '
        'the axis is in its last bar.',
        lesion_figures.draw_lesion_mm,
        Need('Size in millimetres', 'lesions', lambda t: ~np.isnan(t.longer_sides_mm())),
    ),
    Plot(
        'aspect_ratio',
        'Shape of the boxes',
        'Look for thin ones: lesions are nearly round, so most boxes lie between 1/2 and 2.',
        lesion_figures.draw_aspect_ratios,
    ),
)
