"""The diagnoses: names, colours, malignancy and Japanese terms, stated here and nowhere else.

A name, once published, is in other people's annotation files: add, do not rename.
"""

from dataclasses import dataclass

BENIGN, MALIGNANT = 'benign', 'malignant'


@dataclass(frozen=True)
class Diagnosis:
    """One class of lesion; `color` is RGB, 0..255; `malignancy` BENIGN or MALIGNANT."""

    name: str
    malignancy: str
    japanese: str
    color: tuple[int, int, int]


# The colours are told apart in the common forms of colour blindness (Okabe and Ito, 2008).
LIVER = (
    Diagnosis('cyst', BENIGN, '肝嚢胞', (86, 180, 233)),
    Diagnosis('HCC', MALIGNANT, '肝細胞癌', (213, 94, 0)),
    Diagnosis('hemangioma', BENIGN, '肝血管腫', (0, 158, 115)),
    Diagnosis('Meta', MALIGNANT, '転移性肝腫瘍', (240, 228, 66)),
)
# For data sets that know no more than this (BUSI).
MALIGNANCY = (
    Diagnosis(BENIGN, BENIGN, '良性', (86, 180, 233)),
    Diagnosis(MALIGNANT, MALIGNANT, '悪性', (213, 94, 0)),
)
# The 1-class task: find the lesion, whatever it is.
TUMOR = 'tumor'
TUMOR_COLOR = (230, 159, 0)

_BY_NAME = {d.name: d for d in (*LIVER, *MALIGNANCY)}


def names(diagnoses: tuple[Diagnosis, ...]) -> tuple[str, ...]:
    return tuple(d.name for d in diagnoses)


def is_known(name: str) -> bool:
    return name in _BY_NAME


def known_names() -> tuple[str, ...]:
    return tuple(_BY_NAME)


def diagnosis(name: str) -> Diagnosis:
    """Look a diagnosis up by name; KeyError for one that is not in this file."""
    return _BY_NAME[name]


def color_of(name: str) -> tuple[int, int, int]:
    """RGB colour to draw a class in; grey for a class this file does not know."""
    if name == TUMOR:
        return TUMOR_COLOR
    return _BY_NAME[name].color if name in _BY_NAME else (160, 160, 160)


def coco_categories(diagnoses: tuple[Diagnosis, ...]) -> list[dict]:
    """COCO `categories`, ids from 1 in the given order, `supercategory` = malignancy."""
    return [
        {'id': i, 'name': d.name, 'supercategory': d.malignancy}
        for i, d in enumerate(diagnoses, start=1)
    ]
