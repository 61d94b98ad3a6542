"""The hash's bits, what hash and tile bear, what they tell apart, and when they say nothing."""

from itertools import islice

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from mmdet_liver.preparation.cleansing.clusters import MIN_CORRELATION, MIN_CORRELATION_NEAR
from mmdet_liver.preparation.cleansing.near_duplicates import MAX_DISTANCE
from mmdet_liver.preparation.cleansing.perceptual_hash import MIN_CONTRAST, appearance_of
from mmdet_liver.preparation.cleansing.tiles import Tiles, tile_text
from mmdet_liver.preparation.phantom.frames import patient_frames


def first_frames(count: int) -> list[np.ndarray]:
    """The first image of each of so many phantom patients, grey or BGR."""
    images = (next(patient_frames(4, index)[1]).image for index in range(count))
    return [i if i.ndim == 2 else np.ascontiguousarray(i[..., ::-1]) for i in images]


FRAMES = first_frames(12)


def distance(a: np.ndarray, b: np.ndarray) -> int:
    return (appearance_of(a).hash ^ appearance_of(b).hash).bit_count()


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    x, y = (appearance_of(image).tile.ravel().astype(float) for image in (a, b))
    return np.corrcoef(x, y)[0, 1]


def wave(row: int, column: int, size: int = 64) -> np.ndarray:
    """Cosine of the DCT's coefficient (vertical, horizontal frequency), -1 to 1."""
    place = np.pi * (2 * np.arange(size) + 1) / (2 * size)
    return np.outer(np.cos(row * place), np.cos(column * place))


@pytest.mark.parametrize(
    'row, column', [(0, 1), (1, 0), (0, 7), (7, 0), (3, 5), (5, 3), (7, 7), (2, 2)]
)
def test_each_bit_is_the_sign_of_one_coefficient(row, column):
    bit = 63 - (8 * row + column)
    for sign in (1, -1):
        image = np.rint(128 + sign * 80 * wave(row, column)).astype(np.uint8)
        value = appearance_of(image).hash
        assert value >> bit & 1 == (sign == 1)
        assert value >> 63 == 1  # the constant term


def test_bits_are_in_the_order_of_imagehash():
    rng = np.random.default_rng(0)
    image = 120 + sum(rng.normal() * 12 * wave(v, u) for v in range(8) for u in range(8))
    image = np.clip(image, 40, 255).astype(np.uint8)
    peer = imagehash.phash(Image.fromarray(cv2.medianBlur(image, 5)))
    assert f'{appearance_of(image).hash:016x}' == str(peer)


@pytest.mark.parametrize('image', FRAMES[:6])
def test_half_of_the_bits_are_set(image):
    seen = appearance_of(image)
    assert isinstance(seen.hash, int) and isinstance(seen.contrast, float)
    assert 0 <= seen.hash < 2**64 and seen.hash.bit_count() == 32


def jpeg(image: np.ndarray) -> np.ndarray:
    encoded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)


def bordered(image: np.ndarray) -> np.ndarray:
    larger = cv2.copyMakeBorder(image, 90, 20, 10, 70, cv2.BORDER_CONSTANT)
    white = (255,) * 3 if image.ndim == 3 else 255
    for line in range(3):
        place = (8, 20 + 25 * line)
        cv2.putText(larger, 'NAME 1234567  2020/01/01', place, 0, 0.6, white, 1)
    return larger


def with_crosses(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    changed, ink = image.copy(), (255,) * 3 if image.ndim == 3 else 255
    for x, y in ((0.4, 0.5), (0.6, 0.5), (0.5, 0.4), (0.5, 0.6)):
        cv2.drawMarker(changed, (int(x * width), int(y * height)), ink, cv2.MARKER_CROSS, 14)
    return changed


@pytest.mark.parametrize('image', FRAMES)
@pytest.mark.parametrize(
    'change',
    [
        pytest.param(jpeg, id='compressed'),
        pytest.param(lambda i: cv2.resize(i, None, fx=0.8, fy=0.8, interpolation=3), id='scaled'),
        pytest.param(lambda i: i[3:-2, 1:-4], id='cropped'),
        pytest.param(lambda i: cv2.convertScaleAbs(i, alpha=1.1), id='brighter'),
        pytest.param(with_crosses, id='calipers'),
        pytest.param(bordered, id='border with writing'),
        pytest.param(lambda i: cv2.cvtColor(i, 8) if i.ndim == 2 else i[..., ::-1], id='colour'),
    ],
)
def test_alike_images_are_within_the_default_distance(image, change):
    changed = np.ascontiguousarray(change(image))
    assert distance(image, changed) <= MAX_DISTANCE
    assert correlation(image, changed) > MIN_CORRELATION


def test_frames_that_the_phantom_saved_again_are_near_and_others_far():
    twice, apart = [], []
    for index in range(10):
        before = None
        for frame in islice(patient_frames(9, index)[1], 8):
            if before is not None:
                pair = distance(before, frame.image), correlation(before, frame.image)
                (twice if frame.near_duplicate else apart).append(pair)
            before = frame.image
    assert len(twice) >= 3 and len(apart) >= 30
    assert all(d <= MAX_DISTANCE and c > MIN_CORRELATION for d, c in twice)
    assert all(d > MAX_DISTANCE and c < MIN_CORRELATION_NEAR for d, c in apart)


def test_strangers_are_far_apart_though_the_scanners_are_few():
    seen = [appearance_of(image) for image in FRAMES]
    i, j = np.triu_indices(len(seen), 1)
    hashes = np.array([look.hash for look in seen], np.uint64)
    assert np.bitwise_count(hashes[i] ^ hashes[j]).min() > MAX_DISTANCE + 4
    tiles = Tiles([tile_text(look.tile) for look in seen])
    assert tiles.correlations(i, j).max() < MIN_CORRELATION_NEAR


def noise(mean: float, std: float) -> np.ndarray:
    values = np.random.default_rng(3).normal(mean, std, (480, 640))
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    'image, comparable',
    [
        pytest.param(np.zeros((480, 640), np.uint8), False, id='black'),
        pytest.param(np.full((480, 640, 3), 255, np.uint8), False, id='white'),
        pytest.param(noise(4, 3), False, id='dark noise'),
        pytest.param(noise(90, 30), False, id='bright noise'),
        pytest.param(bordered(np.zeros((370, 560), np.uint8)), False, id='nothing but writing'),
        pytest.param(cv2.convertScaleAbs(FRAMES[0], alpha=0.05), False, id='frame gone dark'),
        pytest.param(FRAMES[0], True, id='frame'),
        pytest.param(cv2.convertScaleAbs(FRAMES[0], alpha=0.5), True, id='frame dimmed'),
    ],
)
def test_flat_images_are_not_to_be_compared(image, comparable):
    assert (appearance_of(image).contrast >= MIN_CONTRAST) == comparable


def test_contrast_is_in_grey_levels():
    # Half dark, half bright, 80 levels apart: the deviation is 40.
    image = np.full((256, 256), 60, np.uint8)
    image[:, 128:] = 140
    assert appearance_of(image).contrast == pytest.approx(40, abs=1)


@pytest.mark.parametrize('shape', [(1, 1), (3, 2), (2, 900, 3), (40, 60000)])
def test_any_size_has_a_hash(shape):
    image = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    seen = appearance_of(image)
    assert 0 <= seen.hash < 2**64 and seen.tile.shape == (32, 32)
