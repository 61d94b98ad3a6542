"""The COCO data set as a folder, from records and the images they name.

    OUT/annotations/{train,val,test}[_truth].json   `file_name` is relative to OUT/images
    OUT/images/...                                  the manifest's own paths
    OUT/split.csv                                   patient -> split
    OUT/manifest.csv                                the same data, over OUT/images

Everything is checked before anything is written, and the annotations come last: where they
are, the data set is whole. The same input gives the same bytes.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mmdet_liver import __version__, taxonomy
from mmdet_liver.coco_files import read_json
from mmdet_liver.errors import input_error
from mmdet_liver.files import write_json, write_text
from mmdet_liver.images import checked_size
from mmdet_liver.preparation.coco import to_coco
from mmdet_liver.preparation.entries import (
    ImageEntry,
    classes_of,
    dominant_diagnosis,
    fit_boxes,
    group_by_image,
    scale_boxes,
)
from mmdet_liver.preparation.manifest import Record, manifest_text, write_manifest
from mmdet_liver.preparation.parallel import map_files
from mmdet_liver.preparation.placing import place_image, shrunk_size
from mmdet_liver.preparation.splitting import SPLITS, split_hash, split_patients

_TRUTH = '_truth'
_WRITTEN_BY_US = 'written by mmdet_liver'


@dataclass(frozen=True)
class BuildOptions:
    """How a data set is built; what each does is told by `tools/prepare_data.py --help`."""

    seed: int = 0
    ratios: tuple[float, float, float] = (8, 1, 1)
    max_side: int | None = None
    clip_boxes: bool = False
    indent: int | None = None
    workers: int = 1


@dataclass(frozen=True)
class Built:
    """What was written; `lesions` counts (split, diagnosis), the others count by split."""

    classes: tuple[str, ...]
    images: Counter
    patients: Counter
    lesion_free: Counter
    lesions: Counter
    truth_lesions: Counter | None
    clipped_boxes: int


def build_dataset(
    records: Sequence[Record],
    image_root: str | Path,
    out: str | Path,
    *,
    truth: Sequence[Record] | None = None,
    source: object = 'manifest',
    options: BuildOptions = BuildOptions(),  # noqa: B008 (frozen)
) -> Built:
    """Check, split by patient, place the images and write the COCO files.

    Args:
        records: one a lesion or lesion-free image; paths are relative to `image_root`.
        truth: every lesion, those left out of `records` too; written as `*_truth.json` for
            the images of `records`. What it says beyond these images is left out.
        source: what to call the manifest in an error.
    Raises:
        InputError: for a missing or damaged image, a box outside its image, rows that
            contradict each other, diagnoses of two kinds, too few patients. Nothing has
            been written then.
    """
    image_root, out = Path(image_root), Path(out)
    if image_root.resolve() in (out.resolve(), (out / 'images').resolve()):
        # It would replace the source's own manifest or images.
        raise input_error(out, "the source's own folder", 'another folder', 'give another --out')
    versions = {'': group_by_image(records, source)}
    if truth is not None:
        versions[_TRUTH] = _matching(group_by_image(truth, 'truth'), versions[''], source)
    classes = classes_of([e for entries in versions.values() for e in entries], source)
    split = split_patients(dominant_diagnosis(versions['']), options.ratios, options.seed)
    old = _sizes(versions[''], image_root, options.workers)
    fitted = {
        name: [fit_boxes(e, old[e.path], source, clip_boxes=options.clip_boxes) for e in entries]
        for name, entries in versions.items()
    }
    new = {path: shrunk_size(size, options.max_side) for path, size in old.items()}
    scaled = {
        name: [scale_boxes(e, old[e.path], new[e.path]) for e in entries]
        for name, entries in fitted.items()
    }
    earlier = _earlier_annotations(out)
    # From here on the folder changes; annotations of an earlier run would not fit it.
    for path in earlier:
        path.unlink()
    place = partial(place_image, image_root, out / 'images')
    shrunk = [(path, None if size == old[path] else size) for path, size in new.items()]
    map_files(place, shrunk, label='placing images', workers=options.workers)
    _write_tables(out, scaled[''], split)
    info = _info(records, split, options)
    for version, entries in scaled.items():
        _write_coco(out, version, entries, new, classes, split, info, options.indent)
    return _summary(classes, versions, fitted, split)


def _earlier_annotations(out: Path) -> list[Path]:
    names = (f'{split}{version}' for split in SPLITS for version in ('', _TRUTH))
    found = [path for path in (_annotation_file(out, name) for name in names) if path.exists()]
    for path in found:
        # Somebody's annotations by hand are worth more than a new split.
        content = read_json(path, 'a COCO annotation file')
        info = content.get('info') if isinstance(content, dict) else None
        if not isinstance(info, dict) or info.get('description') != _WRITTEN_BY_US:
            raise input_error(
                path,
                'annotations that this tool did not write',
                'none, or its own',
                'give another --out, or move the file away',
            )
    return found


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


def _sizes(
    entries: Sequence[ImageEntry], image_root: Path, workers: int
) -> dict[str, tuple[int, int]]:
    paths = [image_root / entry.path for entry in entries]
    sizes = map_files(checked_size, paths, label='checking images', workers=workers)
    return {entry.path: size for entry, size in zip(entries, sizes, strict=True)}


def _write_tables(out: Path, entries: Iterable[ImageEntry], split: dict[str, str]) -> None:
    placed = [
        replace(record, image_path=f'images/{record.image_path}')
        for entry in entries
        for record in entry.records
    ]
    write_manifest(out / 'manifest.csv', placed)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['patient_id', 'split'])
    writer.writerows(sorted(split.items()))
    write_text(out / 'split.csv', text.getvalue())


def _info(records: Sequence[Record], split: dict[str, str], options: BuildOptions) -> dict:
    # No date and no path: the same input gives the same bytes.
    return {
        'description': _WRITTEN_BY_US,
        'version': __version__,
        'split_seed': options.seed,
        'split_ratios': list(options.ratios),
        'split_sha256': split_hash(split),
        'manifest_sha256': hashlib.sha256(manifest_text(records).encode()).hexdigest(),
        'max_side': options.max_side,
    }


def _write_coco(
    out: Path,
    version: str,
    entries: Sequence[ImageEntry],
    sizes: dict[str, tuple[int, int]],
    classes: tuple[taxonomy.Diagnosis, ...],
    split: dict[str, str],
    info: dict,
    indent: int | None,
) -> None:
    ids = {entry.path: i for i, entry in enumerate(entries, start=1)}
    used = set(split.values())
    first_id = 1
    for name in SPLITS:
        if name not in used:  # an empty file would only fail later, in training
            continue
        part = [e for e in entries if split[e.image.patient_id] == name]
        content = to_coco(
            part, sizes, ids, classes, info={**info, 'split': name}, first_annotation_id=first_id
        )
        first_id += len(content['annotations'])
        write_json(_annotation_file(out, name + version), content, indent)


def _annotation_file(out: Path, name: str) -> Path:
    return out / 'annotations' / f'{name}.json'


def _summary(
    classes: tuple[taxonomy.Diagnosis, ...],
    versions: dict[str, list[ImageEntry]],
    fitted: dict[str, list[ImageEntry]],
    split: dict[str, str],
) -> Built:
    def count_lesions(entries: Iterable[ImageEntry]) -> Counter:
        return Counter(
            (split[e.image.patient_id], lesion.diagnosis) for e in entries for lesion in e.lesions
        )

    entries = versions['']
    changed = [
        a.box != b.box
        for name in versions
        for before, after in zip(versions[name], fitted[name], strict=True)
        for a, b in zip(before.lesions, after.lesions, strict=True)
    ]
    return Built(
        classes=taxonomy.names(classes),
        images=Counter(split[e.image.patient_id] for e in entries),
        patients=Counter(split.values()),
        lesion_free=Counter(split[e.image.patient_id] for e in entries if not e.lesions),
        lesions=count_lesions(entries),
        truth_lesions=count_lesions(versions[_TRUTH]) if _TRUTH in versions else None,
        clipped_boxes=sum(changed),
    )
