"""The measurements behind the marks, against slow loops and values worked out by hand."""

import cv2
import numpy as np
import pytest

from mmdet_liver.preparation.cleansing.marks import calipers
from mmdet_liver.preparation.cleansing.marks.bars import find_bars
from mmdet_liver.preparation.cleansing.marks.calipers import cross_scores, find_crosses, trace_line
from mmdet_liver.preparation.cleansing.marks.color import is_tinted, split_color
from mmdet_liver.preparation.cleansing.marks.finding import find_marks
from mmdet_liver.preparation.cleansing.marks.pixels import mean_by
from mmdet_liver.preparation.cleansing.marks.relief import relief_of
from mmdet_liver.preparation.cleansing.marks.same_ink import ink_level, more_ink
from mmdet_liver.preparation.cleansing.marks.strokes import find_strokes
from mmdet_liver.preparation.cleansing.marks.text import on_ruler, row_sizes


def ground(shape=(120, 160), level=60):
    """Smooth tissue around a grey level."""
    noise = np.random.default_rng(3).normal(0, 40, shape)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 4) + level, 0, 255).astype(np.uint8)


def everywhere(image):
    return np.arange(image.size)


def test_relief_against_a_slow_loop():
    value = ground((25, 30))
    value[10:12, 5:20] = 200
    relief = relief_of(value)
    wide = np.pad(value, 6, mode='edge').astype(int)
    squares = {
        (y, x): wide[y + 6 : y + 13, x + 6 : x + 13].min()
        for y in range(-6, 25)
        for x in range(-6, 30)
        if y >= 0 and x >= 0 and y + 7 <= 25 and x + 7 <= 30
    }
    for y, x in ((10, 12), (5, 5), (14, 20), (11, 19)):
        fits = [v for (b, a), v in squares.items() if b <= y < b + 7 and a <= x < a + 7]
        assert relief.height[y, x] == value[y, x] - max(fits)
        around = value[y - 1 : y + 2, x - 1 : x + 2].astype(int)
        assert relief.step[y, x] == value[y, x] - around.min()


def test_sharpness_against_a_slow_loop():
    value = ground()
    cv2.putText(value, 'A7', (40, 60), 0, 0.8, 230, 1, cv2.LINE_AA)
    strokes = find_strokes(relief_of(value))
    labels = np.zeros(value.size, int)
    labels[strokes.pixels] = strokes.index + 1
    labels = labels.reshape(value.shape)
    assert len(strokes) >= 2
    for i in range(len(strokes)):
        falls, own = [], labels == i + 1
        for y, x in zip(*np.nonzero(own), strict=True):
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    v, u = y + dy, x + dx
                    if 0 <= v < 120 and 0 <= u < 160 and not labels[v, u]:
                        drop = int(value[y, x]) - int(value[v, u])
                        falls.append(drop >= 0.42 * strokes.height[i])
        ys, xs = np.nonzero(own)
        assert strokes.sharp[i] == pytest.approx(np.mean(falls))
        assert strokes.area[i] == own.sum() and strokes.level[i] == value[own].max()
        assert strokes.boxes[i].tolist() == [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


def test_letters_are_sharp_and_layers_of_tissue_are_not():
    value, layer = ground(), np.zeros((120, 160), np.uint8)
    cv2.line(layer, (30, 84), (130, 78), 220, 4)
    value = cv2.add(value, cv2.GaussianBlur(layer, (0, 0), 1.8))
    cv2.putText(value, 'TTTTT', (40, 72), 0, 0.8, 230, 2)  # so that what is below is looked at
    strokes = find_strokes(relief_of(value))
    letters = strokes.boxes[:, 3] <= 74
    large = strokes.area > 15
    assert strokes.sharp[letters & large].min() > 0.85
    assert strokes.sharp[~letters & large].max() < 0.6


@pytest.mark.parametrize('arms, marker', [
    pytest.param(calipers._PLUS, cv2.MARKER_CROSS, id='plus'),
    pytest.param(calipers._TIMES, cv2.MARKER_TILTED_CROSS, id='times')])  # fmt: skip
def test_cross_score_against_a_slow_loop(arms, marker):
    value = ground((40, 50))
    cv2.drawMarker(value, (20, 15), 220, marker, 9)
    scores = cross_scores(value, everywhere(value), 3, arms).reshape(value.shape)
    others = calipers._TIMES if arms is calipers._PLUS else calipers._PLUS
    for y, x in ((15, 20), (15, 21), (20, 30), (30, 8)):
        on_arms = [value[y + s * dy, x + s * dx] for dy, dx in arms for s in range(4)]
        between = sorted(int(value[y + 3 * dy, x + 3 * dx]) for dy, dx in others)
        assert scores[y, x] == int(min(on_arms)) - between[-2]
    assert np.unravel_index(scores.argmax(), scores.shape) == (15, 20)


def test_crosses_and_the_line_between_two_of_them():
    value = ground((200, 300))
    for x, y in ((60, 100), (240, 110), (150, 40)):
        cv2.drawMarker(value, (x, y), 230, cv2.MARKER_CROSS, 11)
    dots = [(round(x), round(100 + (x - 60) / 18)) for x in np.arange(70, 232, 6)]
    for x, y in dots:
        value[y, x] = 230
    relief = relief_of(value)
    crosses = find_crosses(relief, everywhere(value))
    assert {(c.x, c.y) for c in crosses} == {(60, 100), (240, 110), (150, 40)}
    assert {c.reach for c in crosses} == {5} and {c.level for c in crosses} == {230}
    left, right, top = (next(c for c in crosses if c.x == x) for x in (60, 240, 150))
    line = trace_line(relief, left, right)
    assert {(x, y) for y, x in line.tolist()} >= set(dots)
    assert trace_line(relief, left, top) is None and trace_line(relief, top, right) is None


def test_long_lines_that_cross_are_no_cross():
    value = ground((200, 300))
    value[100, 100:180] = value[60:140, 140] = 230
    assert find_crosses(relief_of(value), everywhere(value)) == []


def test_dots_along_a_third_of_the_way_are_no_line():
    value = ground((200, 300))
    for x in (60, 240):
        cv2.drawMarker(value, (x, 100), 230, cv2.MARKER_CROSS, 11)
    value[100, 70:124:6] = 230
    relief = relief_of(value)
    assert trace_line(relief, *find_crosses(relief, everywhere(value))) is None


@pytest.mark.parametrize('tint, expected', [
    pytest.param((1.0, 1.0, 1.0), False, id='grey'),
    pytest.param((1.0, 0.99, 0.98), False, id='hardly'),
    pytest.param((0.6, 0.85, 1.0), True, id='sepia'),
    pytest.param((1.0, 0.9, 0.7), True, id='blue')])  # fmt: skip
@pytest.mark.parametrize('flow', [False, True])
def test_tint_is_told_from_colour(tint, expected, flow):
    value = ground((240, 320), 110)
    image = cv2.merge([(value * t).astype(np.uint8) for t in tint])
    if flow:  # a tenth of the image
        image[:, :32] = (20, 60, 230)
    assert is_tinted(image, image.max(axis=2)) == expected
    if not expected:
        colored = split_color(image)[1]
        assert (
            (colored is None) if not flow else (colored[:, :32].all() and not colored[:, 40:].any())
        )


def test_mostly_coloured_is_no_tint():
    value = ground((240, 320), 110)
    image = cv2.merge([value] * 3)
    image[:, :200] = (20, 60, 230)
    assert not is_tinted(image, image.max(axis=2))


RAMP = np.linspace(250, 0, 120).round().astype(np.uint8)[:, None]


@pytest.mark.parametrize('bar, found', [
    pytest.param(RAMP, True, id='bright above'),
    pytest.param(RAMP[::-1], True, id='bright below'),
    pytest.param(np.full((120, 1), 200, np.uint8), False, id='no ramp'),
    pytest.param(RAMP[:20], False, id='short'),
    pytest.param(np.vstack([RAMP[::-2], RAMP[::2]]), False, id='up and down'),
    pytest.param(ground((120, 1), 120), False, id='tissue')])  # fmt: skip
@pytest.mark.parametrize('width', [6, 12])
def test_bars(bar, found, width):
    value = np.zeros((400, 500), np.uint8)
    value[50:350, 50:400] = ground((300, 350), 100)
    value[60 : 60 + len(bar), 450 : 450 + width] = bar
    boxes = find_bars(value)
    assert len(boxes) == found
    if found:
        x0, y0, x1, y1 = boxes[0]
        assert (x0, x1) == (450, 450 + width)
        assert y0 <= 62 and y1 >= 178 and y0 >= 55 and y1 <= 186


def ticks(places, width):
    value = np.zeros((300, 200), np.uint8)
    for y in places:
        value[y, 190 - width : 190] = 190
    strokes = find_strokes(relief_of(value))
    return on_ruler(strokes, 60)


@pytest.mark.parametrize('places, expected', [
    pytest.param(range(20, 280, 20), True, id='even'),
    pytest.param((20, 40, 60, 100, 120, 140), True, id='one is hidden'),
    pytest.param((20, 47, 58, 111, 125, 140), False, id='uneven'),
    pytest.param((20, 40, 60, 80), False, id='too few')])  # fmt: skip
def test_rulers(places, expected):
    assert ticks(places, 5).tolist() == [expected] * len(list(places))


def test_rows_of_letters():
    value = np.zeros((200, 300), np.uint8)
    for place, letters in (((20, 40), 'LIVER'), ((20, 100), 'T1'), ((200, 160), 'X')):
        cv2.putText(value, letters, place, 0, 0.6, 220, 1)
    strokes = find_strokes(relief_of(value))
    sizes = row_sizes(strokes, np.ones(len(strokes), bool))
    top = strokes.boxes[:, 1]
    assert sizes[top < 60].tolist() == [5] * 5
    assert sizes[(top > 60) & (top < 120)].tolist() == [2, 2]
    assert sizes[top > 120].tolist() == [1]
    assert row_sizes(strokes, np.zeros(len(strokes), bool)).tolist() == [0] * len(strokes)


def test_letters_as_bright_as_the_tissue_beside_them():
    value = ground((120, 400))
    value[:, 150:] = np.clip(ground((120, 250), 215), 190, 235)  # bright tissue, to the right
    ramp = np.linspace(60, 250, 90)[:, None].astype(np.uint8)
    value[20:110, 265:285] = ramp  # crosses the letters' level without a step
    spot = np.zeros_like(value)
    cv2.circle(spot, (100, 35), 7, 130, -1)  # reaches it, and falls off slowly
    value = cv2.add(value, cv2.GaussianBlur(spot, (0, 0), 2.5))
    clean = value.copy()
    cv2.putText(value, 'RIGHT AXILLA', (40, 70), 0, 0.8, 160, 2, cv2.LINE_8)
    letters = value != clean
    assert (find_marks(value).mask & letters)[:, :250].sum() > 0.95 * letters[:, :250].sum()
    relief = relief_of(value)
    known = letters & (np.arange(400) < 140)
    assert ink_level(relief, known) == pytest.approx(160, abs=5)
    more = more_ink(relief, known, 160)
    assert (more & letters)[:, 150:250].sum() > 0.9 * letters[:, 150:250].sum()
    assert not (more & ~letters).any()
    assert ink_level(relief, np.zeros_like(known)) is None


def test_soft_letters_stand_by_each_other():
    ink = np.zeros((120, 300), np.float32)
    cv2.putText(ink, 'RT LOBE', (40, 70), 0, 0.9, 1, 2)
    ink = cv2.GaussianBlur(ink, (0, 0), 1.05)  # as after scaling
    value = (ground(ink.shape, 30) * (1 - ink) + 240 * ink).astype(np.uint8)
    found = find_marks(value).mask & (ink > 0.5)
    assert found.sum() > 0.97 * (ink > 0.5).sum()


def test_mean_by_group():
    means = mean_by(np.array([0, 0, 2]), np.array([1.0, 3.0, 5.0]), 4)
    assert means.tolist() == [2, 1, 5, 1]


@pytest.mark.parametrize('draw, count', [
    pytest.param(lambda v: None, 0, id='nothing'),
    pytest.param(lambda v: cv2.putText(v, 'LIVER', (30, 60), 0, 0.7, 230, 1), 1, id='a word'),
    pytest.param(
        lambda v: [cv2.putText(v, 'S8', (x, y), 0, 0.7, 230, 1) for x, y in ((30, 60), (500, 400))],
        2, id='two far apart')])  # fmt: skip
def test_only_where_something_sharp_lies_is_looked(draw, count):
    value = ground((480, 640))
    draw(value)
    windows = relief_of(value).windows()
    assert len(windows) == count
    inside = np.zeros(value.shape, bool)
    for window in windows:
        inside[window] = True
    assert inside[value > 200].all() and inside.mean() < 0.2
