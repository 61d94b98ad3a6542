"""COCO files as columns: one entry an image, one entry a lesion. No image is opened.

Boxes are xyxy in pixels; annotations marked `ignore` or `iscrowd` are counted, and are no
lesions. An unknown age or scale is NaN, an unknown sex '', an unknown patient -1.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdet_liver.coco_files import read_images, read_json
from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Truth
from mmdet_liver.evaluation.detection_files import read_truth

SEXES = ('F', 'M', '')


@dataclass(frozen=True)
class Source:
    """One annotation file: a split, with what its `info` says of its making."""

    split: str
    file: str
    version: str
    split_by: str
    split_sha256: str


@dataclass(frozen=True)
class Images:
    source: np.ndarray  # (N,) number of the file
    names: tuple[str, ...]
    sizes: np.ndarray  # (N, 2) width, height in pixels
    ages: np.ndarray  # (N,) years
    sexes: np.ndarray  # (N,) of SEXES
    patient: np.ndarray  # (N,) number of the patient
    mm_per_pixel: np.ndarray  # (N,)
    annotations: np.ndarray  # (N,) count of all, ignored ones too


@dataclass(frozen=True)
class Lesions:
    image: np.ndarray  # (L,) number of the image, ascending
    label: np.ndarray  # (L,) number of the class
    boxes: np.ndarray  # (L, 4)


@dataclass(frozen=True)
class Tables:
    """A data set; images are numbered over all files, in their order."""

    sources: tuple[Source, ...]
    classes: tuple[str, ...]
    patients: tuple[str, ...]
    images: Images
    lesions: Lesions

    def box_sizes(self) -> np.ndarray:
        """(L, 2) width and height in pixels."""
        return self.lesions.boxes[:, 2:] - self.lesions.boxes[:, :2]

    def box_shares(self) -> np.ndarray:
        """(L,) share of the image's area."""
        return self.box_sizes().prod(axis=1) / self.images.sizes.prod(axis=1)[self.lesions.image]

    def aspect_ratios(self) -> np.ndarray:
        """(L,) width over height; NaN for a box without area."""
        width, height = self.box_sizes().T
        full = (width > 0) & (height > 0)
        return np.divide(width, height, out=np.full(len(width), np.nan), where=full)

    def longer_sides_mm(self) -> np.ndarray:
        """(L,) longer side in millimetres; NaN where the image's scale is unknown."""
        longer = self.box_sizes().max(axis=1, initial=0)
        return longer * self.images.mm_per_pixel[self.lesions.image]

    def lesions_per_image(self) -> np.ndarray:
        """(N,) counts."""
        return np.bincount(self.lesions.image, minlength=len(self.images.names))

    def free(self) -> np.ndarray:
        """(N,) whether an image has no annotation at all."""
        return self.images.annotations == 0


def read_tables(paths: Sequence[str | Path]) -> Tables:
    """Read one annotation file a split, ours or of another making.

    Classes are told apart by name, patients by `patient_id`, over all files.

    Raises:
        InputError: names file and entry for what `read_truth` refuses, for an image
            without a size, and for an age, sex or scale that is none.
    """
    paths = [Path(path) for path in paths]
    truths = [read_truth(path) for path in paths]
    names = {name: None for truth in truths for name in truth.labels[1:]}
    number = {name: i for i, name in enumerate(names)}
    patients: dict[str, int] = {}
    images = [_images(path, i, truths[i], patients) for i, path in enumerate(paths)]
    firsts = np.cumsum([0, *(len(part.names) for part in images)])
    lesions = [
        _lesions(truth, int(first), number) for truth, first in zip(truths, firsts, strict=False)
    ]
    return Tables(
        sources=_sources(paths),
        classes=tuple(names),
        patients=tuple(patients),
        images=_joined(images),
        lesions=_joined(lesions),
    )


def _images(path: Path, source: int, truth: Truth, patients: dict[str, int]) -> Images:
    entries = read_images(path)

    def column(key: str, check: Callable[[object], object], expected: str) -> list:
        values = [check(entry.get(key)) for entry in entries]
        if None in values:
            i = values.index(None)
            found = f'{key} {entries[i].get(key)!r}'
            raise input_error(f'{path}, images, entry {i}', found, expected, 'mend the entry')
        return values

    sizes = [column(key, _size, 'pixels above 0') for key in ('width', 'height')]
    names = column('patient_id', _name, 'a text, a number or nothing')
    others = [np.diff(part.offsets) for part in (truth.lesions, truth.ignored, truth.crowds)]
    return Images(
        source=np.full(len(entries), source),
        names=tuple(str(e['file_name']) for e in entries),
        sizes=np.array(sizes, np.float64).T,
        ages=np.array(column('age', _age, 'years, 0 or more, or nothing')),
        sexes=np.array(column('sex', _sex, "'M', 'F' or nothing"), '<U1'),
        patient=np.array([patients.setdefault(n, len(patients)) if n else -1 for n in names]),
        mm_per_pixel=np.array(column('mm_per_pixel', _scale, 'millimetres above 0, or nothing')),
        annotations=np.sum(others, axis=0),
    )


# Each returns None for a value that is none of its kind.
def _size(value: object) -> float | None:
    return _number(value, lambda v: v > 0)


def _age(value: object) -> float | None:
    return math.nan if value is None else _number(value, lambda v: v >= 0)


def _scale(value: object) -> float | None:
    return math.nan if value is None else _number(value, lambda v: v > 0)


def _number(value: object, fits: Callable[[float], bool]) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and fits(value) else None


def _sex(value: object) -> str | None:
    value = '' if value is None else value
    return value if isinstance(value, str) and value in SEXES else None


def _name(value: object) -> str | None:
    return ('' if value is None else str(value)) if isinstance(value, str | int | None) else None


def _lesions(truth: Truth, first_image: int, number: dict[str, int]) -> Lesions:
    new_label = np.array([-1, *(number[name] for name in truth.labels[1:])])
    lesions = truth.lesions
    return Lesions(lesions.image + first_image, new_label[lesions.classes], lesions.boxes)


def _joined(parts: Sequence) -> object:
    # The columns of all files, one after the other.
    def join(columns: tuple) -> object:
        return sum(columns, ()) if isinstance(columns[0], tuple) else np.concatenate(columns)

    return type(parts[0])(*map(join, zip(*(vars(part).values() for part in parts), strict=True)))


def _sources(paths: Sequence[Path]) -> tuple[Source, ...]:
    infos = [info if isinstance(info, dict) else {} for info in map(_info, paths)]
    # Two versions of one split (test, test_truth) are told apart by their files' names.
    names = [str(info.get('split') or path.stem) for info, path in zip(infos, paths, strict=True)]
    for other in ([path.stem for path in paths], [f'file {i}' for i in range(1, len(paths) + 1)]):
        if max(Counter(names).values()) == 1:
            break
        names = other
    made = [
        [str(info.get(k, '')) for k in ('version', 'split_by', 'split_sha256')] for info in infos
    ]
    return tuple(
        Source(name, path.name, *how) for name, path, how in zip(names, paths, made, strict=True)
    )


def _info(path: Path) -> object:
    return read_json(path, 'a COCO annotation file').get('info')
