"""What every reader of annotations does at its end: repeats, images left out, unlisted ones."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.importers.source_files import SourceFiles
from mmdet_liver.preparation.manifest import Record


def gather(
    records: Sequence[Record],
    left_out: Mapping[str, str],
    files: SourceFiles,
    *,
    include_unlisted: bool,
) -> Imported:
    """Each record once, and a decision for all that is not taken.

    Args:
        records: a record without lesion gives way to one with a lesion of the same image.
        left_out: image -> the reason, which must hold no name of the export.
        include_unlisted: take the images of the folder that stand neither in `records` nor
            in `left_out`, as not fully annotated; they are left out otherwise.
    """
    boxed = {record.image_path for record in records if record.box}
    counts = Counter(
        record
        for record in records
        if record.image_path not in left_out and (record.box or record.image_path not in boxed)
    )
    listed = {record.image_path for record in records} | left_out.keys()
    unlisted = _unlisted(files, listed, include_unlisted)
    return Imported(
        [*counts, *unlisted.records],
        [
            *(_left_out(path, reason) for path, reason in left_out.items()),
            *_repeats(counts),
            *unlisted.decisions,
        ],
    )


def _repeats(counts: Mapping[Record, int]) -> list[Decision]:
    repeats = Counter()
    for record, count in counts.items():
        repeats[record.image_path] += count - 1
    reason = 'rows that repeat another were dropped'
    return [
        Decision(path, 'import', 'flagged', reason, count)
        for path, count in repeats.items()
        if count
    ]


def _unlisted(files: SourceFiles, listed: Collection[str], include: bool) -> Imported:
    records, decisions = [], []
    for path in files.images():
        if path in listed:
            continue
        if files.leads_out(path):
            decisions.append(_left_out(path, 'a link that leads out of the folder'))
        elif include:
            records.append(Record(path, fully_annotated=False))
        else:
            decisions.append(_left_out(path, 'no annotation names it'))
    return Imported(records, decisions)


def _left_out(path: str, reason: str) -> Decision:
    return Decision(path, 'import', 'left out', reason)
