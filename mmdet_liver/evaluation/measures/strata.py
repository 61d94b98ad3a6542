"""The study's table for parts of the data: by what an image's entry says, and by lesion size.

Everything is at the evaluation's score threshold. Precision, recall and F1 are plain means
over the classes that have lesions in the stratum, since a class that is not there cannot
be found; over-detections of other classes count in their rate alone.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mmdet_liver.evaluation.confusion import precision_recall_f1
from mmdet_liver.evaluation.measures.rates import rate
from mmdet_liver.evaluation.scoring import Evaluation

UNKNOWN, OTHERS = 'unknown', 'others'
MOST_VALUES = 20
BOX_AREA, LONGER_SIDE = 'box area', 'longer side'
_AGES = (40, 60, 80)
_AGE_NAMES = ('< 40', '40-59', '60-79', '80+')
_AREAS = (32**2, 96**2)
_AREA_NAMES = ('S, under 32² px', 'M, 32² to 96² px', 'L, 96² px or more')
_SIDES_MM = (10, 20, 30, 50)
_SIDE_NAMES = ('under 10 mm', '10 to 20 mm', '20 to 30 mm', '30 to 50 mm', '50 mm or more')


@dataclass(frozen=True)
class Stratum:
    """Part of a data set; a rate without a denominator is NaN."""

    name: str
    by: str  # what the data were parted by: a key, BOX_AREA or LONGER_SIDE
    images: int  # of the stratum; by size, those with a lesion of it
    lesions: int
    found: float  # share of the lesions, whatever they are called
    class_right: float  # share of the found lesions
    precision: float
    recall: float
    f1: float
    over_detections_per_image: float


def by_image_value(evaluation: Evaluation, key: str) -> list[Stratum]:
    """Strata by what the images' entries say under `key`; none if no entry says anything.

    Ages (`age`, in years) are parted at 40, 60 and 80; other numbers, if there are more than
    20 different ones, at their quartiles over the images (the upper end belongs to a
    stratum). All else stands for itself: numbers in their order, texts the most frequent
    first, and beyond 20 of them the rest as `others`. Images without a value are `unknown`,
    the last.
    """
    values = evaluation.truth.image_values(key)
    known = np.array([_is_known(value) for value in values], bool)
    if not known.any():
        return []
    names, numbers = _groups([value for value in values if _is_known(value)], key)
    stratum = np.full(len(values), len(names))
    stratum[known] = numbers
    names = [*names, UNKNOWN]

    outcomes, lesions = evaluation.outcomes, evaluation.truth.lesions
    reached = outcomes.score >= evaluation.score_thr
    matrices = _matrices(
        (stratum[lesions.image], lesions.classes),
        (stratum[outcomes.image], outcomes.row, outcomes.column),
        reached,
        (len(names), len(evaluation.truth.labels)),
    )
    images = np.bincount(stratum, minlength=len(names))
    strata = map(_stratum, names, [key] * len(names), images, matrices)
    return [stratum for stratum in strata if stratum.images]


def by_lesion_size(evaluation: Evaluation) -> list[Stratum]:
    """Strata of the lesions by box area in pixels and, where a scale is known, by millimetres.

    The areas are COCO's (below 32², below 96², the rest) of the ground truth's boxes; the
    longer side is parted at 10, 20, 30 and 50 mm, the lower end belonging to a stratum.
    `mm_per_pixel` of the image's entry is the scale; what is no number above 0 counts as
    unknown. An over-detection has no lesion and so no size: only `found`, `class_right` and
    `recall` are known here, the rest is NaN.
    """
    lesions = evaluation.truth.lesions
    sides = lesions.boxes[:, 2:] - lesions.boxes[:, :2]  # (G, 2)
    # Rounded, since (0.3 + 32) - 0.3 is less than 32.
    areas = np.searchsorted(_AREAS, np.round(sides.prod(axis=1), 6), 'right')
    strata = _by_lesion(evaluation, BOX_AREA, _AREA_NAMES, areas)
    scale = np.array([_scale(value) for value in evaluation.truth.image_values('mm_per_pixel')])
    if np.isnan(scale).all():
        return strata
    longer = np.round(sides.max(axis=1, initial=0) * scale[lesions.image], 6)
    bands = np.searchsorted(_SIDES_MM, longer, 'right')
    bands[np.isnan(longer)] = len(_SIDE_NAMES)
    *by_side, unknown = _by_lesion(evaluation, LONGER_SIDE, (*_SIDE_NAMES, UNKNOWN), bands)
    return [*strata, *by_side, *([unknown] if unknown.lesions else [])]


def _by_lesion(
    evaluation: Evaluation, by: str, names: Sequence[str], stratum: np.ndarray
) -> list[Stratum]:
    # `stratum`: (G,) of each lesion.
    lesions, outcomes = evaluation.truth.lesions, evaluation.outcomes
    belonging = evaluation.matches.lesion[evaluation.detections.scores > 0]
    found = np.unique(belonging[belonging >= 0])
    # The outcomes that are found lesions stand in the order of the lesions.
    hits = np.flatnonzero(outcomes.row > 0)
    matrices = _matrices(
        (stratum, lesions.classes),
        (stratum[found], outcomes.row[hits], outcomes.column[hits]),
        outcomes.score[hits] >= evaluation.score_thr,
        (len(names), len(evaluation.truth.labels)),
    )
    images = [len(np.unique(lesions.image[stratum == i])) for i in range(len(names))]
    unknown = dict.fromkeys(('precision', 'f1', 'over_detections_per_image'), math.nan)
    strata = map(_stratum, names, [by] * len(names), images, matrices)
    return [replace(stratum, **unknown) for stratum in strata]


def _matrices(
    lesions: tuple[np.ndarray, np.ndarray],
    outcomes: tuple[np.ndarray, np.ndarray, np.ndarray],
    reached: np.ndarray,
    shape: tuple[int, int],
) -> np.ndarray:
    """Confusion matrices (S, C+1, C+1) of S strata.

    Args:
        lesions: stratum and class of each lesion, (G,) both.
        outcomes: stratum, row and column of each outcome, (E,) all.
        reached: (E,) bool, whether the outcome counts.
        shape: S, C+1.
    """
    strata, size = shape
    stratum, row, column = (values[reached] for values in outcomes)
    cells = np.bincount((stratum * size + row) * size + column, minlength=strata * size * size)
    matrices = cells.reshape(strata, size, size)
    totals = np.bincount(lesions[0] * size + lesions[1], minlength=strata * size)
    matrices[:, :, 0] = totals.reshape(strata, size) - matrices.sum(axis=2)  # missed
    matrices[:, 0, 0] = 0
    return matrices


def _stratum(name: str, by: str, images: int, matrix: np.ndarray) -> Stratum:
    lesions = matrix[1:].sum(axis=1)  # (C,)
    found = matrix[1:, 1:].sum()
    scores = precision_recall_f1(matrix).mean(lesions > 0).as_tuple()
    precision, recall, f1 = scores if lesions.any() else [math.nan] * 3
    return Stratum(
        name=name,
        by=by,
        images=int(images),
        lesions=int(lesions.sum()),
        found=float(rate(found, lesions.sum())),
        class_right=float(rate(np.trace(matrix), found)),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        over_detections_per_image=float(rate(matrix[0].sum(), images)),
    )


def _groups(values: list, key: str) -> tuple[list[str], np.ndarray]:
    # Names of the strata, and of each value the number of its stratum.
    if not all(map(_is_number, values)):
        return _text_groups([str(value) for value in values])
    numbers = np.array(values, np.float64)
    different = np.unique(numbers)
    if key == 'age':
        return list(_AGE_NAMES), np.searchsorted(_AGES, numbers, 'right')
    if len(different) <= MOST_VALUES:
        return list(map(_number_name, different)), np.searchsorted(different, numbers)
    edges = np.unique(np.quantile(numbers, (0.25, 0.5, 0.75)))
    ends = [f'{edge:.6g}' for edge in edges]
    between = [f'{low} to {high}' for low, high in pairwise(ends)]
    return [f'up to {ends[0]}', *between, f'above {ends[-1]}'], np.searchsorted(edges, numbers)


def _text_groups(texts: list[str]) -> tuple[list[str], np.ndarray]:
    counts = Counter(texts)
    order = sorted(counts, key=lambda text: (-counts[text], text))
    number = {text: i for i, text in enumerate(order[:MOST_VALUES])}
    if len(order) > MOST_VALUES:
        number.setdefault(OTHERS, MOST_VALUES)
    return list(number), np.array([number.get(text, number.get(OTHERS)) for text in texts])


def _number_name(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def _is_known(value: object) -> bool:
    nan = isinstance(value, float) and not math.isfinite(value)
    return value is not None and value != UNKNOWN and not nan


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scale(value: object) -> float:
    return float(value) if _is_known(value) and _is_number(value) and value > 0 else math.nan
