"""What the review has to know beside the decisions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True)
class ReviewImage:
    """One image of the manifest that was read.

    `file` is the source image, which the pages open; `placed` the one in the data set, None
    where there is none. `size` is (width, height) in pixels, None where unknown. `boxes` are
    (xyxy in pixels of `file`, diagnosis). `mark_shares` are (kind of mark, share of the
    image) of what the cleansing removed. `cluster_width` is the distance in bits of the two
    images of its cluster that are farthest apart.
    """

    file: Path
    placed: Path | None = None
    size: tuple[int, int] | None = None
    diagnoses: tuple[str, ...] = ()
    patient_id: str = ''
    cluster_id: str = ''
    cluster_width: int = 0
    boxes: tuple[tuple[tuple[float, float, float, float], str], ...] = ()
    mark_shares: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Distances:
    """How near the images are to each other, in bits of their perceptual hashes.

    `nearest` (S,) is the distance of each sampled image to the nearest other one among
    `compared` images, -1 where there is only one. `clusters` are (threshold, images in
    clusters, clusters) for some thresholds, counted over all compared images, confirmed by
    their tiles as in the cleansing.
    """

    nearest: np.ndarray
    compared: int
    max_distance: int
    clusters: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True)
class SizeRule:
    """Too small is what has both sides, or `either` side, not above `min_side` pixels."""

    min_side: int
    rule: str = 'both'
