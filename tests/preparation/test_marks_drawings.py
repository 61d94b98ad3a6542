"""Marks that OpenCV draws into the phantom's tissue, colour Doppler, and what looks like marks."""

import cv2
import numpy as np
import pytest
from test_marks_finding import difference, gray_of, near, phantom_frames, scores

from mmdet_liver.preparation.cleansing.marks.finding import find_marks

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
    box = np.zeros(image.shape[:2], np.uint8)
    cv2.rectangle(box, (230, 180), (270 + side, 220 + side), 14, 1)
    image += cv2.merge([0 * box, box, box])  # as pale as scanners draw it
    cv2.putText(image, 'LIVER', (30, 60), 0, 0.6, (255, 255, 255), 1)
    square = np.zeros(image.shape[:2], bool)
    square[200 : 200 + side, 250 : 250 + side] = True
    return clean, image, square


def test_a_little_flow_is_overlay():
    clean, image, square = with_flow(40)
    marks = find_marks(image)
    assert not marks.doppler and marks.flow_share == pytest.approx(square.mean(), rel=0.2)
    assert (marks.masks['color overlay'] & square).sum() > 0.98 * square.sum()
    differs = difference(clean, image) > 0
    assert (marks.mask & differs).sum() > 0.97 * differs.sum()


def test_a_doppler_frame_is_flagged_and_its_flow_left_alone():
    clean, image, square = with_flow(110)
    marks = find_marks(image)
    assert marks.doppler and marks.flow_share == pytest.approx(square.mean(), rel=0.2)
    core = cv2.erode(square.astype(np.uint8), np.ones((9, 9))) > 0
    assert not (marks.mask & core).any()
    truth = np.where(near(square), 0, difference(clean, image))
    assert scores(marks.mask | near(square), truth, clean)[0] > 0.97


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
