"""What a data set will be, decided before a file of it is written: pure functions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mmdet_liver import taxonomy
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.cleansing.decide import Cleansed, cleanse
from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.options import CleansingOptions
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.entries import (
    ImageEntry,
    dominant_diagnosis,
    fit_boxes,
    scale_boxes,
)
from mmdet_liver.preparation.grouping import group_images
from mmdet_liver.preparation.placing import Placement, shrunk_size, target_paths
from mmdet_liver.preparation.splitting import split_groups

TRUTH = '_truth'
# With fewer groups than this a single one is a large part of any split.
_MANY_GROUPS = 30


@dataclass(frozen=True)
class BuildOptions:
    """How a data set is built; what each does is told by `tools/prepare_data.py --help`.

    Attributes:
        by_image: split image by image, which leaks patients; the tool asks twice.
        review: image path -> a person's decisions (`review_file.read_review`).
        max_pages: contact sheets a kind; 0 for none.
    """

    seed: int = 0
    ratios: tuple[float, float, float] = (8, 1, 1)
    by_image: bool = False
    max_side: int | None = None
    clip_boxes: bool = False
    cleansing: CleansingOptions = CleansingOptions()
    review: Mapping[str, frozenset[str]] = field(default_factory=dict)
    max_pages: int = 40
    link: bool = False
    indent: int | None = None
    workers: int = 1


@dataclass(frozen=True)
class Plan:
    """A data set in all but its files.

    Attributes:
        classes: the categories.
        versions: '' and, where a truth was given, TRUTH -> entries with their paths below
            `images/` and boxes in pixels of the placed images, in one order.
        placements: one an image.
        groups: path below `images/` -> group; `split`: group -> split.
        decisions: of the cleansing, and of the split where it leaves images out.
        clipped_boxes: how many boxes were cut at their image's edge.
        warnings: lines for a person.
    """

    classes: tuple[taxonomy.Diagnosis, ...]
    versions: dict[str, list[ImageEntry]]
    placements: list[Placement]
    groups: dict[str, str]
    split: dict[str, str]
    decisions: list[Decision]
    clipped_boxes: int
    warnings: list[str]

    @property
    def split_of(self) -> dict[str, str]:
        """Path below `images/` -> split."""
        return {path: self.split[group] for path, group in self.groups.items()}


def make_plan(
    versions: Mapping[str, Sequence[ImageEntry]],
    classes: tuple[taxonomy.Diagnosis, ...],
    facts: Mapping[str, Facts],
    options: BuildOptions,
    source: object,
) -> Plan:
    """Cleanse, split, and say where every image goes.

    Args:
        versions: '' and perhaps TRUTH -> the same images in the same order.
        facts: by image path.
        source: what to call the manifest in an error.
    Raises:
        InputError: for a box outside its image, too few groups, or nothing left.
    """
    cleansed = cleanse(versions[''], facts, options.cleansing, options.review)
    cleansed = _without_train_only(cleansed, options)
    if not cleansed.entries:
        raise input_error(
            source,
            f'no image left: {_in_words(cleansed.decisions)}',
            'at least one',
            'turn a step off with --skip, or give other limits',
        )
    kept = {e.path: e for e in cleansed.entries}
    groups = {path: path for path in kept} if options.by_image else group_images(kept.values())
    large, warnings = _oversized(groups, options)
    held = {groups[path] for path in cleansed.train_only} | large
    strata = dominant_diagnosis(kept.values(), groups)
    split = split_groups(strata, options.ratios, options.seed, train_only=held)
    all_versions = {'': cleansed.entries}
    if TRUTH in versions:
        all_versions[TRUTH] = [
            _with_cluster(e, kept[e.path]) for e in versions[TRUTH] if e.path in kept
        ]
    fitted = {
        name: [
            fit_boxes(e, _size(facts, e.path), source, clip_boxes=options.clip_boxes)
            for e in entries
        ]
        for name, entries in all_versions.items()
    }
    placements = _placements(kept, facts, cleansed.clean, options)
    targets = {p.source: p.target for p in placements}
    return Plan(
        classes,
        {name: _placed(entries, facts, targets, options) for name, entries in fitted.items()},
        placements,
        {targets[path]: group for path, group in groups.items()},
        split,
        cleansed.decisions,
        _count_changed(all_versions, fitted),
        warnings,
    )


def _without_train_only(cleansed: Cleansed, options: BuildOptions) -> Cleansed:
    # A data set without a train split (an external test set) has no place for images that
    # must be in neither val nor test.
    if options.ratios[0] > 0 or not cleansed.train_only:
        return cleansed
    rows = [
        replace(row, action='left out', reason=f'{row.reason}; there is no train split')
        if row.action == 'train only'
        else row
        for row in cleansed.decisions
    ]
    entries = [e for e in cleansed.entries if e.path not in cleansed.train_only]
    return replace(cleansed, entries=entries, decisions=rows, train_only=frozenset())


def _oversized(groups: Mapping[str, str], options: BuildOptions) -> tuple[set[str], list[str]]:
    # By chance one group could fill val or test alone, and measure nothing but itself.
    sizes = Counter(groups.values())
    smallest = min(ratio for ratio in options.ratios if ratio > 0) / sum(options.ratios)
    limit = smallest * sum(sizes.values())
    if len(sizes) < _MANY_GROUPS or options.ratios[0] <= 0:
        return set(), []
    large = {group for group, size in sizes.items() if size > limit}
    return large, [
        f'{sizes[group]} images of one group ({group}) are more than a whole split of '
        f'{limit:.0f}; they are in train'
        for group in sorted(large)
    ]


def _with_cluster(entry: ImageEntry, kept: ImageEntry) -> ImageEntry:
    cluster = kept.image.cluster_id
    return ImageEntry(
        replace(entry.image, cluster_id=cluster),
        tuple(replace(lesion, cluster_id=cluster) for lesion in entry.lesions),
    )


def _placements(
    kept: Iterable[str], facts: Mapping[str, Facts], clean: frozenset[str], options: BuildOptions
) -> list[Placement]:
    rewritten = {path: bool(facts[path].conversion) or path in clean for path in kept}
    targets = target_paths(rewritten)
    placements = []
    for path, target in targets.items():
        size = _size(facts, path)
        new = shrunk_size(size, options.max_side)
        placements.append(
            Placement(
                path,
                target,
                facts[path].sha256,
                size=None if new == size else new,
                convert=bool(facts[path].conversion),
                clean=path in clean,
            )
        )
    return placements


def _placed(
    entries: Sequence[ImageEntry],
    facts: Mapping[str, Facts],
    targets: Mapping[str, str],
    options: BuildOptions,
) -> list[ImageEntry]:
    placed = []
    for entry in entries:
        old = _size(facts, entry.path)
        scaled = scale_boxes(entry, old, shrunk_size(old, options.max_side))
        path = targets[entry.path]
        placed.append(
            ImageEntry(
                replace(scaled.image, image_path=path),
                tuple(replace(lesion, image_path=path) for lesion in scaled.lesions),
            )
        )
    return placed


def _size(facts: Mapping[str, Facts], path: str) -> tuple[int, int]:
    return facts[path].width, facts[path].height


def _count_changed(
    before: Mapping[str, Sequence[ImageEntry]], after: Mapping[str, Sequence[ImageEntry]]
) -> int:
    return sum(
        a.box != b.box
        for name in before
        for old, new in zip(before[name], after[name], strict=True)
        for a, b in zip(old.lesions, new.lesions, strict=True)
    )


def _in_words(decisions: Iterable[Decision]) -> str:
    counts = Counter(d.step for d in decisions if d.action == 'left out')
    return ', '.join(f'{count} left out by {step}' for step, count in counts.items())


def counts_by_split(plan: Plan) -> dict[str, Counter]:
    """Counts by split: images, patients (known ones), groups, lesion_free."""
    split_of = plan.split_of
    entries = plan.versions['']
    patients = {(split_of[e.path], e.image.patient_id) for e in entries if e.image.patient_id}
    return {
        'images': Counter(split_of.values()),
        'patients': Counter(split for split, _ in patients),
        'groups': Counter(plan.split.values()),
        'lesion_free': Counter(split_of[e.path] for e in entries if not e.lesions),
    }


def lesions_by_split(plan: Plan, version: str) -> Counter:
    """(split, diagnosis) -> lesions of one version."""
    split_of = plan.split_of
    return Counter(
        (split_of[e.path], lesion.diagnosis) for e in plan.versions[version] for lesion in e.lesions
    )
