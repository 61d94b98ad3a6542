"""AUL, liver ultrasound with polygons (Xu et al., Brief Bioinform 2023, bbac569; Zenodo 7272660).

Layout: `{Benign,Malignant,Normal}/image/N.jpg`, polygons as JSON lists of [x, y] under
`segmentation/{liver,mass,outline}/N.json`, one polygon a file, no file where there is none.
Only the mass is read: of Malignant 229 and 306 the liver's outline lies under outline/, and
no box depends on it. Each image is of a patient of its own.
"""

from functools import partial
from pathlib import Path

import numpy as np

from mmdet_liver.coco_files import read_json
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.manifest import Record
from mmdet_liver.preparation.parallel import map_files

_DIAGNOSES = {'Benign': 'benign', 'Malignant': 'malignant', 'Normal': None}
_SUFFIXES = ('.jpg', '.jpeg', '.png')


def import_aul(folder: str | Path, *, workers: int = 1) -> Imported:
    """One record for each lesion image with a mass, and for each normal one, by path.

    A benign or malignant image without a mass is left out: where its lesion is, is not
    known. Nothing is written.
    Args:
        folder: holds at least one of `Benign`, `Malignant` and `Normal`.
        workers: processes to read the polygons with.
    Raises:
        InputError: for another layout, no image, a polygon that is none, or a normal image
            with a mass.
    """
    folder = Path(folder)
    present = [name for name in _DIAGNOSES if (folder / name / 'image').is_dir()]
    if not present:
        raise input_error(
            folder,
            'none of Benign/image, Malignant/image, Normal/image',
            "AUL's original layout",
            'give the folder that holds Benign, Malignant and Normal',
        )
    images = [path for name in present for path in _images(folder / name)]
    if not images:
        raise input_error(folder, 'no image', 'image/N.jpg', 'check the download')
    read = partial(_read_image, folder)
    found = map_files(read, images, label='reading polygons', workers=workers)
    return Imported(
        [item for item in found if isinstance(item, Record)],
        [
            *(item for item in found if isinstance(item, Decision)),
            *(_without_image(folder, path) for name in present for path in _stray(folder / name)),
        ],
    )


def _images(folder: Path) -> list[Path]:
    return sorted(p for p in (folder / 'image').iterdir() if p.suffix.lower() in _SUFFIXES)


def _stray(folder: Path) -> list[Path]:
    """Mass polygons of no image."""
    names = {path.stem for path in _images(folder)}
    return [p for p in sorted((folder / 'segmentation/mass').glob('*.json')) if p.stem not in names]


def _without_image(folder: Path, path: Path) -> Decision:
    name = path.relative_to(folder).as_posix()
    return Decision(name, 'import', 'left out', 'a polygon without its image')


def _read_image(folder: Path, path: Path) -> Record | Decision:
    diagnosis = _DIAGNOSES[path.parent.parent.name]
    inner = path.relative_to(folder)
    polygon = path.parent.parent / 'segmentation/mass' / f'{path.stem}.json'
    box = _extent(polygon) if polygon.exists() else None
    if box and diagnosis is None:
        raise input_error(
            polygon, 'a mass in a normal image', 'none', 'move the image, or drop the polygon'
        )
    if diagnosis and not box:
        reason = 'a benign or malignant image without the outline of its mass'
        return Decision(inner.as_posix(), 'import', 'left out', reason)
    return Record(
        image_path=inner.as_posix(),
        patient_id=inner.with_suffix('').as_posix(),
        diagnosis=diagnosis,
        box=box,
        # Someone looked at a normal image as a whole; of the others one mass is drawn.
        fully_annotated=True if diagnosis is None else None,
    )


def _extent(path: Path) -> tuple[float, float, float, float] | None:
    """xyxy of the polygon in pixels, None for one without points."""
    content = read_json(path, 'a list of [x, y]')
    try:
        points = np.asarray(content, float)  # (N, 2)
    except (TypeError, ValueError):
        points = np.full((1, 1), np.nan)
    if points.size == 0:
        return None
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise input_error(path, 'no list of [x, y]', 'one polygon', 'restore the original file')
    (x_min, y_min), (x_max, y_max) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    if x_max <= x_min or y_max <= y_min:
        raise input_error(path, 'a polygon without area', 'one with', 'restore the original file')
    return x_min, y_min, x_max, y_max
