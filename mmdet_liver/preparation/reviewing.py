"""What the review shows: the adaptor between the plan and `cleansing.review`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.near_duplicates import find_clusters, nearest_distances
from mmdet_liver.preparation.cleansing.options import CleansingOptions
from mmdet_liver.preparation.cleansing.perceptual_hash import MIN_CONTRAST
from mmdet_liver.preparation.cleansing.review.facts import Distances, ReviewImage, SizeRule
from mmdet_liver.preparation.entries import ImageEntry
from mmdet_liver.preparation.plan import Plan

# The histogram's shape needs no more; each costs a comparison with all images.
_SAMPLE = 3000


def review_images(
    entries: Sequence[ImageEntry],
    plan: Plan,
    facts: Mapping[str, Facts],
    source: Path,
    images: Path,
) -> dict[str, ReviewImage]:
    """Every image of the manifest that was read, also those that were left out.

    Args:
        entries: as read.
        source, images: folders that hold the source's images and the placed ones.
    """
    targets = {p.source: p.target for p in plan.placements}
    clusters = {d.image_path: d.cluster_id for d in plan.decisions if d.cluster_id}
    return {
        e.path: ReviewImage(
            file=source / e.path,
            placed=images / targets[e.path] if e.path in targets else None,
            size=(facts[e.path].width, facts[e.path].height) if facts[e.path].width else None,
            diagnoses=tuple(sorted({lesion.diagnosis for lesion in e.lesions})),
            patient_id=e.image.patient_id,
            cluster_id=clusters.get(e.path, ''),
            boxes=tuple((lesion.box, lesion.diagnosis) for lesion in e.lesions),
            mark_shares=facts[e.path].marks,
        )
        for e in entries
    }


def review_distances(facts: Mapping[str, Facts], options: CleansingOptions) -> Distances | None:
    """How near the images are to each other; None where that was not asked."""
    values = [f.hash for f in facts.values() if f.width and f.contrast >= MIN_CONTRAST]
    if 'near-duplicates' in options.skip or len(values) < 2:
        return None
    hashes = np.array(values, np.uint64)
    sample = np.unique(np.linspace(0, len(hashes) - 1, _SAMPLE).astype(np.int64))
    thresholds = sorted({*range(0, options.max_distance + 3, 2), options.max_distance})
    labels = [(t, find_clusters(hashes, t)) for t in thresholds]
    return Distances(
        nearest=nearest_distances(hashes, sample),
        compared=len(hashes),
        max_distance=options.max_distance,
        clusters=tuple((t, int((found >= 0).sum()), int(found.max()) + 1) for t, found in labels),
    )


def review_size_rule(options: CleansingOptions) -> SizeRule | None:
    """The rule by which images are too small; None where it is turned off."""
    return None if 'size' in options.skip else SizeRule(options.min_side, options.size_rule)
