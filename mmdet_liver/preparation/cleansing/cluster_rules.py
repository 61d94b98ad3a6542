"""What becomes of a cluster of near-duplicates: which image stays, and what a person must see."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from mmdet_liver.preparation.cleansing.clusters import Clusters, distance
from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.options import CleansingOptions
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.entries import ImageEntry

_STEP = 'near-duplicates'


def decide_clusters(
    clusters: Clusters,
    entries: Mapping[str, ImageEntry],
    facts: Mapping[str, Facts],
    options: CleansingOptions,
    spared: frozenset[str],
) -> Iterator[Decision]:
    """The rows of every cluster; a cluster in doubt is kept whole for a person to decide."""
    for cluster_id, paths in clusters.members.items():
        members = [entries[path] for path in paths]
        doubt = contradiction(members) or shared_file(members, facts)
        if doubt and options.contradicting != 'keep':
            yield from _in_doubt(cluster_id, members, doubt, options)
            continue
        patients = {e.image.patient_id for e in members} - {''}
        if doubt or len(patients) > 1:
            reason = doubt or f'look-alikes of {len(patients)} patients'
            for path in paths:
                yield Decision(path, _STEP, 'flagged', reason, cluster_id=cluster_id)
        if options.of_a_cluster == 'keep-one':
            yield from _keep_one(cluster_id, members, facts, spared, options.max_distance)


def contradiction(members: Sequence[ImageEntry]) -> str:
    """How the members contradict each other in diagnosis, in words; empty if they do not.

    One may show more than another (the plane moved, or a lesion was not annotated), so sets
    of diagnoses contradict only if neither holds the other. An image without lesions
    contradicts one with some only if somebody vouched for it (`fully_annotated`).
    """
    shown = {_diagnoses(entry) for entry in members}
    for a, b in combinations(sorted(shown, key=sorted), 2):
        if not (a <= b or b <= a):
            return f'diagnoses contradict: {_in_words(a)} and {_in_words(b)}'
    vouched_empty = any(not e.lesions and e.image.fully_annotated for e in members)
    found = sorted(set().union(*shown))
    if vouched_empty and found:
        return f'diagnoses contradict: vouched to be lesion-free, and {", ".join(found)}'
    return ''


def shared_file(members: Sequence[ImageEntry], facts: Mapping[str, Facts]) -> str:
    """In words, if two patients have the very same file; empty otherwise."""
    owners: dict[str, set[str]] = {}
    for entry in members:
        if entry.image.patient_id:
            owners.setdefault(facts[entry.path].sha256, set()).add(entry.image.patient_id)
    most = max(map(len, owners.values()), default=0)
    return f'one file under {most} patients' if most > 1 else ''


def _in_doubt(
    cluster_id: str, members: Sequence[ImageEntry], doubt: str, options: CleansingOptions
) -> Iterator[Decision]:
    action = 'train only' if options.contradicting == 'train-only' else 'left out'
    for entry in members:
        other = next(
            (e for e in members if _diagnoses(e) != _diagnoses(entry)),
            next(e for e in members if e is not entry),
        )
        own = _in_words(_diagnoses(entry))
        yield Decision(
            entry.path,
            _STEP,
            action,
            f'{doubt}; this one: {own}; for a person to decide',
            cluster_id=cluster_id,
            other_image=other.path,
        )


def _keep_one(
    cluster_id: str,
    members: Sequence[ImageEntry],
    facts: Mapping[str, Facts],
    spared: frozenset[str],
    max_distance: int,
) -> Iterator[Decision]:
    # The best stays, and what looks like it goes. In a chain some look like it no more: of
    # these the best stays too, in the same split, as another view is no copy.
    # What a person wants kept comes first, to stand for the others.
    ranked = sorted(members, key=lambda e: (e.path not in spared, *_rank(e, facts[e.path])))
    kept: list[ImageEntry] = []
    reason = f'stays, of {len(members)} look-alikes'
    for entry in ranked:
        near = [(distance(facts[entry.path], facts[k.path]), k.path) for k in kept]
        bits, other = min(near, default=(max_distance + 1, ''))
        if bits > max_distance or entry.path in spared:
            kept.append(entry)
            yield Decision(entry.path, _STEP, 'kept', reason, None, cluster_id)
        else:
            text = f'looks like another image that stays, of {len(members)}'
            yield Decision(entry.path, _STEP, 'left out', text, bits, cluster_id, other)


def _rank(entry: ImageEntry, facts: Facts) -> tuple:
    # The study's order: with annotations, then the largest; the rest makes it unique.
    marked = sum(share for _, share in facts.marks)
    size = facts.width * facts.height
    return (not entry.lesions, -size, -len(entry.lesions), marked, entry.path)


def _diagnoses(entry: ImageEntry) -> frozenset[str]:
    return frozenset(lesion.diagnosis for lesion in entry.lesions if not lesion.ignore)


def _in_words(diagnoses: frozenset[str]) -> str:
    return ' and '.join(sorted(diagnoses)) or 'no lesion'
