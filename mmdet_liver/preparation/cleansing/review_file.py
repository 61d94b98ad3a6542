"""What a person decided after looking at the contact sheets: a CSV that overrules the steps.

Two columns, `image_path` and `decision`; other columns are for the person's own notes, so a
filtered `cleansing.csv` with a column `decision` added will do. Rows without a decision are
passed over.
"""

import csv
from pathlib import Path

from mmdet_liver.errors import input_error

CHOICES = ('keep', 'leave out', 'keep marks')


def read_review(path: str | Path) -> dict[str, frozenset[str]]:
    """Image path -> what was decided on it, some of CHOICES.

    Raises:
        InputError: names the line of a missing column, an unknown decision, or two
            decisions that exclude each other.
    """
    path = Path(path)
    found: dict[str, frozenset[str]] = {}
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            rows = csv.DictReader(file)
            for row in rows:
                _add(found, row, f'{path}, line {rows.line_num}')
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise input_error(
            path, str(error), 'a CSV file in UTF-8', 'check the path, or save it again'
        ) from None
    return found


def _add(found: dict[str, frozenset[str]], row: dict[str, str], where: str) -> None:
    if row.get('image_path') is None or row.get('decision') is None:
        raise input_error(
            where, 'no column image_path, or none named decision', 'both', 'add the column'
        )
    decision = row['decision'].strip().replace('-', ' ')
    if not decision:
        return
    if decision not in CHOICES:
        raise input_error(
            f'{where}, column decision',
            repr(row['decision']),
            f'one of {", ".join(CHOICES)}, or nothing',
            'correct the cell',
        )
    path = row['image_path']
    found[path] = found.get(path, frozenset()) | {decision}
    if {'keep', 'leave out'} <= found[path]:
        raise input_error(
            where, f"'keep' and 'leave out' for {path}", 'one of them', 'drop one of the rows'
        )
