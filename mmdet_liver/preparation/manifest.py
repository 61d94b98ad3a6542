"""`manifest.csv`, the one file between every importer and the preparation of the data.

One row is one lesion, or one image without lesions (then `diagnosis` and the box are
empty). Rows of one image repeat the image's own columns. UTF-8 (a byte-order mark is
read over), comma-separated, a header line, columns as the fields of `Record`:

| column | meaning |
|---|---|
| manifest_version | 2; raised when a column is added or changes its meaning |
| image_path | relative to the manifest's folder, with `/` |
| patient_id, study_id | any text; empty where unknown; a patient's images never part |
| age, sex | whole years; `M`, `F`; empty where unknown |
| diagnosis | a name of `taxonomy`; empty in the row of a lesion-free image |
| x_min, y_min, x_max, y_max | box in pixels of the image, xyxy, the far edge exclusive |
| mm_per_pixel | empty where unknown |
| fully_annotated | 1: every lesion is annotated; 0: some may be missing; empty: unknown |
| ignore | 1: a lesion that counts neither way; otherwise 0 |
| cluster_id | near-duplicates share one; empty: none known; written by the cleansing |

Version 1 had no `cluster_id` and wanted a `patient_id` in every row; it is still read.
"""

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath

from mmdet_liver import taxonomy
from mmdet_liver.errors import input_error
from mmdet_liver.files import write_text

VERSION = 2
_READABLE = ('1', '2')


@dataclass(frozen=True, slots=True)
class Record:
    """One row; None stands for an empty cell."""

    image_path: str
    patient_id: str = ''
    study_id: str = ''
    age: int | None = None
    sex: str | None = None
    diagnosis: str | None = None
    box: tuple[float, float, float, float] | None = None
    mm_per_pixel: float | None = None
    fully_annotated: bool | None = None
    ignore: bool = False
    cluster_id: str = ''


_BOX = ('x_min', 'y_min', 'x_max', 'y_max')
COLUMNS = (
    'manifest_version',
    *(c for f in fields(Record) for c in (_BOX if f.name == 'box' else (f.name,))),
)


# Columns that an earlier version did not have.
_LATER = ('cluster_id',)


def write_manifest(path: str | Path, records: Iterable[Record]) -> None:
    """Write the rows in the given order; the file appears whole or not at all."""
    write_text(path, manifest_text(records))


def manifest_text(records: Iterable[Record]) -> str:
    """The content of the manifest; the same records give the same text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    writer.writerows(_to_cells(record) for record in records)
    return text.getvalue()


def read_manifest(path: str | Path) -> list[Record]:
    """Read and check every row.

    Raises:
        InputError: with file, line and column, for a missing column, an unknown
            version or diagnosis, a cell that does not parse, half a box, a box without
            area, or an image path that leaves the manifest's folder.
    """
    path = Path(path)
    rows = csv.DictReader(io.StringIO(_read_text(path), newline=''))
    try:
        missing = [c for c in COLUMNS if c not in (*(rows.fieldnames or ()), *_LATER)]
        if missing:
            raise input_error(
                f'{path}, line 1',
                f'no column {", ".join(missing)}',
                f'the columns {", ".join(COLUMNS)}',
                'write the manifest with an importer, or add the columns',
            )
        records = [_from_cells(row, f'{path}, line {rows.line_num}') for row in rows]
    except csv.Error as error:
        raise input_error(
            f'{path}, line {rows.line_num}', f'no CSV ({error})', 'comma-separated cells', 'mend it'
        ) from None
    if not records:
        raise input_error(path, 'no rows', 'at least one image', 'check the export it came from')
    return records


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise input_error(
            path, f'bytes that are not UTF-8 ({error.reason})', 'UTF-8', 'save it as UTF-8'
        ) from None
    except OSError as error:
        raise input_error(path, error.strerror, 'a manifest', 'check the path') from None


def _to_cells(record: Record) -> list[str]:
    cells = {f.name: getattr(record, f.name) for f in fields(Record)}
    cells['manifest_version'] = VERSION
    cells.update(zip(_BOX, cells.pop('box') or (None,) * 4, strict=True))
    return [_cell(cells[c]) for c in COLUMNS]


def _cell(value: object) -> str:
    if value is None:
        return ''
    if isinstance(value, bool):
        return str(int(value))
    # repr gives back the same number when it is read; a whole number needs no '.0'.
    return repr(value).removesuffix('.0') if isinstance(value, float) else str(value)


def _from_cells(row: dict[str, str], where: str) -> Record:
    row = dict.fromkeys(_LATER, '') | row
    if any(row[c] is None for c in COLUMNS):
        raise input_error(where, 'too few cells', f'{len(COLUMNS)} cells', 'mend the row')
    if row['manifest_version'] not in _READABLE:
        raise _bad_cell(row, where, 'manifest_version', ' or '.join(_READABLE))
    diagnosis = row['diagnosis'] or None
    if diagnosis and not taxonomy.is_known(diagnosis):
        raise _bad_cell(row, where, 'diagnosis', f'one of {", ".join(taxonomy.known_names())}')
    box = _box(row, where)
    if (box is None) != (diagnosis is None):
        raise input_error(
            where, 'a diagnosis without a box, or a box without one', 'both or neither', 'mend it'
        )
    return Record(
        image_path=_inner_path(row, where),
        patient_id=row['patient_id'],
        study_id=row['study_id'],
        age=_number(row, where, 'age', int, lowest=0),
        sex=_choice(row, where, 'sex', {'': None, 'M': 'M', 'F': 'F'}),
        diagnosis=diagnosis,
        box=box,
        mm_per_pixel=_number(row, where, 'mm_per_pixel', float, lowest=1e-6),
        fully_annotated=_choice(row, where, 'fully_annotated', {'': None, '0': False, '1': True}),
        ignore=_choice(row, where, 'ignore', {'': False, '0': False, '1': True}),
        cluster_id=row['cluster_id'],
    )


def _box(row: dict[str, str], where: str) -> tuple[float, float, float, float] | None:
    x_min, y_min, x_max, y_max = (_number(row, where, column, float) for column in _BOX)
    given = [v for v in (x_min, y_min, x_max, y_max) if v is not None]
    if not given:
        return None
    if len(given) < 4:
        raise input_error(where, f'a box of {len(given)} numbers', 'four or none', 'complete it')
    if x_max <= x_min or y_max <= y_min:
        raise input_error(
            where,
            f'the box {given}, which has no area',
            'x_min < x_max, y_min < y_max',
            'redraw it',
        )
    return x_min, y_min, x_max, y_max


def _number(
    row: dict[str, str], where: str, column: str, kind: type, lowest: float = -math.inf
) -> int | float | None:
    if not row[column]:
        return None
    try:
        value = kind(row[column])
    except ValueError:
        what = 'a whole number' if kind is int else 'a number'
        raise _bad_cell(row, where, column, f'{what} or nothing') from None
    if not math.isfinite(value) or value < lowest:
        at_least = f' of at least {lowest:g}' if lowest > -math.inf else ''
        raise _bad_cell(row, where, column, f'a finite number{at_least}')
    return value


def _choice(row: dict[str, str], where: str, column: str, choices: dict) -> object:
    if row[column] not in choices:
        raise _bad_cell(row, where, column, ' or '.join(c or 'nothing' for c in choices))
    return choices[row[column]]


def _inner_path(row: dict[str, str], where: str) -> str:
    path = PurePosixPath(row['image_path'])
    if not path.parts or path.is_absolute() or '..' in path.parts:
        raise _bad_cell(row, where, 'image_path', "a path inside the manifest's folder")
    return str(path)


def _bad_cell(row: dict[str, str], where: str, column: str, expected: str) -> Exception:
    return input_error(f'{where}, column {column}', repr(row[column]), expected, 'mend the cell')
