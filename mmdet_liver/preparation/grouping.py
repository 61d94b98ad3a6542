"""Which images must not part in the split: of one patient, else of one study, else look-alikes."""

from collections.abc import Iterable

from mmdet_liver.preparation.entries import ImageEntry


def group_images(entries: Iterable[ImageEntry]) -> dict[str, str]:
    """Image path -> group, named after the first of its patients, studies or images.

    Images share a group if they share the patient; where the patient is unknown, the study;
    and in any case if they share a near-duplicate cluster, so a cluster across two patients
    makes one group of both.
    """
    parents: dict[tuple[str, str], tuple[str, str]] = {}
    owners: dict[str, tuple[str, str]] = {}
    for entry in entries:
        owner = owners[entry.path] = _owner(entry)
        parents.setdefault(owner, owner)
        if entry.image.cluster_id:
            cluster = ('z-cluster', entry.image.cluster_id)
            parents.setdefault(cluster, cluster)
            _join(parents, owner, cluster)
    return {path: _root(parents, owner)[1] for path, owner in owners.items()}


def _owner(entry: ImageEntry) -> tuple[str, str]:
    # The letters order the kinds, so that a group is named after a patient if it has one.
    image = entry.image
    if image.patient_id:
        return 'a-patient', image.patient_id
    if image.study_id:
        return 'b-study', image.study_id
    return 'c-image', entry.path


def _join(parents: dict, a: tuple[str, str], b: tuple[str, str]) -> None:
    first, last = sorted((_root(parents, a), _root(parents, b)))
    parents[last] = first


def _root(parents: dict, node: tuple[str, str]) -> tuple[str, str]:
    while parents[node] != node:
        parents[node] = parents[parents[node]]  # shorter for the next one
        node = parents[node]
    return node
