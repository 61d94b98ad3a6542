"""Which images stay, and why: the steps of the cleansing as pure rules over measured facts.

Steps come in the order of `cleanse`; an image that one step leaves out does not reach the
next. Nothing is decided without a row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mmdet_liver.images import MAX_PIXELS
from mmdet_liver.preparation.cleansing.cluster_rules import decide_clusters
from mmdet_liver.preparation.cleansing.clusters import find_image_clusters
from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.options import CleansingOptions
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.entries import ImageEntry


@dataclass(frozen=True)
class Cleansed:
    """What is left.

    Attributes:
        entries: the images that stay, in their order, with their clusters' ids.
        decisions: every row of this cleansing, sorted by image.
        train_only: paths that must be in neither val nor test.
        clean: paths whose marks are to be removed.
    """

    entries: list[ImageEntry]
    decisions: list[Decision]
    train_only: frozenset[str]
    clean: frozenset[str]


@dataclass
class _State:
    """Images still in, and the rows so far."""

    entries: dict[str, ImageEntry]
    facts: Mapping[str, Facts]
    rows: list[Decision] = field(default_factory=list)

    def note(self, rows: Iterator[Decision] | Sequence[Decision]) -> None:
        for row in rows:
            self.rows.append(row)
            if row.action == 'left out':
                del self.entries[row.image_path]


def cleanse(
    entries: Sequence[ImageEntry],
    facts: Mapping[str, Facts],
    options: CleansingOptions,
    review: Mapping[str, frozenset[str]],
) -> Cleansed:
    """Take the steps one after another.

    Args:
        facts: by image path.
        review: image path -> a person's decisions, which overrule the steps.
    """
    state = _State({e.path: e for e in entries}, facts)
    spared = frozenset(path for path, choice in review.items() if 'keep' in choice)
    state.note(
        Decision(p, 'review', 'left out', 'a person decided so')
        for p in list(state.entries)
        if 'leave out' in review.get(p, ())
    )
    state.note(_unreadable(state))
    state.note(_sizes(state, options, spared))
    state.note(_conversions(state))
    train_only = _near_duplicates(state, options, spared)
    clean = frozenset()
    if 'marks' not in options.skip:
        unclean = frozenset(p for p, choice in review.items() if 'keep marks' in choice)
        rows = list(_marks(state, unclean))
        clean = frozenset(r.image_path for r in rows if r.action == 'cleaned')
        state.note(rows)
    kept = [state.entries[e.path] for e in entries if e.path in state.entries]
    return Cleansed(kept, sorted(state.rows, key=lambda r: r.image_path), train_only, clean)


def _unreadable(state: _State) -> list[Decision]:
    problems = ((path, state.facts[path].problem) for path in state.entries)
    return [Decision(p, 'readable', 'left out', problem) for p, problem in problems if problem]


def _sizes(state: _State, options: CleansingOptions, spared: frozenset[str]) -> Iterator[Decision]:
    for path in list(state.entries):
        facts = state.facts[path]
        size = f'{facts.width}x{facts.height} pixels'
        if facts.too_large:
            reason = f'{size}, more than the {MAX_PIXELS} of any ultrasound frame'
            yield Decision(path, 'size', 'left out', reason, facts.width * facts.height)
            continue
        # One number that decides: the longer side must be above, or the shorter one.
        rule = max if options.size_rule == 'both' else min
        side = rule(facts.width, facts.height)
        if 'size' in options.skip or side > options.min_side or path in spared:
            continue
        sides = 'neither side' if options.size_rule == 'both' else 'a side not'
        yield Decision(path, 'size', 'left out', f'{size}: {sides} above {options.min_side}', side)


def _conversions(state: _State) -> list[Decision]:
    found = ((path, state.facts[path].conversion) for path in state.entries)
    return [
        Decision(path, 'format', 'converted', f'{why}: written as 8-bit PNG, upright')
        for path, why in found
        if why
    ]


def _near_duplicates(
    state: _State, options: CleansingOptions, spared: frozenset[str]
) -> frozenset[str]:
    # Clusters that the manifest came with stay known: cleansing twice forgets nothing.
    if 'near-duplicates' in options.skip:
        return frozenset()
    clusters = find_image_clusters(state.entries, state.facts, options.max_distance)
    for path, cluster_id in clusters.ids.items():
        state.entries[path] = _in_cluster(state.entries[path], cluster_id)
    state.note(clusters.flat)
    rows = list(decide_clusters(clusters, state.entries, state.facts, options, spared))
    state.note(rows)
    return frozenset(r.image_path for r in rows if r.action == 'train only')


def _in_cluster(entry: ImageEntry, cluster_id: str) -> ImageEntry:
    return ImageEntry(
        replace(entry.image, cluster_id=cluster_id),
        tuple(replace(lesion, cluster_id=cluster_id) for lesion in entry.lesions),
    )


def _marks(state: _State, unclean: frozenset[str]) -> Iterator[Decision]:
    for path in list(state.entries):
        facts = state.facts[path]
        if facts.doppler:
            # There is no picture below the flow that could be restored.
            yield Decision(path, 'marks', 'flagged', 'colour Doppler; its colours stay')
        if facts.marks:
            kinds = ', '.join(f'{kind} {share:.2%}' for kind, share in facts.marks)
            if path in unclean:
                yield Decision(path, 'marks', 'flagged', f'{kinds}: kept by a person')
            else:
                yield Decision(path, 'marks', 'cleaned', kinds, _total(facts))


def _total(facts: Facts) -> float:
    return round(sum(share for _, share in facts.marks), 6)
