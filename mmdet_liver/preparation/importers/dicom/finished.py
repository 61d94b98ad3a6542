"""Files that are done: what the journal of an import holds about them."""

from dataclasses import astuple, replace
from pathlib import Path

from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.dicom.one_file import FileResult
from mmdet_liver.preparation.importers.dicom.pictures import Rows
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.manifest import Record


def known_fingerprint(journal: Journal, key: str, out: Path) -> str | None:
    # Under which fingerprint a file was finished, if all that it gave is still there.
    fingerprint = journal.fingerprint(key)
    if fingerprint is None:
        return None
    rows, _ = from_json(journal.get(key, fingerprint))
    return fingerprint if all((out / path).exists() for path in files_of(rows)) else None


def files_of(rows: Rows | Imported) -> set[str]:
    masks = {decision.mask_path for decision in rows.decisions if decision.mask_path}
    return masks | {record.image_path for record in rows.records}


def to_json(result: FileResult) -> list:
    rows = result.rows
    return [
        *([astuple(row) for row in part] for part in (rows.records, rows.decisions)),
        result.burned_in,
    ]


def from_json(value: list) -> tuple[Rows, str]:
    records, decisions, burned_in = value
    restored = (Record(*row) for row in records)
    boxed = [replace(r, box=r.box and tuple(r.box)) for r in restored]
    return Rows(boxed, [Decision(*row) for row in decisions]), burned_in
