"""A folder of DICOM files into images and the two tables; killed, it goes on where it was.

    OUT/images/ab/abcdef....png    an image, named by a keyed hash of its file and frame
    OUT/masks/ab/abcdef....png     255 where marks were removed from the image of that name
    OUT/cleansing.csv              what was left out, cleaned, or is in doubt
    OUT/manifest.csv               last: where it is, the import is complete
    OUT/.work/dicom.jsonl          what the next run need not do again

Of several pictures of tissue in one frame the names end in -1, -2, ...
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mmdet_liver.errors import InputError, input_error
from mmdet_liver.preparation.decisions import FILE_NAME, Decision
from mmdet_liver.preparation.importers.dicom.annotations import (
    Annotation,
    by_path,
    read_annotations,
)
from mmdet_liver.preparation.importers.dicom.finished import (
    files_of,
    from_json,
    known_fingerprint,
    to_json,
)
from mmdet_liver.preparation.importers.dicom.frames import MASKS, Place
from mmdet_liver.preparation.importers.dicom.header import is_dicom, sop_instance_uid
from mmdet_liver.preparation.importers.dicom.one_file import Source, import_file
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.dicom.pictures import Export, Rows
from mmdet_liver.preparation.importers.dicom.unreadable import UnreadableError
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.importers.import_folder import check_folders
from mmdet_liver.preparation.importers.imported import IMAGES, MANIFEST, Imported, write_tables
from mmdet_liver.preparation.importers.source_files import SourceFiles
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.parallel import map_files, map_in_order
from mmdet_liver.preparation.work_folder import work_folder

_JOURNAL = 'dicom.jsonl'
_CLAIM = ''  # the journal's line about whose import this is; no file has this name
_OURS = re.compile(r'[0-9a-f]{20}(-\d+)?\.png')
_NAMED = 3  # damaged files that an error names


@dataclass(frozen=True)
class DicomImport(Imported):
    """The tables as they were written, hashed; and how many files say what of burned-in text."""

    burned_in: Mapping[str, int] = field(default_factory=dict)


def import_dicom(
    folder: str | Path,
    out: str | Path,
    identity: Identity,
    options: DicomOptions = DicomOptions(),  # noqa: B008 (frozen)
) -> DicomImport:
    """Import every DICOM picture below `folder` into `out`, the tables last.

    Every file is tried before damaged ones end the run; all others need not be done again.
    Raises:
        InputError: for folders that are not as they must be, annotations that do not fit,
            and damaged files (unless they are to be skipped).
    """
    folder, out = Path(folder), Path(out)
    check_folders(folder, out)
    files = SourceFiles(folder)
    paths = sorted((p for p in files.paths if not files.leads_out(p)), key=identity.image)
    annotations = _annotations(files, paths, options)
    export = Export(folder, out, identity, options)
    with work_folder(out) as work, Journal(work / _JOURNAL) as journal:
        _claim(out, journal, paths, identity)
        # From here on the folder changes; with a manifest it would look complete.
        for name in (MANIFEST, FILE_NAME):
            (out / name).unlink(missing_ok=True)
        done = _import_files(export, paths, annotations, journal)
        if done.unreadable and not options.skip_unreadable:
            raise _damaged(folder, done.unreadable)
        imported = done.tables([p for p in files.paths if files.leads_out(p)], identity)
        if not imported.records:
            raise _nothing(folder, imported)
        journal.compact([_CLAIM, *done.keys])
        _remove_others(out, imported)
        write_tables(out, imported)
    return imported


@dataclass
class _Done:
    """What became of all files so far; `unreadable` are path -> (reason, detail)."""

    rows: Rows = field(default_factory=Rows)
    burned_in: Counter = field(default_factory=Counter)
    keys: list[str] = field(default_factory=list)
    unreadable: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, rows: Rows, burned_in: str) -> None:
        self.rows.records += rows.records
        self.rows.decisions += rows.decisions
        self.burned_in.update([burned_in] if burned_in else [])

    def tables(self, links: Iterable[str], identity: Identity) -> DicomImport:
        """All rows by image path: the order of the export's own names may tell of them."""
        left_out = [(path, 'readable', reason) for path, (reason, _) in self.unreadable.items()]
        left_out += [(path, 'import', 'a link that leads out of the folder') for path in links]
        decisions = [
            Decision(Place(identity.image(path)).image_path, step, 'left out', why)
            for path, step, why in left_out
        ]
        return DicomImport(
            sorted(self.rows.records, key=lambda record: record.image_path),
            sorted([*self.rows.decisions, *decisions], key=lambda d: d.image_path),
            dict(sorted(self.burned_in.items())),
        )


def _import_files(
    export: Export,
    paths: Sequence[str],
    annotations: Mapping[str, tuple[Annotation, ...]],
    journal: Journal,
) -> _Done:
    keys = [export.identity.image(path) for path in paths]
    sources = [
        Source(path, annotations.get(path, ()), known_fingerprint(journal, key, export.out))
        for path, key in zip(paths, keys, strict=True)
    ]
    results = map_in_order(
        partial(import_file, export),
        sources,
        label='importing',
        unit='file',
        workers=min(export.options.workers, len(sources)),
    )
    done = _Done()
    for path, key, result in zip(paths, keys, results, strict=True):
        if result.unreadable:
            done.unreadable[path] = (result.unreadable, result.detail)
            continue
        if result.rows is None:
            done.add(*from_json(journal.get(key, result.fingerprint)))
        else:
            done.add(result.rows, result.burned_in)
        if result.fingerprint:
            done.keys.append(key)
            if result.rows is not None:
                journal.add(key, result.fingerprint, to_json(result))
    return done


def _annotations(
    files: SourceFiles, paths: Sequence[str], options: DicomOptions
) -> dict[str, tuple[Annotation, ...]]:
    if options.annotations is None:
        return {}
    rows = read_annotations(options.annotations, options.columns, options.vocabulary)
    return by_path(rows, files, partial(_paths_by_uid, files.folder, paths, options.workers))


def _paths_by_uid(folder: Path, paths: Sequence[str], workers: int) -> dict[str, list[str]]:
    uids = map_files(
        partial(_uid, folder), paths, label='looking for SOPInstanceUIDs', workers=workers
    )
    found: dict[str, list[str]] = {}
    for path, uid in zip(paths, uids, strict=True):
        found.setdefault(uid, []).append(path)
    return found


def _uid(folder: Path, path: str) -> str:
    try:
        with (folder / path).open('rb') as file:
            return sop_instance_uid(file) if is_dicom(file) else ''
    except (OSError, UnreadableError):
        return ''  # what is wrong with it is told when it is imported


def _claim(out: Path, journal: Journal, paths: Sequence[str], identity: Identity) -> None:
    # What is there must be of this key and this export, since the rest is removed.
    mine = identity.image(_CLAIM)
    is_new = not (out / MANIFEST).exists() and not (out / IMAGES).exists()
    is_mine = journal.fingerprint(_CLAIM) == mine and (
        not (out / MANIFEST).exists()
        or any(journal.fingerprint(identity.image(path)) for path in paths)
    )
    if not is_new and not is_mine:
        raise input_error(
            out,
            'images of another import',
            'a new folder, or one that the same import with the same key wrote',
            'give another --out, or delete the folder if it is not needed',
        )
    if not is_mine:
        journal.add(_CLAIM, mine, None)


def _remove_others(out: Path, imported: Imported) -> None:
    # Of frames that earlier options took, and of files that are no longer in the export.
    ours = files_of(imported)
    for parent in (IMAGES, MASKS):
        for path in (out / parent).glob('??/*.png'):
            name = f'{parent}/{path.parent.name}/{path.name}'
            if _OURS.fullmatch(path.name) and name not in ours:
                path.unlink()


def _nothing(folder: Path, imported: Imported) -> InputError:
    reasons = Counter(decision.reason for decision in imported.decisions).most_common(_NAMED)
    return input_error(
        folder,
        f'no picture ({", ".join(f"{n}x {why}" for why, n in reasons) or "no file"})',
        'at least one ultrasound image',
        'check the folder, --modality and --annotations',
    )


def _damaged(folder: Path, unreadable: Mapping[str, tuple[str, str]]) -> InputError:
    first = [f'{path}: {unreadable[path][1]}' for path in sorted(unreadable)[:_NAMED]]
    more = f'; and {len(unreadable) - _NAMED} more' if len(unreadable) > _NAMED else ''
    return input_error(
        folder,
        f'{len(unreadable)} damaged files ({"; ".join(first)}{more})',
        'whole ones; all others are done',
        'restore them and run the same command again, or leave them out with --skip-unreadable',
    )
