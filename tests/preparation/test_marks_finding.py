"""Marks found and removed, against the phantom: the same frame with and without them.

The pixels that differ are the truth, and know nothing of how marks are found.
"""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from mmdet_liver.preparation.cleansing.marks.finding import KINDS, find_marks
from mmdet_liver.preparation.cleansing.marks.removal import remove_marks
from mmdet_liver.preparation.phantom import frames, views
from mmdet_liver.preparation.phantom.scanners import SCANNERS

FRAMES = 5
HEADER = ('PHANTOM HOSP  ID 0123', '2024/05/06', 'MI 1.2')
by_name = {scanner.name: scanner for scanner in SCANNERS}


@cache
def phantom_frames(name):
    """(unmarked, marked, what was burned in) of a few frames, BGR as far as coloured."""
    taken = []

    def burn_in(image, marks, style, sector):
        # The first frame carries everything, whatever was drawn by lot.
        height, width = image.shape
        box = (0.4 * width, 0.4 * height, 0.6 * width, 0.6 * height)
        if not taken:
            marks = replace(marks, calipers=(box,), body_mark=True, bar=True, header=HEADER)
        marked = original(image, marks, style, sector)
        marked = cv2.cvtColor(marked, cv2.COLOR_RGB2BGR) if marked.ndim == 3 else marked
        clean = cv2.merge([image] * 3) if marked.ndim == 3 else image
        taken.append((clean, marked, marks))
        return marked

    original = frames.burn_in
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, 'SCANNERS', (by_name[name],))
        patch.setattr(frames, 'burn_in', burn_in)
        patient = 0
        while len(taken) < FRAMES:
            list(frames.patient_frames(11, patient)[1])
            patient += 1
    return taken[:FRAMES]


def jpeg(image, quality=88):
    return cv2.imdecode(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], -1)


def gray_of(image):
    return image if image.ndim == 2 else image.max(axis=2)


def difference(first, second):
    return gray_of(cv2.absdiff(first, second))


def near(mask, radius=2):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0


def scores(found, truth, clean):
    """Pixel recall of what is visible, and precision on the picture."""
    visible = truth > 24
    on_picture = found & (gray_of(clean) > 6)
    false = on_picture & ~near(truth > 0)
    return (found & visible).sum() / visible.sum(), 1 - false.sum() / max(found.sum(), 1)


@pytest.mark.parametrize(
    'saved', [pytest.param(lambda x: x, id='PNG'), pytest.param(jpeg, id='JPEG')]
)
@pytest.mark.parametrize('name', by_name)
def test_marks_of_every_scanner_are_found_and_nothing_else(name, saved):
    for clean, marked, _ in phantom_frames(name):
        marks = find_marks(saved(marked))
        recall, precision = scores(marks.mask, difference(clean, marked), clean)
        # H0 has 320 x 240 pixels: a letter's stroke is as fine as its speckle.
        assert recall > (0.9 if name == 'H0' else 0.97)
        assert precision > (0.85 if name == 'H0' else 0.97)
        assert set(marks.masks) <= set(KINDS) and not marks.doppler


@pytest.mark.parametrize('name', by_name)
def test_kinds_are_those_that_were_burned_in(name):
    style = by_name[name].style
    for clean, marked, burned in phantom_frames(name)[:2]:
        marks = find_marks(marked)
        bar = burned.bar and style.bar in ('blue', 'yellow')
        assert ('color bar' in marks.masks) == bar
        assert ('caliper' in marks.masks) == bool(burned.calipers)
        truth = difference(clean, marked) > 0
        claimed = sum(mask.astype(int) for mask in marks.masks.values())
        assert claimed.max() == 1 and (marks.mask == (claimed > 0)).all()
        assert sum(marks.shares.values()) == pytest.approx(marks.mask.mean())
        assert truth.any() and marks.mask.dtype == bool


@pytest.mark.parametrize('name', ['V3', 'LX9'])
def test_colour_that_jpeg_spreads_belongs_to_the_mark(name):
    for _, marked, _ in phantom_frames(name)[:3]:
        shares = find_marks(jpeg(marked)).shares
        assert shares.pop('color overlay', 0) < 0.02 * sum(shares.values())


SAVED = {
    'as it is': lambda image: image,
    'three equal channels': lambda image: cv2.merge([image] * 3),
    'JPEG 50': lambda image: jpeg(image, 50),
    'more contrast': lambda image: cv2.convertScaleAbs(image, alpha=1.5),
    'noise': lambda image: cv2.add(
        image, np.random.default_rng(0).integers(0, 30, image.shape, dtype=np.uint8)
    ),
    'twice the size': lambda image: cv2.resize(image, None, fx=2, fy=2),
    'upside down': lambda image: image[::-1],
    'sepia': lambda image: tinted(image, (0.6, 0.85, 1.0)),
    'blue': lambda image: tinted(image, (1.0, 0.95, 0.75)),
    'sepia in JPEG': lambda image: jpeg(tinted(image, (0.6, 0.85, 1.0)), 60),
    'slight tint': lambda image: tinted(image, (1.0, 0.97, 0.93)),
}


def tinted(image, weights):
    return cv2.merge([(image * w).astype(np.uint8) for w in weights])


@pytest.mark.parametrize('saved', SAVED.values(), ids=SAVED)
def test_an_unmarked_frame_has_no_marks(saved):
    for name in ('A5', 'LX9', 'T7', 'P1', 'H0'):
        for clean, _, _ in phantom_frames(name)[:3]:
            image = saved(gray_of(clean))
            marks = find_marks(image)
            assert marks.masks == {} and not marks.doppler
            assert marks.mask.shape == image.shape[:2] and not marks.mask.any()


@pytest.mark.parametrize('name', by_name)
def test_removal_gives_back_the_unmarked_frame(name):
    for clean, marked, _ in phantom_frames(name):
        mask = find_marks(marked).mask
        restored = remove_marks(marked, mask)
        assert (restored[~mask] == marked[~mask]).all()
        before, after = (np.abs(x.astype(int) - clean).mean() for x in (marked, restored))
        assert after < (0.4 if name == 'H0' else 0.05) * before


@pytest.mark.parametrize('quality', [None, 95, 75])
def test_of_text_on_black_nothing_is_left_to_read(quality):
    clean, marked, _ = phantom_frames('A5')[0]
    marked = jpeg(marked, quality) if quality else marked
    restored = remove_marks(marked, find_marks(marked).mask)
    assert (clean[:28] == 0).all() and (marked[:28] > 100).any() and (restored[:28] == 0).all()


@pytest.mark.parametrize('shape', [(1, 1), (2, 3, 3), (7, 500), (16, 16, 3), (300, 4)])
@pytest.mark.parametrize('level', [0, 255])
def test_tiny_and_flat_images_have_no_marks(shape, level):
    assert find_marks(np.full(shape, level, np.uint8)).masks == {}


def test_a_mirrored_view_that_may_not_be_written():
    view = phantom_frames('A5')[0][1][:, ::-1]
    view.flags.writeable = False
    assert remove_marks(view, find_marks(view).mask).mean() < view.mean()
