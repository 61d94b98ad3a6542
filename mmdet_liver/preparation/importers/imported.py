"""What an importer hands over, and the end of every import: the two tables, manifest last."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.preparation.decisions import FILE_NAME, Decision, write_decisions
from mmdet_liver.preparation.manifest import Record, write_manifest

MANIFEST, IMAGES = 'manifest.csv', 'images'


@dataclass(frozen=True)
class Imported:
    """Rows with the export's own names and paths, and what was left out or is in doubt."""

    records: Sequence[Record]
    decisions: Sequence[Decision] = ()


def write_tables(out: Path, imported: Imported) -> None:
    """Write `cleansing.csv` (where there is a decision) and `manifest.csv` into `out`.

    The names must have been hashed. Where the manifest is, the import is complete.
    """
    if imported.decisions:
        write_decisions(out / FILE_NAME, imported.decisions)
    else:
        (out / FILE_NAME).unlink(missing_ok=True)
    write_manifest(out / MANIFEST, imported.records)
