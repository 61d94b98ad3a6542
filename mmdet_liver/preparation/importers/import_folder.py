"""The end of an import: names are hashed, images placed, tables written.

    OUT/images/ab/abcdef....png     named by a keyed hash, see `identity`
    OUT/cleansing.csv               what was left out or is in doubt
    OUT/manifest.csv                last: where it is, the import is complete

No name, path or text of the source reaches OUT. Killed and run again it goes on where it was.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from mmdet_liver.errors import input_error
from mmdet_liver.preparation.decisions import FILE_NAME, Decision
from mmdet_liver.preparation.entries import group_by_image
from mmdet_liver.preparation.importers.copying import Copied, copy_image
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.importers.imported import IMAGES, MANIFEST, Imported, write_tables
from mmdet_liver.preparation.importers.source_files import IMAGE_SUFFIXES
from mmdet_liver.preparation.inside import inner_path
from mmdet_liver.preparation.manifest import Record, read_manifest
from mmdet_liver.preparation.parallel import map_files
from mmdet_liver.preparation.work_folder import work_folder


@dataclass(frozen=True)
class ImportOptions:
    """What each does is told by `tools/import_data.py csv --help`."""

    link: bool = False
    strip_metadata: bool = False
    patient_from: re.Pattern | None = None
    workers: int = 1


def check_folders(source: str | Path, out: str | Path) -> None:
    """InputError unless `source` is a folder and neither lies in the other."""
    source, out = Path(source), Path(out)
    if not source.is_dir():
        raise input_error(source, 'no such folder', "the export's folder", 'check the path')
    inner, outer = out.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise input_error(
            out, f'a folder inside {source}, or around it', 'one apart', 'give another --out'
        )


def import_folder(
    imported: Imported,
    source: str | Path,
    out: str | Path,
    identity: Identity,
    options: ImportOptions = ImportOptions(),  # noqa: B008 (frozen)
) -> Imported:
    """Write the import into `out`; return what the tables hold.

    Args:
        imported: with the export's own names, paths relative to `source`.
    Raises:
        InputError: for no image, rows of an image that contradict each other, a path out
            of `source`, a `patient_from` that no path matches, an `out` that holds another
            import. Nothing has been changed then.
    """
    source, out = Path(source), Path(out)
    check_folders(source, out)
    records = _with_patients(imported.records, options.patient_from)
    paths = [entry.path for entry in group_by_image(records, source)]
    for path in paths:
        inner_path(source, path, source)
    decided = {path for d in imported.decisions for path in (d.image_path, d.other_image)}
    stems = {path: identity.image(path) for path in {*paths, *decided} if path}
    with work_folder(out):
        _check_out(out, set(stems.values()))
        # Until the tables are written anew the folder must not look complete.
        for name in (MANIFEST, FILE_NAME):
            (out / name).unlink(missing_ok=True)
        # In the order of the new names, so that no date tells the order of the old ones.
        items = sorted(((path, stems[path]) for path in paths), key=lambda item: item[1])
        copy = partial(copy_image, source, out / IMAGES, options.link, options.strip_metadata)
        copied = map_files(copy, items, label='placing images', workers=options.workers)
        done = {path: result for (path, _), result in zip(items, copied, strict=True)}
        _remove_others(out / IMAGES, {result.name for result in copied})
        decisions = [*imported.decisions, *_on_metadata(done)]
        result = _renamed(Imported(records, decisions), done, stems, identity)
        write_tables(out, result)
    return result


def _with_patients(records: Sequence[Record], patient_from: re.Pattern | None) -> list[Record]:
    """The records, those of unknown patients with the pattern's first group in their path."""
    if patient_from is None:
        return list(records)
    named = []
    for record in records:
        match = None if record.patient_id else patient_from.search(record.image_path)
        named.append(replace(record, patient_id=match[1] or '') if match else record)
    if not any(record.patient_id for record in named):
        example = f', such as {records[0].image_path!r}' if records else ''
        raise input_error(
            f'--patient-from {patient_from.pattern}',
            f'no match in any of the paths{example}',
            'a pattern whose first group is the patient',
            'mend the pattern',
        )
    return named


def _check_out(out: Path, stems: set[str]) -> None:
    held = [path for path in _files_below(out / IMAGES) if _stem(path) not in stems]
    if (out / MANIFEST).exists():
        prefix = f'{IMAGES}/'
        named = {record.image_path for record in read_manifest(out / MANIFEST)}
        held += [p for p in sorted(named) if _stem(p.removeprefix(prefix)) not in stems]
    if held:
        raise input_error(
            out,
            f'{len(held)} images of another import ({held[0]})',
            'a new folder, or one that the same import with the same key wrote',
            'give another --out, or delete the folder if it is not needed',
        )


def _remove_others(images: Path, names: set[str | None]) -> None:
    # An earlier run took images that this one leaves out, or under another suffix.
    for path in _files_below(images):
        if path not in names:
            (images / path).unlink()


def _files_below(folder: Path) -> list[str]:
    return sorted(
        (Path(parent).relative_to(folder) / name).as_posix()
        for parent, _, names in os.walk(folder)
        for name in names
    )


def _stem(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(''))


def _on_metadata(done: Mapping[str, Copied]) -> list[Decision]:
    decisions = []
    for path, copied in done.items():
        kinds = ', '.join(copied.metadata)
        if copied.name is None:
            what = 'left out', f'{kinds}: may hold a name, and cannot be taken out'
        elif copied.stripped:
            what = 'cleaned', f'{kinds}: taken out; the pixels are unchanged'
        else:
            what = 'flagged', f'{kinds}: may hold a name; --strip-metadata takes it out'
        if kinds:
            decisions.append(Decision(path, 'metadata', *what))
    return decisions


def _renamed(
    imported: Imported, done: Mapping[str, Copied], stems: Mapping[str, str], identity: Identity
) -> Imported:
    """By new name, which also hides the order that the old names were in."""

    def name_of(path: str) -> str:
        if path in done and done[path].name:
            return f'{IMAGES}/{done[path].name}'
        suffix = PurePosixPath(path).suffix.lower()
        return f'{IMAGES}/{stems[path]}{suffix if suffix in IMAGE_SUFFIXES else ""}'

    records = [
        replace(
            record,
            image_path=name_of(record.image_path),
            patient_id=identity.patient(record.patient_id),
            study_id=identity.study(record.patient_id, record.study_id),
        )
        for record in imported.records
        if done[record.image_path].name
    ]
    decisions = [
        replace(
            decision,
            image_path=name_of(decision.image_path),
            other_image=decision.other_image and name_of(decision.other_image),
        )
        for decision in imported.decisions
    ]
    return Imported(_sorted(records), _sorted(decisions))


def _sorted(rows: Iterable[Record | Decision]) -> list:
    return sorted(rows, key=lambda row: row.image_path)
