"""Lesions of DICOM frames, from a CSV table.

A row names its file in `image_path`, by the path below the export's folder or by the
SOPInstanceUID, and its frame in `frame`, counted from 0 (the default). Boxes are in pixels of
the frame as it is stored, before any crop. The other columns, words and encodings are those
of the csv importer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.preparation.importers.source_files import SourceFiles
from mmdet_liver.preparation.importers.table_columns import pick_columns
from mmdet_liver.preparation.importers.table_file import Table, read_table
from mmdet_liver.preparation.importers.vocabulary import BOX_FIELDS, Vocabulary

FRAME = 'frame'
_VALUES = (*BOX_FIELDS, 'fully_annotated', 'ignore')


@dataclass(frozen=True, slots=True)
class Annotation:
    """One lesion, or with neither diagnosis nor box a frame without any.

    `box` is xyxy in pixels of the stored frame; `where` is the row's place, for errors.
    """

    where: str
    frame: int
    diagnosis: str | None
    box: tuple[float, float, float, float] | None
    fully_annotated: bool | None
    ignore: bool


def read_annotations(
    path: str | Path, columns: Mapping[str, str], vocabulary: Vocabulary
) -> dict[str, list[Annotation]]:
    """What the table calls a file -> its rows, in their order.

    Args:
        columns: field -> header, for columns that are not named as the fields.
    Raises:
        InputError: names the line or column of what cannot be read.
    """
    table = read_table(path)
    named = {name: header for name, header in columns.items() if name != FRAME}
    indices = pick_columns(table.header, named, table.path)
    frames = _frames(table, columns.get(FRAME, FRAME))
    values = {
        name: _read(table, indices[name], name, vocabulary) for name in _VALUES if name in indices
    }
    diagnoses = _diagnoses(table, indices.get('diagnosis'), vocabulary)
    found: dict[str, list[Annotation]] = {}
    for i, (line, cells) in enumerate(table.rows):
        where = f'{table.path}, line {line}'
        row = _annotation(where, frames[i], diagnoses[i], {n: v[i] for n, v in values.items()})
        found.setdefault(cells[indices['image_path']], []).append(row)
    return found


def by_path(
    annotations: Mapping[str, Sequence[Annotation]],
    files: SourceFiles,
    uids: Callable[[], Mapping[str, Sequence[str]]],
) -> dict[str, tuple[Annotation, ...]]:
    """The rows of each file of the export.

    Args:
        uids: makes SOPInstanceUID -> paths of the files; called only if it is needed.
    Raises:
        InputError: if a row names no file, or a file outside the folder.
    """
    rows_of: dict[str, list[Annotation]] = {}
    others = []
    for key, rows in annotations.items():
        path = files.find(key, rows[0].where)
        if path is None:
            others.append(key)
        else:
            rows_of.setdefault(path, []).extend(rows)
    paths_of = uids() if others else {}
    unknown = [key for key in others if key not in paths_of]
    if unknown:
        raise input_error(
            annotations[unknown[0]][0].where,
            f'{unknown[0]!r}, which is no file (and {len(unknown) - 1} more like it)',
            f'a path below {files.folder}, or the SOPInstanceUID of a file there',
            'restore the files, or drop the rows',
        )
    for key in others:
        for path in paths_of[key]:
            rows_of.setdefault(path, []).extend(annotations[key])
    for rows in rows_of.values():
        _check_frames(rows)
    return {path: tuple(rows) for path, rows in rows_of.items()}


def _frames(table: Table, header: str) -> list[int]:
    if header not in table.header:
        return [0] * len(table.rows)
    index = table.header.index(header)
    for line, cells in table.rows:
        if cells[index] and not cells[index].isdecimal():
            raise input_error(
                f'{table.path}, line {line}, column {header!r}',
                repr(cells[index]),
                'the number of a frame, counted from 0, or nothing',
                'mend the cell',
            )
    return [int(cells[index] or 0) for _, cells in table.rows]


def _diagnoses(table: Table, index: int | None, vocabulary: Vocabulary) -> list[str | None]:
    if index is None:
        return [None] * len(table.rows)
    texts = [cells[index] for _, cells in table.rows]
    meanings = vocabulary.read_diagnoses(texts, _column(table, index))
    return [meanings[text] or None for text in texts]


def _read(table: Table, index: int, name: str, vocabulary: Vocabulary) -> list:
    texts = [cells[index] for _, cells in table.rows]
    meanings = vocabulary.read(name, texts, _column(table, index))
    return [meanings[text] for text in texts]


def _column(table: Table, index: int) -> str:
    return f'{table.path}, column {table.header[index]!r}'


def _annotation(where: str, frame: int, diagnosis: str | None, values: Mapping) -> Annotation:
    box = _box(values, where)
    if (box is None) != (diagnosis is None):
        raise input_error(
            where, 'a diagnosis without a box, or a box without one', 'both or neither', 'mend it'
        )
    return Annotation(
        where, frame, diagnosis, box, values.get('fully_annotated'), bool(values.get('ignore'))
    )


def _box(values: Mapping, where: str) -> tuple[float, float, float, float] | None:
    given = [values[name] for name in BOX_FIELDS if values.get(name) is not None]
    if not given:
        return None
    if len(given) < 4:
        raise input_error(where, f'a box of {len(given)} numbers', 'four or none', 'complete it')
    x_min, y_min, x_end, y_end = given
    if 'width' in values:
        x_end, y_end = x_min + x_end, y_min + y_end
    if x_end <= x_min or y_end <= y_min:
        raise input_error(where, f'the box {given}', 'a box with an area', 'redraw it')
    return x_min, y_min, x_end, y_end


def _check_frames(rows: Sequence[Annotation]) -> None:
    first: dict[int, Annotation] = {}
    for row in rows:
        earlier = first.setdefault(row.frame, row)
        if row.fully_annotated != earlier.fully_annotated:
            raise input_error(
                row.where,
                f'fully_annotated other than in {earlier.where}, of the same frame',
                'one value a frame',
                'correct it',
            )
