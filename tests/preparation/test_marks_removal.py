"""Painting over: what is masked changes, sensibly, and nothing else."""

import cv2
import numpy as np
import pytest

from mmdet_liver.preparation.cleansing.marks.removal import remove_marks


def slope(shape=(120, 160)):
    """Grey that rises by one level every pixel to the right."""
    return np.broadcast_to(np.arange(shape[1], dtype=np.uint8) + 40, shape).copy()


def letters(shape=(120, 160), place=(30, 60)):
    mask = np.zeros(shape, np.uint8)
    cv2.putText(mask, 'LIVER', place, 0, 0.7, 1, 2)
    return mask > 0


@pytest.mark.parametrize('channels', [1, 3])
def test_tissue_is_continued_and_the_rest_is_untouched(channels):
    clean = slope() if channels == 1 else cv2.merge([slope(), slope() // 2, slope() // 3])
    mask = letters()
    marked = clean.copy()
    marked[mask] = 255
    before = marked.copy()
    restored = remove_marks(marked, mask)
    assert (marked == before).all()
    assert restored.shape == clean.shape and restored.dtype == np.uint8
    assert (restored[~mask] == clean[~mask]).all()
    assert np.abs(restored[mask].astype(int) - clean[mask]).max() <= 4


@pytest.mark.parametrize('color', [(255, 255, 255), (0, 255, 255)])
def test_colour_that_only_the_marks_have_leaves_grey(color):
    clean = cv2.merge([slope()] * 3)
    mask = letters()
    marked = clean.copy()
    marked[mask] = color
    restored = remove_marks(marked, mask)
    assert (restored == restored[..., :1]).all()
    assert np.abs(restored.astype(int) - clean).max() <= 4


@pytest.mark.parametrize('level', [0, 7])
def test_even_ground_gets_its_own_level(level):
    mask = letters()
    marked = np.full(mask.shape, level, np.uint8)
    marked[mask] = 230
    assert (remove_marks(marked, mask) == level).all()


def test_text_beside_the_picture_becomes_black_and_the_picture_does_not_run_out():
    clean = np.zeros((200, 300), np.uint8)
    clean[:90] = 120
    mask = letters(clean.shape, (60, 115))  # right under the picture
    marked = clean.copy()
    marked[mask] = 230
    restored = remove_marks(marked, mask)
    assert (restored[105:] == 0).all()
    assert (
        np.abs(restored.astype(int) - clean).mean()
        < 0.01 * np.abs(marked.astype(int) - clean).mean()
    )


def test_without_a_mask_the_image_comes_back_as_a_copy():
    image = slope()
    same = remove_marks(image, np.zeros(image.shape, bool))
    assert (same == image).all() and same is not image


def test_marks_far_apart_are_painted_over_by_themselves():
    clean = slope((400, 160))
    mask = letters(clean.shape) | letters(clean.shape, (30, 350))
    marked = clean.copy()
    marked[mask] = 255
    together = remove_marks(marked, mask)
    one_by_one = remove_marks(
        remove_marks(marked, mask & (np.arange(400) < 200)[:, None]),
        mask & (np.arange(400) >= 200)[:, None],
    )
    assert (together == one_by_one).all()


@pytest.mark.parametrize('shape', [(1, 1), (5, 9, 3), (64, 64)])
def test_everything_masked_ends_well(shape):
    image = np.full(shape, 200, np.uint8)
    assert remove_marks(image, np.ones(shape[:2], bool)).shape == shape
