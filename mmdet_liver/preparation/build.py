"""The COCO data set as a folder, from records and the images they name.

    OUT/annotations/{train,val,test}[_truth].json   `file_name` is relative to OUT/images
    OUT/images/...                                  the manifest's own paths below images/
    OUT/masks/...                                   of removed marks, named as their images
    OUT/cleansing.csv                               every decision, with its reason
    OUT/split.csv                                   image -> group -> split
    OUT/manifest.csv                                the same data, over OUT/images
    OUT/review/                                     contact sheets of what was decided
    OUT/dataset.json                                options, counts, hashes
    OUT/.work/                                      what the next run need not do again

Everything is measured and checked before anything but .work is written, and the annotations
come last: where they are, the data set is whole. The same input gives the same bytes,
however often the run was killed on its way.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmdet_liver import __version__, taxonomy
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.cleansing.facts import Facts, measure_images
from mmdet_liver.preparation.decisions import Decision, write_decisions
from mmdet_liver.preparation.entries import ImageEntry, classes_of, group_by_image
from mmdet_liver.preparation.inside import inner_path
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.manifest import Record, manifest_text
from mmdet_liver.preparation.plan import (
    TRUTH,
    BuildOptions,
    Plan,
    counts_by_split,
    lesions_by_split,
    make_plan,
)
from mmdet_liver.preparation.splitting import split_hash
from mmdet_liver.preparation.work_folder import work_folder
from mmdet_liver.preparation.writing import (
    CLEANED,
    WRITTEN_BY_US,
    Folders,
    earlier_annotations,
    write_dataset,
)


@dataclass(frozen=True)
class Built:
    """What was written; counts by split, lesions by (split, diagnosis), steps by (step, action)."""

    classes: tuple[str, ...]
    images: Counter
    patients: Counter
    groups: Counter
    lesion_free: Counter
    lesions: Counter
    truth_lesions: Counter | None
    steps: Counter
    clipped_boxes: int
    warnings: list[str]


def build_dataset(
    records: Sequence[Record],
    image_root: str | Path,
    out: str | Path,
    *,
    truth: Sequence[Record] | None = None,
    earlier: Sequence[Decision] = (),
    source: object = 'manifest',
    options: BuildOptions = BuildOptions(),  # noqa: B008 (frozen)
) -> Built:
    """Measure, cleanse, split, place the images and write the COCO files.

    Args:
        records: one a lesion or lesion-free image; paths are relative to `image_root`.
        truth: every lesion, those left out of `records` too; written as `*_truth.json` for
            the images of `records`. What it says beyond these images is left out.
        earlier: what was decided on import; these rows come first in `cleansing.csv`.
        source: what to call the manifest in an error.
    Raises:
        InputError: for a missing or damaged image, a box outside its image, rows that
            contradict each other, diagnoses of two kinds, too few patients; the data set
            has not been touched then. For a full disk at any time.
    """
    image_root, out = Path(image_root), Path(out)
    if image_root.resolve() in (out.resolve(), (out / 'images').resolve()):
        # It would replace the source's own manifest or images.
        raise input_error(out, "the source's own folder", 'another folder', 'give another --out')
    versions = {'': group_by_image(records, source)}
    if truth is not None:
        versions[TRUTH] = _matching(group_by_image(truth, 'truth'), versions[''], source)
    classes = classes_of([e for entries in versions.values() for e in entries], source)
    _check_review(options, versions[''], source)
    paths = [entry.path for entry in versions['']]
    for path in paths:
        inner_path(image_root, path, source)
    earlier_annotations(out)  # refuses somebody else's before an hour of measuring
    with work_folder(out) as work:
        with Journal(work / 'measured.jsonl') as journal:
            facts = measure_images(
                paths,
                image_root,
                journal,
                cleaned=None if 'marks' in options.cleansing.skip else work / CLEANED,
                workers=options.workers,
            )
            journal.compact(paths)
        _require_readable(facts, image_root, out, options)
        plan = make_plan(versions, classes, facts, options, source)
        folders = Folders(image_root, out, work)
        info = _info(records, plan, options)
        write_dataset(plan, versions[''], facts, folders, earlier, info, options)
    return _summary(plan, earlier)


def _matching(
    truth: Sequence[ImageEntry], entries: Sequence[ImageEntry], source: object
) -> list[ImageEntry]:
    by_path = {entry.path: entry for entry in truth}
    matched = []
    for entry in entries:
        full = by_path.get(entry.path)
        if full is None or full.image.patient_id != entry.image.patient_id:
            found = 'no such image' if full is None else f'patient {full.image.patient_id!r}'
            raise input_error(
                f'truth, image {entry.path}',
                found,
                f'every image of {source}, of the same patient ({entry.image.patient_id!r})',
                'give the truth that belongs to the manifest',
            )
        matched.append(full)
    return matched


def _check_review(options: BuildOptions, entries: Sequence[ImageEntry], source: object) -> None:
    unknown = options.review.keys() - {entry.path for entry in entries}
    if unknown:
        raise input_error(
            'the review',
            f'{len(unknown)} images that {source} does not name, the first {min(unknown)}',
            'image paths of that manifest',
            'give the review that belongs to it',
        )


def _require_readable(
    facts: Mapping[str, Facts], image_root: Path, out: Path, options: BuildOptions
) -> None:
    problems = {path: fact.problem for path, fact in facts.items() if fact.problem}
    table = out / 'unreadable.csv'
    table.unlink(missing_ok=True)
    if not problems or options.cleansing.skip_unreadable:
        return
    write_decisions(table, [Decision(p, 'readable', 'flagged', why) for p, why in problems.items()])
    path, problem = next(iter(problems.items()))
    more = f' (and {len(problems) - 1} more such files, see {table})' if len(problems) > 1 else ''
    raise input_error(
        image_root / path,
        problem + more,
        'a whole image',
        'restore it, or leave such files out with --skip-unreadable',
    )


def _info(records: Sequence[Record], plan: Plan, options: BuildOptions) -> dict:
    # No date and no path: the same input gives the same bytes.
    cleansing = asdict(options.cleansing)
    cleansing['skip'] = sorted(cleansing['skip'])
    return {
        'description': WRITTEN_BY_US,
        'version': __version__,
        'split_seed': options.seed,
        'split_ratios': list(options.ratios),
        'split_by': 'image' if options.by_image else 'group',
        'split_sha256': split_hash(plan.split),
        'manifest_sha256': hashlib.sha256(manifest_text(records).encode()).hexdigest(),
        'max_side': options.max_side,
        'cleansing': cleansing,
    }


def _summary(plan: Plan, earlier: Sequence[Decision]) -> Built:
    return Built(
        classes=taxonomy.names(plan.classes),
        **counts_by_split(plan),
        lesions=lesions_by_split(plan, ''),
        truth_lesions=lesions_by_split(plan, TRUTH) if TRUTH in plan.versions else None,
        steps=Counter((d.step, d.action) for d in [*earlier, *plan.decisions]),
        clipped_boxes=plan.clipped_boxes,
        warnings=plan.warnings,
    )
