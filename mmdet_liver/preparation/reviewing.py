"""What the review shows: the adaptor between the plan and `cleansing.review`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmdet_liver.preparation.cleansing.clusters import find_image_clusters
from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.near_duplicates import (
    cluster_diameters,
    nearest_distances,
)
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
    widths = _cluster_widths(clusters, facts)
    return {
        e.path: ReviewImage(
            file=source / e.path,
            placed=images / targets[e.path] if e.path in targets else None,
            size=(facts[e.path].width, facts[e.path].height) if facts[e.path].width else None,
            diagnoses=tuple(sorted({lesion.diagnosis for lesion in e.lesions})),
            patient_id=e.image.patient_id,
            cluster_id=clusters.get(e.path, ''),
            cluster_width=widths.get(clusters.get(e.path, ''), 0),
            boxes=tuple((lesion.box, lesion.diagnosis) for lesion in e.lesions),
            mark_shares=facts[e.path].marks,
        )
        for e in entries
    }


def _cluster_widths(clusters: Mapping[str, str], facts: Mapping[str, Facts]) -> dict[str, int]:
    # Distance of the two images of a cluster that are farthest apart, without marks.
    paths = list(clusters)
    hashes = np.array([facts[path].clean_hash for path in paths], np.uint64)
    names, labels = np.unique([clusters[path] for path in paths], return_inverse=True)
    widths = cluster_diameters(hashes, labels)
    return dict(zip(names.tolist(), widths.tolist(), strict=True))


def review_distances(facts: Mapping[str, Facts], options: CleansingOptions) -> Distances | None:
    """How near the images are to each other; None where that was not asked."""
    seen = {p: f for p, f in facts.items() if f.width and f.contrast >= MIN_CONTRAST}
    if 'near-duplicates' in options.skip or len(seen) < 2:
        return None
    hashes = np.array([f.hash for f in seen.values()], np.uint64)
    sample = np.unique(np.linspace(0, len(hashes) - 1, _SAMPLE).astype(np.int64))
    thresholds = sorted({*range(0, options.max_distance + 3, 2), options.max_distance})
    found = [(t, find_image_clusters(seen, seen, t)) for t in thresholds]
    return Distances(
        nearest=nearest_distances(hashes, sample),
        compared=len(hashes),
        max_distance=options.max_distance,
        clusters=tuple((t, len(clusters.ids), len(clusters.members)) for t, clusters in found),
    )


def review_size_rule(options: CleansingOptions) -> SizeRule | None:
    """The rule by which images are too small; None where it is turned off."""
    return None if 'size' in options.skip else SizeRule(options.min_side, options.size_rule)
