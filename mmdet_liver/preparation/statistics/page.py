"""`index.html`: the report as one page that holds its pictures and asks nobody for anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdet_liver import __version__
from mmdet_liver.pages.rendering import render
from mmdet_liver.preparation.statistics.figures import PLOTS, Plot, unknown_note
from mmdet_liver.preparation.statistics.findings import Finding, deal, findings_row
from mmdet_liver.preparation.statistics.groups import figure_label, is_drawable
from mmdet_liver.preparation.statistics.summary import count_patients
from mmdet_liver.preparation.statistics.suspicious import RULES
from mmdet_liver.preparation.statistics.tables import Tables

_TEMPLATE = Path(__file__).with_name('template.html')
_LISTED = 50  # findings on the page; all of them are in suspicious.csv


@dataclass(frozen=True)
class Pictures:
    """PNG files as bytes."""

    figures: Mapping[str, bytes]  # by the plot's name; those that could be drawn
    gallery: Mapping[str, bytes]  # by class
    suspicious: bytes | None


@dataclass(frozen=True)
class SplitRow:
    """A line of the table of splits; `patients` None where nobody is known."""

    name: str
    images: int
    patients: int | None
    lesion_free: int
    lesions: tuple[int, ...]  # by class
    ignored: int


def page_html(
    tables: Tables,
    found: Mapping[str, Sequence[Finding]],
    pictures: Pictures,
    *,
    seed: int,
) -> str:
    """The whole page; the same input gives the same text."""
    splits = split_rows(tables)
    reasons = {rule.name: rule.reason for rule in RULES}
    return render(
        _TEMPLATE,
        tables=tables,
        version=__version__,
        seed=seed,
        classes=_class_names(tables),
        splits=splits if len(tables.sources) > 1 else splits[:1],
        total=splits[-1],
        notes=notes(tables),
        figures=[_figure(plot, tables, pictures) for plot in PLOTS],
        gallery=pictures.gallery,
        suspicious_sheet=pictures.suspicious,
        rules=[(name, len(f), reasons[name]) for name, f in found.items() if f],
        quiet_rules=[name for name, f in found.items() if not f],
        findings=[findings_row(tables, *dealt) for dealt in deal(found, _LISTED)],
        findings_total=sum(map(len, found.values())),
    )


def split_rows(tables: Tables) -> list[SplitRow]:
    """One row a file, and the row 'all'; there a patient in two files counts once."""
    source = tables.images.source
    parts = [(s.split, source == i) for i, s in enumerate(tables.sources)]
    return [_split_row(tables, name, own) for name, own in [*parts, ('all', source >= 0)]]


def notes(tables: Tables) -> list[str]:
    """What a reader must know before the numbers: unknown patients, files that overlap."""
    images = tables.images
    unknown = int((images.patient < 0).sum())
    found = []
    if unknown:
        found.append(f'Patient not known for {unknown:,} of {len(images.names):,} images.')
    if any(s.split_by == 'image' for s in tables.sources):
        found.append('Split by image: one patient may be in train and in test.')
    hashes = {s.split_sha256 for s in tables.sources if s.split_sha256}
    if len(hashes) > 1:
        found.append(
            f'The files are of {len(hashes)} different splits: a patient may be in two of them. '
            'tools/check_dataset.py finds leaks.'
        )
    twice = {
        'images': _in_several(np.unique(images.names, return_inverse=True)[1], images.source),
        'patients': _in_several(images.patient, images.source),
    }
    for what, count in twice.items():
        if count:
            found.append(
                f'{count:,} {what} are in more than one file: right for two versions of one '
                'split, such as test and test_truth, and a leak between two splits.'
            )
    return found


def _split_row(tables: Tables, name: str, own: np.ndarray) -> SplitRow:
    images, lesions = tables.images, tables.lesions
    labels = lesions.label[own[lesions.image]]
    patients = count_patients(images.patient[own])
    return SplitRow(
        name=name,
        images=int(own.sum()),
        patients=patients if (images.patient >= 0).any() else None,
        lesion_free=int((tables.free() & own).sum()),
        lesions=tuple(np.bincount(labels, minlength=len(tables.classes)).tolist()),
        ignored=int(images.annotations[own].sum()) - len(labels),
    )


def _in_several(keys: np.ndarray, source: np.ndarray) -> int:
    # How many keys (those of 0 and more) come with more than one source.
    pairs = np.unique(np.stack([keys, source]), axis=1)[0]
    return int((np.bincount(pairs[pairs >= 0]) > 1).sum())


def _class_names(tables: Tables) -> list[str]:
    # With the name that the figures use where they cannot write this one.
    return [
        name if is_drawable(name) else f'{name} ({figure_label(tables, i)})'
        for i, name in enumerate(tables.classes)
    ]


def _figure(plot: Plot, tables: Tables, pictures: Pictures) -> dict:
    note = unknown_note(plot, tables)
    if plot.name not in pictures.figures:
        note = note or 'There are no lesions.'
    return {'plot': plot, 'note': note, 'png': pictures.figures.get(plot.name)}
