"""What a rule found, and the list of it all: `suspicious.csv`."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mmdet_liver.preparation.statistics.tables import Tables

COLUMNS = ('rule', 'file', 'image', 'diagnosis', 'x_min', 'y_min', 'x_max', 'y_max', 'why')


class Finding(NamedTuple):
    """One record and what is odd about it; numbers as in `Tables`."""

    image: int
    lesion: int | None  # None: the image as a whole
    why: str


def findings_csv(tables: Tables, found: Mapping[str, Sequence[Finding]]) -> str:
    """One row a finding; the box is xyxy in pixels, empty where the whole image is meant."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    for rule, findings in found.items():
        writer.writerows(findings_row(tables, rule, finding) for finding in findings)
    return text.getvalue()


def findings_row(tables: Tables, rule: str, finding: Finding) -> tuple[str, ...]:
    """The cells of COLUMNS."""
    images, lesions = tables.images, tables.lesions
    file = tables.sources[images.source[finding.image]].file
    lesion = ('',) * 5
    if finding.lesion is not None:
        name = tables.classes[lesions.label[finding.lesion]]
        lesion = (name, *(f'{v:.10g}' for v in lesions.boxes[finding.lesion]))
    return rule, file, images.names[finding.image], *lesion, finding.why


def deal(found: Mapping[str, Sequence[Finding]], most: int) -> list[tuple[str, Finding]]:
    """At most `most` findings: the first of each rule, then the second of each, ...; by rule."""
    ranked = [
        (turn, number)
        for number, findings in enumerate(found.values())
        for turn in range(min(len(findings), most))
    ]
    dealt = sorted((number, turn) for turn, number in sorted(ranked)[:most])
    rules = list(found.items())
    return [(rules[number][0], rules[number][1][turn]) for number, turn in dealt]
