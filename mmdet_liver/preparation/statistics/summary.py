"""`statistics.csv`: the data set in numbers, one number a row.

| column | meaning |
|---|---|
| split | of the annotation file, or `all` |
| diagnosis | a class, `lesion-free`, or `all`; an image with two diagnoses counts in both |
| measure | what was counted or measured, with its unit; see below |
| level | the part that was counted: `F`, `M`, `unknown`; a number of lesions; else empty |
| statistic | `count`, `unknown` (how many lack the value), or of the known ones `mean`, `sd` |
| | (over n), `min`, `q25`, `median`, `q75`, `max` |
| value | the number, six digits |

Counted: `images`, `patients` (known ones), `lesions`, `images_by_sex`, `images_by_lesions` (of
any diagnosis). Measured by image: `age_years`, `width_px`, `height_px`, `mm_per_pixel`; by
lesion: `box_share`, `aspect_ratio` (width over height), `longer_side_mm`.
"""

import csv
import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mmdet_liver.preparation.statistics.groups import LESION_FREE
from mmdet_liver.preparation.statistics.tables import SEXES, Tables

ALL = 'all'


class Row(NamedTuple):
    split: str
    diagnosis: str
    measure: str
    level: str
    statistic: str
    value: int | float


def statistics_csv(tables: Tables) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(Row._fields)
    writer.writerows(row._replace(value=_cell(row.value)) for row in statistics_rows(tables))
    return text.getvalue()


def statistics_rows(tables: Tables) -> Iterator[Row]:
    """Every number, by split and diagnosis."""
    by_image, by_lesion = _measures(tables)
    for split, in_split in _splits(tables):
        for diagnosis, images, lesions in _diagnoses(tables, in_split):
            for row in _counts(tables, images, lesions):
                yield Row(split, diagnosis, *row)
            for measures, which in ((by_image, images), (by_lesion, lesions)):
                for measure, values in measures.items():
                    for statistic, value in describe(values[which]).items():
                        yield Row(split, diagnosis, measure, '', statistic, value)


def describe(values: np.ndarray) -> dict[str, int | float]:
    """Count, how many are unknown (NaN), and of the known ones mean, spread and quartiles."""
    known = values[~np.isnan(values)]
    counts = {'count': len(known), 'unknown': len(values) - len(known)}
    if not len(known):
        return counts
    quartiles = np.quantile(known, (0, 0.25, 0.5, 0.75, 1))
    names = ('min', 'q25', 'median', 'q75', 'max')
    spread = {'mean': float(known.mean()), 'sd': float(known.std())}
    return counts | spread | dict(zip(names, map(float, quartiles), strict=True))


def count_patients(patient: np.ndarray) -> int:
    """Different ones among the known."""
    return len(np.unique(patient[patient >= 0]))


def _cell(value: int | float) -> str:
    return f'{value:.6g}' if isinstance(value, float) else str(value)


def _measures(tables: Tables) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    images = tables.images
    by_image = {
        'age_years': images.ages,
        'width_px': images.sizes[:, 0],
        'height_px': images.sizes[:, 1],
        'mm_per_pixel': images.mm_per_pixel,
    }
    by_lesion = {
        'box_share': tables.box_shares(),
        'aspect_ratio': tables.aspect_ratios(),
        'longer_side_mm': tables.longer_sides_mm(),
    }
    return by_image, by_lesion


def _splits(tables: Tables) -> Iterator[tuple[str, np.ndarray]]:
    yield ALL, np.ones(len(tables.images.names), bool)
    for i, source in enumerate(tables.sources):
        yield source.split, tables.images.source == i


def _diagnoses(
    tables: Tables, in_split: np.ndarray
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    # Name, indices of images, indices of lesions.
    lesions, none = tables.lesions, np.zeros(0, np.int64)
    own = in_split[lesions.image]
    yield ALL, np.flatnonzero(in_split), np.flatnonzero(own)
    for i, name in enumerate(tables.classes):
        chosen = np.flatnonzero(own & (lesions.label == i))
        yield name, np.unique(lesions.image[chosen]), chosen
    yield LESION_FREE, np.flatnonzero(in_split & tables.free()), none


def _counts(
    tables: Tables, images: np.ndarray, lesions: np.ndarray
) -> Iterator[tuple[str, str, str, int]]:
    yield 'images', '', 'count', len(images)
    yield 'patients', '', 'count', count_patients(tables.images.patient[images])
    yield 'lesions', '', 'count', len(lesions)
    sexes = tables.images.sexes[images]
    for sex in SEXES:
        yield 'images_by_sex', sex or 'unknown', 'count', int((sexes == sex).sum())
    counts = np.bincount(tables.lesions_per_image()[images])
    for number in np.flatnonzero(counts):
        yield 'images_by_lesions', str(number), 'count', int(counts[number])
