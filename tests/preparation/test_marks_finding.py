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
            marks = replace(marks, calipers=(box,), body_mark=True, bar=True, label='RT LOBE')
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


COLORS = {
    'white': (255, 255, 255), 'light grey': (215, 215, 215), 'yellow': (0, 255, 255),
    'green': (0, 255, 0), 'cyan': (255, 220, 90), 'red': (0, 0, 255),
}  # fmt: skip


def text(scale, thickness, line=cv2.LINE_AA):
    def draw(image, color):
        place = int(0.35 * image.shape[1]), int(0.55 * image.shape[0])
        cv2.putText(image, 'S8 3.4 mm', place, 0, scale, color, thickness, line)

    return draw


def crosses(marker, size, thickness=1):
    def draw(image, color):
        height, width = image.shape[:2]
        for x, y in ((0.4, 0.5), (0.6, 0.5), (0.5, 0.4), (0.5, 0.6)):
            place = int(x * width), int(y * height)
            cv2.drawMarker(image, place, color, marker, size, thickness)

    return draw


def dots(size, period):
    def draw(image, color):
        height, width = image.shape[:2]
        for share in np.arange(0, 1, period / (0.25 * width)):
            y, x = int(height * (0.5 + 0.05 * share)), int(width * (0.35 + 0.25 * share))
            image[y : y + size, x : x + size] = color

    return draw


def outline(image, color):
    for angle in np.arange(0, 2 * np.pi, 0.1):
        y, x = int(250 + 50 * np.sin(angle)), int(300 + 70 * np.cos(angle))
        image[y : y + 2, x : x + 2] = color


DRAWINGS = {
    'small text': text(0.4, 1), 'text': text(0.6, 1), 'aliased text': text(0.5, 1, cv2.LINE_8),
    'large text': text(0.9, 2), 'plus': crosses(cv2.MARKER_CROSS, 9),
    'thick plus': crosses(cv2.MARKER_CROSS, 17, 2), 'times': crosses(cv2.MARKER_TILTED_CROSS, 9),
    'large times': crosses(cv2.MARKER_TILTED_CROSS, 15),
    'triangle': crosses(cv2.MARKER_TRIANGLE_UP, 13),
    'dots of one pixel': dots(1, 6), 'dots of four': dots(2, 7), 'dotted outline': outline,
}  # fmt: skip


@pytest.mark.parametrize('color', COLORS.values(), ids=COLORS)
@pytest.mark.parametrize('draw', DRAWINGS.values(), ids=DRAWINGS)
def test_marks_drawn_into_tissue_are_found(draw, color):
    visible = found = false = 0
    for name in ('A5', 'T7'):
        clean = gray_of(phantom_frames(name)[1][0])
        clean = clean if len(set(color)) == 1 else cv2.merge([clean] * 3)
        marked = clean.copy()
        draw(marked, color if clean.ndim == 3 else color[0])
        truth = difference(clean, marked)
        mask = find_marks(marked).mask
        visible += (truth > 24).sum()
        found += (mask & (truth > 24)).sum()
        false += (mask & ~near(truth > 0, 3) & (gray_of(clean) > 6)).sum()
    assert found > 0.9 * visible
    assert false < 0.15 * visible + 10


def with_flow(side):
    """A grey frame with a square of colour Doppler, its pale box, and white text."""
    clean = cv2.merge([gray_of(phantom_frames('A5')[1][0])] * 3)
    rng = np.random.default_rng(0)
    cells = rng.uniform(60, 255, (side, side)).astype(np.uint8)
    rows, columns = rng.integers(2, 6, (2, side))
    # As sharp as letters.
    flow = np.repeat(np.repeat(cells, rows, axis=0), columns, axis=1)[:side, :side]
    image = clean.copy()
    image[200 : 200 + side, 250 : 250 + side] = cv2.merge([flow // 8, flow // 4, flow])
    cv2.rectangle(image, (230, 180), (270 + side, 220 + side), (165, 182, 182), 1)
    cv2.putText(image, 'LIVER', (30, 60), 0, 0.6, (255, 255, 255), 1)
    square = np.zeros(image.shape[:2], bool)
    square[200 : 200 + side, 250 : 250 + side] = True
    return clean, image, square


def test_a_little_flow_is_overlay():
    clean, image, square = with_flow(40)
    marks = find_marks(image)
    assert not marks.doppler and marks.flow_share == pytest.approx(square.mean(), rel=0.2)
    assert (marks.masks['color overlay'] & square).sum() > 0.98 * square.sum()
    assert scores(marks.mask, difference(clean, image), clean)[0] > 0.97


def test_a_doppler_frame_is_flagged_and_its_flow_left_alone():
    clean, image, square = with_flow(110)
    marks = find_marks(image)
    assert marks.doppler and marks.flow_share == pytest.approx(square.mean(), rel=0.2)
    core = cv2.erode(square.astype(np.uint8), np.ones((9, 9))) > 0
    assert not (marks.mask & core).any()
    truth = np.where(near(square), 0, difference(clean, image))
    assert scores(marks.mask | near(square), truth, clean)[0] > 0.97


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
    header = remove_marks(marked, find_marks(marked).mask)[:28]
    assert (clean[:28] == 0).all() and (header == 0).all()


def like_ink(part):
    """A frame in which tissue, or the probe's face, is sharper than tissue usually is."""
    image = gray_of(phantom_frames('T7')[1][0]).copy()
    if part == 'layer cut by the border':
        image = image[200:]
        image[:3, 250:280] = 235
    elif part == 'streak where the picture ends':
        image[330:] = 0
        image[328:330, 300:318] = 235
    elif part == 'face of the probe':
        image = image[120:400, 200:520]
        image[2:5] = 250
    elif part == 'blob':
        cv2.circle(image, (350, 250), 9, 255, -1)
    return image


@pytest.mark.parametrize(
    'part',
    ['layer cut by the border', 'streak where the picture ends', 'face of the probe', 'blob'],
)
def test_what_looks_like_ink_and_is_not(part):
    assert find_marks(like_ink(part)).masks == {}


@pytest.mark.parametrize('shape', [(1, 1), (2, 3, 3), (7, 500), (16, 16, 3), (300, 4)])
@pytest.mark.parametrize('level', [0, 255])
def test_tiny_and_flat_images_have_no_marks(shape, level):
    assert find_marks(np.full(shape, level, np.uint8)).masks == {}


def test_a_mirrored_view_that_may_not_be_written():
    view = phantom_frames('A5')[0][1][:, ::-1]
    view.flags.writeable = False
    assert remove_marks(view, find_marks(view).mask).mean() < view.mean()
