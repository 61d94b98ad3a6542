"""A hospital's CSV as rows of text, whatever wrote it."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error

_MARKS = ((b'\xef\xbb\xbf', 'utf-8-sig'), (b'\xff\xfe', 'utf-16'), (b'\xfe\xff', 'utf-16'))


@dataclass(frozen=True)
class Table:
    """`rows` are (number of the row's last line, its cells), as many cells as the header."""

    path: Path
    header: tuple[str, ...]
    rows: list[tuple[int, list[str]]]


def read_table(path: str | Path, *, encoding: str | None = None, delimiter: str = ',') -> Table:
    """Read all rows; blanks around cells, and rows of empty cells, are left out.

    Args:
        encoding: as Python names it; None takes a byte-order mark's, else UTF-8, else
            Shift-JIS (cp932).
    Raises:
        InputError: names file and line of what is no such table.
    """
    path = Path(path)
    reader = csv.reader(
        io.StringIO(_text(path, encoding), newline=''), delimiter=delimiter, strict=True
    )
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise input_error(
            f'{path}, line {reader.line_num}', f'no CSV ({error})', 'quoted cells closed', 'mend it'
        ) from None
    rows = [(line, cells) for line, cells in rows if any(cells)]
    if len(rows) < 2:
        raise input_error(path, f'{len(rows)} rows', 'a header and rows', 'check the export')
    header = tuple(rows[0][1])
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            raise input_error(
                f'{path}, line {line}',
                f'{len(cells)} cells',
                f'{len(header)}, as in the header',
                'mend the row, or give --delimiter',
            )
    return Table(path, header, rows[1:])


def _text(path: Path, encoding: str | None) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise input_error(path, error.strerror, 'a CSV table', 'check the path') from None
    marked = [name for mark, name in _MARKS if content.startswith(mark)]
    for name in [encoding] if encoding else (*marked, 'utf-8', 'cp932'):
        try:
            return content.decode(name).removeprefix('\ufeff')
        except UnicodeDecodeError:
            continue
        except LookupError:
            raise input_error(
                f'--encoding {name}', 'no encoding of this name', 'shift_jis, utf-8, ...', 'mend it'
            ) from None
    raise input_error(
        path,
        'bytes that do not decode',
        encoding or 'UTF-8 or Shift-JIS',
        'give the encoding with --encoding',
    )
