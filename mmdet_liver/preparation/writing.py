"""Writing a planned data set: images first, annotations last."""

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mmdet_liver.coco_files import read_json
from mmdet_liver.errors import input_error
from mmdet_liver.files import copy_file, write_json, write_text
from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.review.writing import write_review
from mmdet_liver.preparation.coco import to_coco
from mmdet_liver.preparation.decisions import FILE_NAME, Decision, write_decisions
from mmdet_liver.preparation.entries import ImageEntry
from mmdet_liver.preparation.inside import inner_path
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.manifest import write_manifest
from mmdet_liver.preparation.placing import Placement, place_images
from mmdet_liver.preparation.plan import (
    TRUTH,
    BuildOptions,
    Plan,
    counts_by_split,
    lesions_by_split,
)
from mmdet_liver.preparation.reviewing import review_distances, review_images, review_size_rule
from mmdet_liver.preparation.splitting import SPLITS

WRITTEN_BY_US = 'written by mmdet_liver'
SPLIT_COLUMNS = ('image_path', 'patient_id', 'study_id', 'cluster_id', 'group_id', 'split')


# Below `.work`: images without marks, from the measuring to the placing.
CLEANED = 'cleaned'
# Where the masks of marks go that an importer removed, below `masks/`.
_IMPORTED = 'imported'


@dataclass(frozen=True)
class Folders:
    """`source` holds the manifest's images; `work` is what `work_folder(out)` gave."""

    source: Path
    out: Path
    work: Path


def write_dataset(
    plan: Plan,
    entries: Sequence[ImageEntry],
    facts: Mapping[str, Facts],
    folders: Folders,
    earlier: Sequence[Decision],
    info: dict,
    options: BuildOptions,
) -> None:
    """Write all files of the plan; what an earlier run wrote beyond them is removed.

    Args:
        entries: as read, those left out too; `facts`: by path in the source.
        earlier: decisions made on import.
        info: as it stands in every annotation file.
    """
    out = folders.out
    # From here on the folder changes; annotations of an earlier run would not fit it.
    for path in earlier_annotations(out):
        path.unlink()
    masks = {p.source: _mask_path(p) for p in plan.placements if p.clean}
    imported = {d.mask_path: _imported_mask(d.mask_path) for d in earlier if d.mask_path}
    planned = {f'images/{p.target}' for p in plan.placements} | {*masks.values()}
    with _only_planned(folders, planned | {*imported.values()}):
        _place(plan, folders, options)
        for mask, target in imported.items():
            copy_file(inner_path(folders.source, mask, FILE_NAME), out / target)
    earlier = [replace(d, mask_path=imported.get(d.mask_path, '')) for d in earlier]
    decisions = [replace(d, mask_path=_mask_of(d, masks)) for d in plan.decisions]
    write_decisions(out / FILE_NAME, [*earlier, *decisions])
    _write_review(plan, entries, facts, folders, (earlier, decisions), options)
    placed = plan.versions['']
    _write_placed_manifest(out / 'manifest.csv', placed)
    _write_split_table(out / 'split.csv', placed, plan.groups, plan.split)
    _write_summary(out / 'dataset.json', info, [*earlier, *decisions], plan)
    sizes = {p.target: p.size or _size(facts[p.source]) for p in plan.placements}
    for version in plan.versions:
        _write_annotations(out, version, plan, sizes, info, options.indent)


def _place(plan: Plan, folders: Folders, options: BuildOptions) -> None:
    with Journal(folders.work / 'placed.jsonl') as journal:
        place_images(
            plan.placements,
            folders.source,
            folders.out / 'images',
            folders.out / 'masks',
            journal,
            cleaned=folders.work / CLEANED,
            link=options.link,
            workers=options.workers,
        )
        journal.compact(p.target for p in plan.placements if not p.unchanged)
    shutil.rmtree(folders.work / CLEANED, ignore_errors=True)


def _write_review(
    plan: Plan,
    entries: Sequence[ImageEntry],
    facts: Mapping[str, Facts],
    folders: Folders,
    earlier_and_own: tuple[Sequence[Decision], Sequence[Decision]],
    options: BuildOptions,
) -> None:
    if not options.max_pages:
        return
    earlier, own = earlier_and_own
    write_review(
        folders.out,
        review_images(entries, plan, facts, folders.source, folders.out / 'images'),
        own,
        earlier=earlier,
        distances=review_distances(facts, options.cleansing),
        size_rule=review_size_rule(options.cleansing),
        max_pages=options.max_pages,
        workers=options.workers,
    )


@contextmanager
def _only_planned(folders: Folders, planned: set[str]) -> Iterator[None]:
    """After the block, files of earlier runs that are not planned any more are gone.

    What may be there is noted before anything is written, so that a run that was killed
    leaves nothing behind that a later one, with other options, would not know as its own.
    """
    table = folders.work / 'planned.txt'
    earlier = set(table.read_text(encoding='utf-8').splitlines()) if table.exists() else set()
    write_text(table, ''.join(f'{path}\n' for path in sorted(earlier | planned)))
    yield
    for path in earlier - planned:
        (folders.out / path).unlink(missing_ok=True)
    write_text(table, ''.join(f'{path}\n' for path in sorted(planned)))


def _mask_path(placement: Placement) -> str:
    return f'masks/{PurePosixPath(placement.target).with_suffix(".png")}'


def _imported_mask(path: str) -> str:
    return f'masks/{_IMPORTED}/{path.removeprefix("masks/")}'


def _mask_of(decision: Decision, masks: Mapping[str, str]) -> str:
    return masks.get(decision.image_path, '') if decision.action == 'cleaned' else ''


def _size(facts: Facts) -> tuple[int, int]:
    return facts.width, facts.height


def _write_summary(path: Path, info: dict, decisions: Sequence[Decision], plan: Plan) -> None:
    steps = Counter(f'{d.step}: {d.action}' for d in decisions)
    counts = {
        name: {split: count[split] for split in SPLITS}
        for name, count in counts_by_split(plan).items()
    }
    lesions: dict[str, dict[str, int]] = {}
    for (split, diagnosis), count in sorted(lesions_by_split(plan, '').items()):
        lesions.setdefault(split, {})[diagnosis] = count
    content = {**info, **counts, 'lesions': lesions, 'decisions': dict(sorted(steps.items()))}
    write_json(path, content, indent=2)


def earlier_annotations(out: Path) -> list[Path]:
    """Annotation files of an earlier run.

    Raises:
        InputError: if one was not written by this tool; somebody's annotations by hand are
            worth more than a new split.
    """
    names = (f'{split}{version}' for split in SPLITS for version in ('', TRUTH))
    found = [path for path in (_annotation_file(out, name) for name in names) if path.exists()]
    for path in found:
        content = read_json(path, 'a COCO annotation file')
        info = content.get('info') if isinstance(content, dict) else None
        if not isinstance(info, dict) or info.get('description') != WRITTEN_BY_US:
            raise input_error(
                path,
                'annotations that this tool did not write',
                'none, or its own',
                'give another --out, or move the file away',
            )
    return found


def _write_split_table(
    path: Path, entries: Sequence[ImageEntry], groups: Mapping[str, str], split: Mapping[str, str]
) -> None:
    """One row an image: what binds it to others, its group, and the group's split."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(SPLIT_COLUMNS)
    for entry in entries:
        image, group = entry.image, groups[entry.path]
        writer.writerow(
            [entry.path, image.patient_id, image.study_id, image.cluster_id, group, split[group]]
        )
    write_text(path, text.getvalue())


def _write_placed_manifest(path: Path, entries: Sequence[ImageEntry]) -> None:
    """The data set as a manifest over `images/`, to be prepared again."""

    def rows() -> Iterator:
        for entry in entries:
            for record in entry.records:
                yield replace(record, image_path=f'images/{record.image_path}')

    write_manifest(path, rows())


def _write_annotations(
    out: Path,
    version: str,
    plan: Plan,
    sizes: Mapping[str, tuple[int, int]],
    info: dict,
    indent: int | None,
) -> None:
    # One COCO file a split that has images; ids run through all of them.
    entries, split_of = plan.versions[version], plan.split_of
    ids = {entry.path: i for i, entry in enumerate(entries, start=1)}
    first_id = 1
    for name in SPLITS:
        part = [e for e in entries if split_of[e.path] == name]
        if not part:  # an empty file would only fail later, in training
            continue
        content = to_coco(
            part,
            sizes,
            ids,
            plan.classes,
            info={**info, 'split': name},
            first_annotation_id=first_id,
        )
        first_id += len(content['annotations'])
        write_json(_annotation_file(out, name + version), content, indent)


def _annotation_file(out: Path, name: str) -> Path:
    return out / 'annotations' / f'{name}.json'
