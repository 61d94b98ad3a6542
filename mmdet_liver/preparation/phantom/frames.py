"""One patient's images, in order, with the true lesions of each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mmdet_liver.preparation.phantom.anatomy import Liver, liver_tissue, sample_liver
from mmdet_liver.preparation.phantom.disease import sample_lesions
from mmdet_liver.preparation.phantom.lesions import Lesion, paint
from mmdet_liver.preparation.phantom.marks import Marks, burn_in
from mmdet_liver.preparation.phantom.patients import (
    FRAMES,
    LESIONS,
    TISSUE,
    Patient,
    random_stream,
    sample_patient,
)
from mmdet_liver.preparation.phantom.sector import polar_grid
from mmdet_liver.preparation.phantom.ultrasound import Knobs, render
from mmdet_liver.preparation.phantom.views import (
    Box,
    Study,
    View,
    sample_knobs,
    sample_studies,
    sample_view,
)

_NEAR_DUPLICATE = 0.13  # share of frames that are saved again, hardly changed
_CALIPERS, _STRAY_CALIPERS = 0.25, 0.06
_LABELS = ('', '', 'LIVER', 'RT LOBE', 'LT LOBE', 'S8', 'S6', 'INTERCOSTAL', 'SUBCOSTAL')


@dataclass(frozen=True)
class Frame:
    """A saved image: (H, W) or (H, W, 3) RGB uint8; `boxes` are pixels, xyxy."""

    study: int
    number: int
    image: np.ndarray
    suffix: str
    mm_per_pixel: float
    diagnoses: tuple[str, ...]
    boxes: tuple[Box, ...]
    near_duplicate: bool


def patient_frames(seed: int, index: int) -> tuple[Patient, Iterator[Frame]]:
    """The patient of an index and, rendered one by one, the images of all studies."""
    patient = sample_patient(seed, index)
    lesions = sample_lesions(random_stream(seed, index, LESIONS), patient.diagnosis)
    taken = [(*lesion.center[:2], max(lesion.axes)) for lesion in lesions]
    coarse = patient.diagnosis == 'HCC'
    liver = sample_liver(random_stream(seed, index, TISSUE), coarse, taken)
    return patient, _frames(random_stream(seed, index, FRAMES), patient, liver, lesions)


def _frames(
    rng: np.random.Generator, patient: Patient, liver: Liver, lesions: list[Lesion]
) -> Iterator[Frame]:
    for study_number, study in enumerate(sample_studies(rng, lesions), start=1):
        header = _header(rng, patient, study)
        number = 0
        for _ in range(study.frames):
            view, seen = sample_view(rng, study, lesions)
            image = _picture(rng, liver, study, view, seen)
            marks = _sample_marks(rng, header, seen, study)
            number += 1
            frame = Frame(
                study_number,
                number,
                burn_in(image, marks, study.scanner.style, study.sector),
                study.scanner.suffix,
                study.sector.mm_per_pixel,
                tuple(lesion.diagnosis for lesion, _ in seen),
                tuple(box for _, box in seen),
                near_duplicate=False,
            )
            yield frame
            if rng.random() < _NEAR_DUPLICATE:
                number += 1
                yield _nearly_again(rng, frame, number, image, marks, study)


def _picture(
    rng: np.random.Generator,
    liver: Liver,
    study: Study,
    view: View,
    seen: list[tuple[Lesion, Box]],
) -> np.ndarray:
    tissue = liver_tissue(liver, *view.to_patient(*polar_grid(study.sector)), view.z)
    for lesion, _ in seen:
        paint(lesion, tissue)
    knobs: Knobs = sample_knobs(rng, study)
    return render(rng, tissue, study.sector, study.scanner.processing, knobs)


def _nearly_again(
    rng: np.random.Generator,
    frame: Frame,
    number: int,
    image: np.ndarray,
    marks: Marks,
    study: Study,
) -> Frame:
    """The frozen frame saved again: moved a little, another gain, calipers on or off."""
    dx, dy = (int(v) for v in rng.integers(-2, 3, 2))
    height, width = image.shape
    moved = cv2.warpAffine(image, np.float32([[1, 0, dx], [0, 1, dy]]), (width, height))
    gain = rng.uniform(0.92, 1.08)
    moved = np.clip(moved * np.float32(gain) + 0.5, 0, 255).astype(np.uint8)
    boxes = tuple(_moved(box, dx, dy, width, height) for box in frame.boxes)
    calipers = () if marks.calipers else boxes[:1] * int(rng.random() < 0.6)
    marks = replace(marks, calipers=calipers)
    suffix = '.jpg' if rng.random() < 0.4 else frame.suffix
    burned = burn_in(moved, marks, study.scanner.style, study.sector)
    return replace(
        frame, number=number, image=burned, suffix=suffix, boxes=boxes, near_duplicate=True
    )


def _moved(box: Box, dx: int, dy: int, width: int, height: int) -> Box:
    x0, y0, x1, y1 = box
    return max(x0 + dx, 0), max(y0 + dy, 0), min(x1 + dx, width), min(y1 + dy, height)


def _header(rng: np.random.Generator, patient: Patient, study: Study) -> tuple[str, ...]:
    """Text at the top, invented: no real person, hospital or examination stands behind it."""
    if not study.scanner.style.header:
        return ()
    day = f'{rng.integers(2012, 2024)}/{rng.integers(1, 13):02d}/{rng.integers(1, 29):02d}'
    clock = f'{rng.integers(8, 18):02d}:{rng.integers(60):02d}:{rng.integers(60):02d}'
    settings = f'{study.scanner.name}  MI 1.{rng.integers(0, 4)}  {rng.integers(12, 40)} fps'
    identity = f'ID {rng.integers(10**7):07d} {patient.sex}{patient.age:03d}'
    return (f'PHANTOM HOSP  {identity}', f'{day} {clock}', settings)


def _sample_marks(
    rng: np.random.Generator,
    header: tuple[str, ...],
    seen: list[tuple[Lesion, Box]],
    study: Study,
) -> Marks:
    calipers: tuple[Box, ...] = ()
    if seen and rng.random() < _CALIPERS:
        chosen = rng.permutation(len(seen))[: rng.integers(1, 3)]
        calipers = tuple(seen[i][1] for i in chosen)
    elif rng.random() < _STRAY_CALIPERS:
        calipers = (_stray(rng, study),)
    return Marks(
        header=header if rng.random() < 0.85 else (),
        label=str(rng.choice(_LABELS)),
        bar=bool(rng.random() < 0.8),
        calipers=calipers,
        body_mark=bool(rng.random() < 0.3),
    )


def _stray(rng: np.random.Generator, study: Study) -> Box:
    """Somebody measured a vessel, or the liver itself."""
    width, height = study.sector.width, study.sector.height
    x, y = rng.uniform(0.35, 0.6) * width, rng.uniform(0.3, 0.7) * height
    return x, y, x + rng.uniform(0.04, 0.2) * width, y + rng.uniform(0.03, 0.15) * height
