"""`cleansing.csv`: what was done to which image and why, one decision a row.

| column | meaning |
|---|---|
| image_path | as in the manifest that was read |
| step | the step that decided: one of STEPS |
| action | one of ACTIONS |
| reason | in words, with the numbers behind it |
| value | the number that decided, where there is one (pixels, Hamming distance, share) |
| cluster_id | of near-duplicates |
| other_image | the image that was kept instead, or that this one contradicts |
| mask_path | of the removed marks, relative to the data set's folder |

An importer writes one beside its manifest where it decided anything; the preparation puts
those rows before its own.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.files import write_text

FILE_NAME = 'cleansing.csv'
STEPS = ('import', 'review', 'readable', 'format', 'size', 'near-duplicates', 'marks', 'metadata')
ACTIONS = (
    'left out',  # not in the data set
    'train only',  # in the data set, but neither in val nor in test
    'kept',  # of look-alikes, one that stays
    'cleaned',  # marks removed
    'converted',  # written anew, as 8-bit PNG
    'flagged',  # unchanged; for a person to look at
)


@dataclass(frozen=True, slots=True)
class Decision:
    image_path: str
    step: str
    action: str
    reason: str
    value: float | None = None
    cluster_id: str = ''
    other_image: str = ''
    mask_path: str = ''

    def __post_init__(self) -> None:
        assert self.step in STEPS and self.action in ACTIONS, (self.step, self.action)


COLUMNS = tuple(f.name for f in fields(Decision))


def write_decisions(path: str | Path, decisions: Iterable[Decision]) -> None:
    """Write the rows in the given order; the file appears whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    for decision in decisions:
        writer.writerow('' if v is None else v for v in astuple(decision))
    write_text(path, text.getvalue())


def read_decisions(path: str | Path) -> list[Decision]:
    """Read what `write_decisions` wrote.

    Raises:
        InputError: names file and line of what is no such row.
    """
    path = Path(path)
    with path.open(encoding='utf-8-sig', newline='') as file:
        rows = csv.DictReader(file)
        return [_decision(row, f'{path}, line {rows.line_num}') for row in rows]


def _decision(row: dict[str, str], where: str) -> Decision:
    cells = {c: row.get(c) for c in COLUMNS}
    if None in cells.values() or cells['step'] not in STEPS or cells['action'] not in ACTIONS:
        raise input_error(
            where, 'no decision', f'the columns {", ".join(COLUMNS)}', 'prepare the data again'
        )
    try:
        value = float(cells['value']) if cells['value'] else None
    except ValueError:
        raise input_error(
            f'{where}, column value', repr(cells['value']), 'a number', 'mend the cell'
        ) from None
    return Decision(**{**cells, 'value': value})
