import math

import numpy as np
import pytest
from evaluated_cases import IMAGES, PROPERTY, SCORE_THR, A, B, C, evaluated
from hypothesis import given
from hypothesis import strategies as st

from mmdet_liver.evaluation.measures.strata import by_image_value, by_lesion_size

EMPTY = ([], [])


def sizes(tmp_path, key, values):
    entries = [{} if value is None else {key: value} for value in values]
    evaluation = evaluated(tmp_path, [EMPTY] * len(values), entries=entries)
    return [(stratum.name, stratum.images) for stratum in by_image_value(evaluation, key)]


@pytest.mark.parametrize(
    'key, values, expected',
    [
        pytest.param('sex', [None, None], [], id='no entry says anything'),
        pytest.param('sex', ['M', None, 'F', 'M'], [('M', 2), ('F', 1), ('unknown', 1)], id='text'),
        pytest.param(
            'sex', ['', 'unknown', math.nan, 'F'], [('F', 1), ('unknown', 3)], id='unknown'
        ),
        pytest.param('site', [10, 9, 10.0], [('9', 1), ('10', 2)], id='few numbers'),
        pytest.param('site', [0.25, 0.5], [('0.25', 1), ('0.5', 1)], id='fractions'),
        pytest.param('site', [True, False, True], [('True', 2), ('False', 1)], id='truth values'),
        pytest.param('site', [1, 'b', [2]], [('1', 1), ('[2]', 1), ('b', 1)], id='mixed'),
        pytest.param(
            'age',
            [39, 39.9, 40, 59, 60, 79, 80, 101, None],
            [('< 40', 2), ('40-59', 2), ('60-79', 2), ('80+', 2), ('unknown', 1)],
            id='ages',
        ),
        pytest.param('age', [20, 90], [('< 40', 1), ('80+', 1)], id='no empty ages'),
        pytest.param('age', ['40', 'old'], [('40', 1), ('old', 1)], id='ages that are none'),
        pytest.param(
            'scale',
            list(range(1, 22)),
            [('up to 6', 6), ('6 to 11', 5), ('11 to 16', 5), ('above 16', 5)],
            id='quartiles of 21 numbers',
        ),
        pytest.param(
            'scale',
            [0] * 100 + list(range(1, 21)),
            [('up to 0', 100), ('above 0', 20)],
            id='quartiles that fall together',
        ),
        pytest.param(
            'scanner',
            [*'abcdefghijklmnopqrst', 'a', 'u', 'v'],
            [('a', 2), *((c, 1) for c in 'bcdefghijklmnopqrst'), ('others', 2)],
            id='more than 20',
        ),
    ],
)
def test_parting_by_value(tmp_path, key, values, expected):
    assert sizes(tmp_path, key, values) == expected


def as_dict(stratum):
    return {k: v for k, v in vars(stratum).items() if k not in ('name', 'by')}


def test_numbers_of_a_stratum_by_hand(tmp_path):
    images = [
        ([(1, A), (1, B), (2, C)], [(1, A, 0.9), (2, B, 0.9), (1, C, 0.3)]),
        ([], [(1, A, 0.9), (3, B, 0.9), (1, C, 0.3)]),
        EMPTY,
    ]
    entries = [{'sex': 'F'}, {'sex': 'F'}, {'sex': 'M'}]
    first, second = by_image_value(evaluated(tmp_path, images, entries=entries), 'sex')
    # At 0.4. Class 1: one right of 2, one over-detection; class 2: missed, one false.
    assert (first.name, first.by) == ('F', 'sex')
    assert as_dict(first) == dict(
        images=2,
        lesions=3,
        found=2 / 3,
        class_right=1 / 2,
        precision=(1 / 2 + 0) / 2,
        recall=(1 / 2 + 0) / 2,
        f1=(2 / 4 + 0) / 2,
        over_detections_per_image=1.0,
    )
    no_lesions = dict.fromkeys(('found', 'class_right', 'precision', 'recall', 'f1'), math.nan)
    expected = dict(images=1, lesions=0, **no_lesions, over_detections_per_image=0.0)
    assert as_dict(second) == pytest.approx(expected, nan_ok=True)


def lesion_strata(tmp_path, sides, scales):
    """One lesion of each width and height an image, found where the width is even."""
    images = [
        ([(1, (0, 0, *side))], [(1, (0, 0, *side), 0.9)] if side[0] % 2 == 0 else [])
        for side in sides
    ]
    entries = [{} if scale is None else {'mm_per_pixel': scale} for scale in scales]
    strata = by_lesion_size(evaluated(tmp_path, images, entries=entries))
    return [(s.by, s.name.split(',')[0], s.lesions, s.found) for s in strata]


def test_parting_by_area(tmp_path):
    sides = [(31, 33), (32, 32), (96, 95), (96, 96), (97, 97)]
    strata = lesion_strata(tmp_path, sides, [None] * 5)
    area = 'box area'
    assert strata == [(area, 'S', 1, 0), (area, 'M', 2, 1), (area, 'L', 2, 0.5)]


def test_parting_by_longer_side(tmp_path):
    scales = [0.1, 0.1, 0.5, 1, None, -1, '0.5', True, math.nan]
    sides = [(99, 10), (10, 100), (10, 40), (50, 20)] + [(10, 10)] * 5
    strata = lesion_strata(tmp_path, sides, scales)
    assert strata[3:] == [
        ('longer side', 'under 10 mm', 1, 0),
        ('longer side', '10 to 20 mm', 1, 1),
        ('longer side', '20 to 30 mm', 1, 1),
        ('longer side', '30 to 50 mm', 0, pytest.approx(math.nan, nan_ok=True)),
        ('longer side', '50 mm or more', 1, 1),
        ('longer side', 'unknown', 5, 1),
    ]


def test_sizes_are_not_blurred_by_corners(tmp_path):
    box = (0.3, 0.3, 32, 32)  # (0.3 + 32) - 0.3 is a little less than 32
    entries = [{'mm_per_pixel': 10 / 32}]
    strata = by_lesion_size(evaluated(tmp_path, [([(1, box)], [])], entries=entries))
    assert [s.name for s in strata if s.lesions] == ['M, 32² to 96² px', '10 to 20 mm']


def test_no_lesions(tmp_path):
    strata = by_lesion_size(evaluated(tmp_path, [EMPTY], entries=[{'mm_per_pixel': 1}]))
    assert [s.lesions for s in strata] == [0] * 8
    assert all(math.isnan(s.recall) for s in strata)


VALUES = st.lists(st.sampled_from(['a', 'b', None]), min_size=6, max_size=6)


@PROPERTY
@given(IMAGES, VALUES, SCORE_THR)
def test_a_stratum_is_the_evaluation_of_its_images(tmp_path, images, values, thr):
    values = values[: len(images)]
    entries = [{'site': value} for value in values]
    whole = evaluated(tmp_path, images, score_thr=thr, entries=entries)
    strata = by_image_value(whole, 'site')
    assert bool(strata) == any(values)
    for stratum in strata:
        name = None if stratum.name == 'unknown' else stratum.name
        own = [image for image, value in zip(images, values, strict=True) if value == name]
        alone = evaluated(tmp_path, own, score_thr=thr)
        lesions = int(alone.outcomes.lesions.sum())
        assert (stratum.images, stratum.lesions) == (len(own), lesions)
        mean = [float(v) for v in alone.mean.as_tuple()] if lesions else [math.nan] * 3
        found = stratum.precision, stratum.recall, stratum.f1
        assert found == pytest.approx(mean, nan_ok=True)
        assert stratum.over_detections_per_image == alone.matrix[0].sum() / len(own)


@PROPERTY
@given(IMAGES, SCORE_THR)
def test_a_size_is_the_evaluation_of_its_lesions(tmp_path, images, thr):
    # Places A, B and C are given sizes of their own: S, M and L.
    side = {A: (0, 0, 20, 20), B: (200, 0, 50, 50), C: (400, 0, 99, 99)}
    images = [
        ([(c, side[b], *f) for c, b, *f in truth], [(c, side[b], s) for c, b, s in found])
        for truth, found, _ in images
    ]
    evaluation = evaluated(tmp_path, images, score_thr=thr)
    for stratum, box in zip(by_lesion_size(evaluation), side.values(), strict=True):
        own = [
            ([a for a in truth if a[1] == box], [p for p in found if p[1] == box])
            for truth, found in images
        ]
        alone = evaluated(tmp_path, own, score_thr=thr)
        matrix = alone.matrix[1:]
        assert stratum.lesions == matrix.sum()
        expected = [
            matrix[:, 1:].sum() / matrix.sum() if matrix.any() else math.nan,
            np.trace(alone.matrix) / matrix[:, 1:].sum() if matrix[:, 1:].any() else math.nan,
            float(alone.mean.recall) if matrix.any() else math.nan,
        ]
        found = [stratum.found, stratum.class_right, stratum.recall]
        assert found == pytest.approx(expected, nan_ok=True)
        assert math.isnan(stratum.f1)
