"""Who is on a picture, as far as an output may know: hashes, whole years, M or F."""

import re
from dataclasses import dataclass

from pydicom import Dataset

from mmdet_liver.preparation.importers.dicom.header import text_of
from mmdet_liver.preparation.importers.dicom.unreadable import BAD_HEADER, unreadable
from mmdet_liver.preparation.importers.identity import Identity

_PER_YEAR = {'D': 365, 'W': 52, 'M': 12, 'Y': 1}
_DATES = ('StudyDate', 'AcquisitionDate', 'SeriesDate', 'ContentDate')
_OLDEST = 110  # beyond it the header is wrong
_PLACEHOLDER = (1900, 1, 1)  # a birth date that says: not known


@dataclass(frozen=True)
class Person:
    """Unknown is '' or None."""

    patient_id: str
    study_id: str
    age: int | None
    sex: str | None


def person(header: Dataset, identity: Identity) -> Person:
    """Patient and study as keyed hashes, age in whole years.

    The patient is the PatientID, with its issuer where there is one, or else the
    PatientName.

    Raises:
        UnreadableError: if one of these elements does not parse.
    """
    with unreadable(BAD_HEADER):
        patient = _patient(header)
        return Person(
            patient_id=identity.patient(patient),
            study_id=identity.study(patient, text_of(header, 'StudyInstanceUID')),
            age=age_in_years(header),
            sex={'M': 'M', 'F': 'F'}.get(text_of(header, 'PatientSex')),
        )


def age_in_years(header: Dataset) -> int | None:
    """Whole years by PatientAge, or by birth date and date of the study; None if unlikely."""
    match = re.fullmatch(r'(\d{1,3})([DWMY])', text_of(header, 'PatientAge').upper())
    age = int(match[1]) // _PER_YEAR[match[2]] if match else _age_by_dates(header)
    return age if age is not None and 0 <= age <= _OLDEST else None


def _age_by_dates(header: Dataset) -> int | None:
    born = _date(header, 'PatientBirthDate')
    seen = next((date for date in (_date(header, name) for name in _DATES) if date), None)
    if not born or not seen or born == _PLACEHOLDER:
        return None
    return seen[0] - born[0] - (seen[1:] < born[1:])


def _patient(header: Dataset) -> str:
    patient, issuer = text_of(header, 'PatientID'), text_of(header, 'IssuerOfPatientID')
    if patient:
        return f'{patient}\0{issuer}' if issuer else patient
    name = text_of(header, 'PatientName')
    return name and f'\0name\0{name}'


def _date(header: Dataset, keyword: str) -> tuple[int, int, int] | None:
    digits = re.sub(r'[.\-/]', '', text_of(header, keyword))
    match = re.match(r'(\d{4})(\d\d)(\d\d)', digits)
    return tuple(int(part) for part in match.groups()) if match else None
