"""What a check can find: the kinds, how grave each is, what to do, and how it is shown."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.files import write_text

ERROR, WARNING = 'error', 'warning'
COLUMNS = ('kind', 'severity', 'file', 'image', 'annotation', 'message', 'remedy')


@dataclass(frozen=True, slots=True)
class Kind:
    """How grave a kind of finding is, and what to do about it."""

    severity: str
    remedy: str


# In the order in which they are shown: errors before warnings, and leaks before all, since no
# training ever stumbles over them.
KINDS = {
    'patient leak': Kind(ERROR, 'split by patient: all images of one to one file'),
    'study leak': Kind(ERROR, 'the patient is unknown: all images of a study to one file'),
    'cluster leak': Kind(ERROR, 'all images of a cluster of near-duplicates to one file'),
    'image leak': Kind(ERROR, 'keep the image in one file'),
    'copy leak': Kind(ERROR, 'the files are equal byte for byte: keep one of them'),
    'look-alike leak': Kind(ERROR, 'look at them; if they show the same, put them in one file'),
    'no images': Kind(ERROR, 'check what wrote the file'),
    'no categories': Kind(ERROR, 'check what wrote the file'),
    'broken entry': Kind(ERROR, 'mend or drop the entry'),
    'id twice': Kind(ERROR, 'give each entry an id of its own'),
    'image named twice': Kind(ERROR, 'put its annotations under one entry'),
    'unknown image': Kind(ERROR, 'drop the annotation, or add the image'),
    'unknown category': Kind(ERROR, 'correct category_id, or add the category'),
    'unknown class': Kind(ERROR, 'use the names of mmdet_liver/taxonomy.py, or add it there'),
    'wrong supercategory': Kind(ERROR, 'benign or malignant, as mmdet_liver/taxonomy.py says'),
    'class named twice': Kind(ERROR, 'one category a class'),
    'class ids differ': Kind(ERROR, 'write the files with the same categories'),
    'no box': Kind(ERROR, 'give bbox as [x, y, width, height] in pixels'),
    'box not finite': Kind(ERROR, 'redraw the box or drop the annotation'),
    'box without area': Kind(ERROR, 'redraw the box or drop the annotation'),
    'box outside': Kind(ERROR, 'redraw the box, or cut it at the edge of the image'),
    'path outside the folder': Kind(ERROR, 'copy the file into the folder of images'),
    'missing image': Kind(ERROR, 'restore the file, or drop the image with its annotations'),
    'damaged image': Kind(ERROR, 'export it again, or drop the image with its annotations'),
    'oversized image': Kind(ERROR, 'check what it is; an ultrasound frame is far smaller'),
    'size differs': Kind(ERROR, 'correct width and height, and check the boxes on the image'),
    '16-bit image': Kind(ERROR, 'convert it to 8 bits; training divides its values by 256'),
    'contradicting diagnoses': Kind(WARNING, 'let a person decide, or keep them out of val, test'),
    'patients unknown': Kind(WARNING, 'add patient_id; else only look-alikes tell of leaks'),
    'too flat to compare': Kind(WARNING, 'look whether these images are of use at all'),
    'copy in one file': Kind(WARNING, 'the image counts twice: keep one of them'),
    'equal boxes': Kind(WARNING, 'drop one of them if it is the same lesion'),
    'box of the whole image': Kind(WARNING, 'check that it is drawn around the lesion'),
    'unusual format': Kind(WARNING, 'programs read it differently: convert it to 8-bit PNG'),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem; `kind` is one of KINDS, `image` a file name, `annotation` an id or empty."""

    kind: str
    file: str
    message: str
    image: str = ''
    annotation: str = ''

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind

    @property
    def severity(self) -> str:
        return KINDS[self.kind].severity

    @property
    def remedy(self) -> str:
        return KINDS[self.kind].remedy


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """By kind, as KINDS has them; within a kind as they were found."""
    rank = {kind: i for i, kind in enumerate(KINDS)}
    return sorted(findings, key=lambda finding: rank[finding.kind])


def count_by_severity(findings: Sequence[Finding]) -> Counter:
    return Counter(finding.severity for finding in findings)


def table_text(findings: Sequence[Finding], examples: int = 3) -> str:
    """How many of each kind, then the first examples of each and what to do."""
    by_kind = defaultdict(list)
    for finding in in_order(findings):
        by_kind[finding.kind].append(finding)
    width = max(map(len, by_kind), default=0)
    lines = [f'{KINDS[k].severity:7}  {k:{width}}  {len(v):6}' for k, v in by_kind.items()]
    for kind, found in by_kind.items():
        lines += ['', f'{kind} ({KINDS[kind].severity}): {KINDS[kind].remedy}']
        lines += [f'  {_one_line(finding)}' for finding in found[:examples]]
        if len(found) > examples:
            lines.append(f'  ... and {len(found) - examples} more')
    return '\n'.join(lines)


def write_findings(path: str | Path, findings: Sequence[Finding]) -> None:
    """Write all of them as CSV; the file appears whole or not at all.

    Raises:
        InputError: if the place cannot be written to.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(COLUMNS)
    for finding in in_order(findings):
        writer.writerow(_encodable(getattr(finding, column)) for column in COLUMNS)
    try:
        write_text(path, text.getvalue())
    except OSError as error:
        raise input_error(
            path, error.strerror.lower(), 'a place to write to', 'give another --report'
        ) from None


def _one_line(finding: Finding) -> str:
    annotation = finding.annotation and f'annotation {finding.annotation}'
    where = ', '.join(part for part in (finding.file, finding.image, annotation) if part)
    return ' '.join(_encodable(f'{where}: {finding.message}').split())


def _encodable(text: str) -> str:
    # JSON may hold half a surrogate pair, which no file and no terminal takes.
    return text.encode('utf-8', 'backslashreplace').decode()
