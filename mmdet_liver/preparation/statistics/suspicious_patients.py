"""What is odd about a patient: age, sex, and diagnoses that do not go together."""

from collections.abc import Iterator

import numpy as np

from mmdet_liver import taxonomy
from mmdet_liver.preparation.statistics.findings import Finding
from mmdet_liver.preparation.statistics.tables import Tables

OLDEST = 110  # years
ADULT = 18  # years
AGES_APART = 10  # years between images of one patient


def age_zero(tables: Tables) -> Iterator[Finding]:
    yield from _ages(tables, tables.images.ages == 0)


def too_old(tables: Tables) -> Iterator[Finding]:
    yield from _ages(tables, tables.images.ages > OLDEST)


def too_young(tables: Tables) -> Iterator[Finding]:
    malignant = [
        i
        for i, name in enumerate(tables.classes)
        if taxonomy.is_known(name) and taxonomy.diagnosis(name).malignancy == 'malignant'
    ]
    young = (tables.images.ages > 0) & (tables.images.ages < ADULT)
    affected = np.zeros_like(young)
    affected[tables.lesions.image[np.isin(tables.lesions.label, malignant)]] = True
    yield from _ages(tables, young & affected)


def _ages(tables: Tables, which: np.ndarray) -> Iterator[Finding]:
    for i in np.flatnonzero(which):
        yield Finding(int(i), None, f'age {tables.images.ages[i]:g}, {_diagnoses_on(tables, i)}')


def two_sexes(tables: Tables) -> Iterator[Finding]:
    images = tables.images
    known = np.flatnonzero((images.patient >= 0) & (images.sexes != ''))
    is_male = (images.sexes[known] == 'M').astype(int)
    for part in _differing(images.patient[known], is_male):
        male, own = is_male[part], known[part]
        rare_sex = 2 * male.sum() < len(male)
        rare = own[male == rare_sex][0]
        counts = f'M on {male.sum()}, F on {len(male) - male.sum()} images'
        yield Finding(int(rare), None, f'{_patient(tables, rare)}: {counts}')


def ages_apart(tables: Tables) -> Iterator[Finding]:
    images = tables.images
    known = np.flatnonzero((images.patient >= 0) & (images.ages > 0))  # 0: `age_zero`
    for part in _differing(images.patient[known], images.ages[known], AGES_APART):
        own = known[part]
        ages = images.ages[own]
        far = own[np.abs(ages - np.median(ages)).argmax()]
        yield Finding(int(far), None, f'{_patient(tables, far)}: {ages.min():g} to {ages.max():g}')


def several_diagnoses(tables: Tables) -> Iterator[Finding]:
    image, label = tables.lesions.image, tables.lesions.label
    patient = tables.images.patient[image]
    # An image of nobody known is a patient of its own.
    patient = np.where(patient >= 0, patient, len(tables.patients) + image)
    for own in _differing(patient, label):
        found, counts = np.unique(label[own], return_counts=True)
        rare = own[label[own] == found[counts.argmin()]][0]
        names = ', '.join(f'{tables.classes[i]} {n}x' for i, n in zip(found, counts, strict=True))
        yield Finding(int(image[rare]), int(rare), f'{_patient(tables, image[rare])}: {names}')


def _differing(
    keys: np.ndarray, values: np.ndarray, by_more_than: float = 0
) -> Iterator[np.ndarray]:
    # Indices of entries with one key, for each key whose values differ by more than that.
    order = np.argsort(keys, kind='stable')
    if not len(order):
        return
    starts = np.flatnonzero(np.diff(keys[order], prepend=keys.min() - 1))
    low, high = (f.reduceat(values[order], starts) for f in (np.minimum, np.maximum))
    ends = [*starts[1:], len(order)]
    for i in np.flatnonzero(high - low > by_more_than):
        yield order[starts[i] : ends[i]]


def _diagnoses_on(tables: Tables, image: int) -> str:
    first, last = np.searchsorted(tables.lesions.image, [image, image + 1])
    names = [tables.classes[i] for i in np.unique(tables.lesions.label[first:last])]
    return ', '.join(names) or 'no lesion'


def _patient(tables: Tables, image: int) -> str:
    number = tables.images.patient[image]
    return f'patient {tables.patients[number]}' if number >= 0 else 'this image'
