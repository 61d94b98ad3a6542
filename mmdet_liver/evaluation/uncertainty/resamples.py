"""Resamples of a data set: how often each image was drawn.

As many units are drawn with replacement as there are; each brings all its images. Weights
are (R, N), a row a resample. They depend on the seed and the units alone, not on how many
rows are made at a time.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from mmdet_liver.evaluation.uncertainty.units import Units

# Numbers in the weights made at a time: 16 MB.
_WEIGHTS_AT_ONCE = 1 << 21


def image_weights(
    units: Units, resamples: int, seed: int | Sequence[int], at_once: int | None = None
) -> Iterator[np.ndarray]:
    """Yield the weights of all resamples, some rows at a time.

    Args:
        at_once: rows at a time; as many as the memory for weights allows if None.
    Returns:
        float64 (r, N), whole numbers; every row sums to N if all units are of one size.
    """
    generator = np.random.default_rng(seed)
    at_once = at_once or rows_at_once(len(units.of_image))
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        drawn = np.empty((rows, units.count))
        for row in drawn:
            row[:] = _times_drawn(generator, units.count)
        yield drawn[:, units.of_image]


def rows_at_once(*num_images: int) -> int:
    """Resamples to work on at a time, for data sets of these sizes."""
    return max(1, _WEIGHTS_AT_ONCE // max(num_images))


def with_progress(chunks: Iterator[np.ndarray], resamples: int, label: str) -> Iterator[np.ndarray]:
    """The same chunks, with a bar on stderr where that is a terminal."""
    with tqdm(total=resamples, desc=label, unit='resample', disable=None, leave=False) as bar:
        for weights in chunks:
            yield weights
            bar.update(len(weights))


def _times_drawn(generator: np.random.Generator, count: int) -> np.ndarray:
    return np.bincount(generator.integers(count, size=count), minlength=count)
