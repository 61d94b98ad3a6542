"""Writes the export: images/, truth.csv with every lesion, manifest.csv as a hospital has it.

The manifest leaves lesions out, as the study's annotations do. It is written last, so that
a folder with a manifest is complete. What a patient looks like depends on the seed and
the patient's index alone.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.files import whole_file
from mmdet_liver.preparation.manifest import Record, write_manifest
from mmdet_liver.preparation.parallel import map_in_order
from mmdet_liver.preparation.phantom.frames import Frame, patient_frames
from mmdet_liver.preparation.phantom.patients import ANNOTATION, Patient, random_stream

MANIFEST, TRUTH, IMAGES = 'manifest.csv', 'truth.csv', 'images'
_LEFT_OUT_OF_SEVERAL, _LEFT_OUT_SINGLE = 0.12, 0.025
_CERTIFIED = 0.8  # share of lesion-free images that somebody vouched for


@dataclass(frozen=True)
class Summary:
    """What was written."""

    images: int
    lesions: int
    left_out: int
    lesion_free: int


def make_phantom(
    out: Path, patients: int, seed: int, *, workers: int = 1, overwrite: bool = False
) -> Summary:
    """Write a phantom of so many patients into `out`.

    The bytes depend on `patients` and `seed` only, and a patient's images on the seed only.
    Raises:
        InputError: if `out` is a file, cannot be written to, or holds anything and
            `overwrite` is not set. With it, files of the same names are replaced and
            others are left alone.
    """
    out = Path(out)
    _claim(out, overwrite)
    truth: list[Record] = []
    manifest: list[Record] = []
    try:
        job = partial(write_patient, out, seed)
        written = map_in_order(
            job, range(patients), label='phantom', unit='patient', workers=min(workers, patients)
        )
        for true_rows, rows in written:
            truth += true_rows
            manifest += rows
        write_manifest(out / TRUTH, truth)
        write_manifest(out / MANIFEST, manifest)
    except OSError as error:
        raise input_error(
            out, f'{error.strerror or error} while writing', 'a disk with room, open to writing',
            'choose another folder, or make room and pass --overwrite',
        ) from error  # fmt: skip
    lesions = sum(record.box is not None for record in truth)
    return Summary(
        images=len({record.image_path for record in truth}),
        lesions=lesions,
        left_out=lesions - sum(record.box is not None for record in manifest),
        lesion_free=sum(record.box is None for record in truth),
    )


def write_patient(out: Path, seed: int, index: int) -> tuple[list[Record], list[Record]]:
    """Write one patient's images; return the rows of the truth and of the manifest."""
    patient, frames = patient_frames(seed, index)
    rng = random_stream(seed, index, ANNOTATION)
    truth: list[Record] = []
    manifest: list[Record] = []
    for frame in frames:
        rows = _truth(patient, frame)
        _write_image(out / rows[0].image_path, frame.image)
        truth += rows
        manifest += annotate(rng, rows)
    return truth, manifest


def annotate(rng: np.random.Generator, rows: list[Record]) -> list[Record]:
    """The rows of one image as the hospital kept them: some lesions are missing."""
    if rows[0].box is None:
        certain = True if rng.random() < _CERTIFIED else None
        return [replace(rows[0], fully_annotated=certain)]
    chance = _LEFT_OUT_OF_SEVERAL if len(rows) > 1 else _LEFT_OUT_SINGLE
    kept = [replace(row, fully_annotated=None) for row in rows if rng.random() >= chance]
    return kept or [replace(rows[0], diagnosis=None, box=None, fully_annotated=None)]


def _claim(out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise input_error(out, 'a file', 'a folder to write into', 'choose another name')
    if out.is_dir() and any(out.iterdir()) and not overwrite:
        raise input_error(
            out, 'a folder that is not empty', 'a new or empty folder',
            'choose another, or pass --overwrite to replace files of the same names',
        )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    if overwrite:
        # While images are being replaced the folder must not look complete.
        (out / MANIFEST).unlink(missing_ok=True)


def _truth(patient: Patient, frame: Frame) -> list[Record]:
    image = f'{IMAGES}/{patient.patient_id}/S{frame.study}_{frame.number:02d}{frame.suffix}'
    empty = Record(
        image_path=image,
        patient_id=patient.patient_id,
        study_id=f'{patient.patient_id}-S{frame.study}',
        age=patient.age,
        sex=patient.sex,
        mm_per_pixel=frame.mm_per_pixel,
        fully_annotated=True,
    )
    lesions = zip(frame.diagnoses, frame.boxes, strict=True)
    return [replace(empty, diagnosis=name, box=box) for name, box in lesions] or [empty]


def _write_image(path: Path, image: np.ndarray) -> None:
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    quality = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_JPEG_QUALITY, 92]
    # Not imwrite: on a full disk it returns False, or nothing at all.
    content = cv2.imencode(path.suffix, pixels, quality)[1]
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
