"""A folder of images with a CSV table of the hospital's own column names.

A row is a lesion, or an image without one. Which column holds what, and what its words mean,
the user says; a column that is named as a field of the manifest needs no word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmdet_liver.errors import input_error
from mmdet_liver.preparation.importers.gathering import gather
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.importers.source_files import SourceFiles
from mmdet_liver.preparation.importers.table_columns import pick_columns
from mmdet_liver.preparation.importers.table_file import Table, read_table
from mmdet_liver.preparation.importers.vocabulary import BOX_FIELDS, DROPPED, Vocabulary
from mmdet_liver.preparation.manifest import Record

_TEXTS = ('image_path', 'patient_id', 'study_id')
_OF_THE_IMAGE = ('patient_id', 'study_id', 'age', 'sex', 'mm_per_pixel', 'fully_annotated')
_NO_LESION = 'a word for no lesion'
_UNBOXED = 'a diagnosis without a box'


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How the table is read; what each does is told by `tools/import_data.py csv --help`."""

    columns: Mapping[str, str]  # field -> header
    encoding: str | None = None
    delimiter: str = ','
    include_unlisted: bool = False
    skip_unboxed: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """`left_out`: why its image is not taken; `no_lesion`: the table says so in a word."""

    line: int
    record: Record
    left_out: str = ''
    no_lesion: bool = False


def import_csv(
    folder: str | Path,
    table: str | Path,
    options: TableOptions,
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 (frozen)
) -> Imported:
    """One record for each lesion and each lesion-free image; nothing is written.

    Args:
        folder: what the table's image paths are relative to.
    Raises:
        InputError: names the table's line or column of what cannot be read, of an image
            that is missing or outside the folder, and of rows that contradict each other.
    """
    content = read_table(table, encoding=options.encoding, delimiter=options.delimiter)
    files = SourceFiles(folder)
    rows = _read_rows(content, files, options, vocabulary)
    _check_rows_of_images(content, rows)
    left_out = {row.record.image_path: row.left_out for row in rows if row.left_out}
    return gather(
        [row.record for row in rows], left_out, files, include_unlisted=options.include_unlisted
    )


def _read_rows(
    table: Table, files: SourceFiles, options: TableOptions, vocabulary: Vocabulary
) -> list[_Row]:
    columns = pick_columns(table.header, options.columns, table.path)
    values = {name: _read_column(table, name, index, vocabulary) for name, index in columns.items()}
    values['image_path'] = _find_images(table, values['image_path'], files)
    names = tuple(values)
    return [
        _row(f'{table.path}, line {line}', line, dict(zip(names, cells, strict=True)), options)
        for (line, _), cells in zip(table.rows, zip(*values.values(), strict=True), strict=True)
    ]


def _read_column(table: Table, name: str, index: int, vocabulary: Vocabulary) -> list:
    texts = [cells[index] for _, cells in table.rows]
    if name in _TEXTS:
        return texts
    where = f'{table.path}, column {table.header[index]!r}'
    if name != 'diagnosis':
        meanings = vocabulary.read(name, texts, where)
        return [meanings[text] for text in texts]
    meanings = vocabulary.read_diagnoses(texts, where)
    for text, meaning in meanings.items():
        if meaning == '' and vocabulary.says('diagnosis', text):
            meanings[text] = _NO_LESION
    return [meanings[text] for text in texts]


def _find_images(table: Table, texts: Sequence[str], files: SourceFiles) -> list[str]:
    lines: dict[str, int] = {}
    for (line, _), text in zip(table.rows, texts, strict=True):
        lines.setdefault(text, line)
    found = {text: files.find(text, f'{table.path}, line {n}') for text, n in lines.items()}
    missing = [text for text, path in found.items() if path is None]
    if missing:
        others = f', nor those of {len(missing) - 1} more rows' if len(missing) > 1 else ''
        raise input_error(
            f'{table.path}, line {lines[missing[0]]}',
            f'no image {missing[0]!r}{others}',
            f'a file below {files.folder}',
            'restore the files, or drop the rows',
        )
    return [found[text] for text in texts]


def _row(where: str, line: int, cells: Mapping[str, Any], options: TableOptions) -> _Row:
    diagnosis = cells.get('diagnosis', '')
    image = Record(
        image_path=cells['image_path'],
        **{name: cells[name] for name in _OF_THE_IMAGE if name in cells},
    )
    if diagnosis is None:
        return _Row(line, image, left_out=DROPPED)
    if diagnosis == _NO_LESION:
        return _Row(line, image, no_lesion=True)
    box = _box(cells, where)
    if diagnosis and box:
        ignore = bool(cells.get('ignore'))
        return _Row(line, replace(image, diagnosis=diagnosis, box=box, ignore=ignore))
    if diagnosis and options.skip_unboxed:
        return _Row(line, image, left_out=_UNBOXED)
    if diagnosis or box:
        raise input_error(
            where,
            _UNBOXED if diagnosis else 'a box without a diagnosis',
            'both or neither',
            'complete the row, or leave such images out with --skip-unboxed'
            if diagnosis
            else "complete the row, or say what it means with --value 'diagnosis:=TO'",
        )
    return _Row(line, image)


def _box(cells: Mapping[str, Any], where: str) -> tuple[float, float, float, float] | None:
    given = [cells[name] for name in BOX_FIELDS if cells.get(name) is not None]
    if not given:
        return None
    if len(given) < 4:
        raise input_error(where, f'a box of {len(given)} numbers', 'four or none', 'complete it')
    x_min, y_min, x_end, y_end = given
    box = (x_min, y_min, x_end, y_end)
    if 'width' in cells:
        box = (x_min, y_min, x_min + x_end, y_min + y_end)
    if box[2] <= box[0] or box[3] <= box[1]:
        raise input_error(
            where, f'the box {given}, which has no area', 'a box with an area', 'redraw it'
        )
    return box


def _check_rows_of_images(table: Table, rows: Iterable[_Row]) -> None:
    first: dict[str, _Row] = {}
    for row in rows:
        earlier = first.setdefault(row.record.image_path, row)
        where = f'{table.path}, line {row.line} against line {earlier.line}'
        for name in _OF_THE_IMAGE:
            here, there = getattr(row.record, name), getattr(earlier.record, name)
            if here != there:
                raise input_error(
                    where, f'{name} {here!r} and {there!r} of one image', 'one value', 'correct it'
                )
        if _is_silent(row) != _is_silent(earlier):
            raise input_error(
                where,
                'a row without a diagnosis beside one with, of one image',
                'only rows with a diagnosis, or one row without',
                'drop one of them',
            )


def _is_silent(row: _Row) -> bool:
    return not (row.record.diagnosis or row.left_out or row.no_lesion)
