"""What an import came to, for the person at the terminal: no name of the source is in it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.manifest import Record


def summary_lines(records: Sequence[Record], decisions: Iterable[Decision]) -> list[str]:
    """Images, patients, lesions by diagnosis, and what was decided, by reason."""
    images = {record.image_path: record for record in records}
    lesions = Counter(record.diagnosis for record in records if record.diagnosis)
    boxed = {record.image_path for record in records if record.box}
    patients = {record.patient_id for record in images.values() if record.patient_id}
    unknown = sum(not record.patient_id for record in images.values())
    known = [str(len(patients))] if patients else []
    decided = Counter((d.action, d.reason) for d in decisions)
    rows = [
        ('images', f'{len(images)}, {len(images) - len(boxed)} of them without lesions'),
        ('patients', ', '.join(known + [f'unknown for {unknown} images'] * bool(unknown))),
        ('lesions', ', '.join(f'{lesions[n]} {n}' for n in sorted(lesions)) or 'none'),
        *((action, f'{count}x {why}') for (action, why), count in sorted(decided.items())),
    ]
    width = max(len(name) for name, _ in rows)
    return [f'{name.ljust(width)}  {text}' for name, text in rows]
