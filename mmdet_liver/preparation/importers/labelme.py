"""LabelMe: a JSON file for each image, which lies beside it or is held in it.

Rectangles, polygons, masks and circles become boxes. `flags` and groups are not looked at.
"""

import base64
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmdet_liver.coco_files import read_json
from mmdet_liver.errors import InputError, input_error
from mmdet_liver.preparation.importers.gathering import gather
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.importers.named_sizes import check_named_sizes
from mmdet_liver.preparation.importers.source_files import SourceFiles
from mmdet_liver.preparation.importers.vocabulary import DROPPED, Vocabulary
from mmdet_liver.preparation.manifest import Record
from mmdet_liver.preparation.parallel import map_files

_KIND = 'a LabelMe file'
_EXTENTS = ('rectangle', 'polygon', 'mask')  # their points' extent is the box
_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class _File:
    """One JSON file; `size` is (width, height) in pixels, or None."""

    path: str
    image_path: str
    embedded: bool
    size: tuple[int, int] | None
    shapes: tuple[tuple[str, str, _Box | None], ...]  # label, kind, box if it has one


def import_labelme(
    folder: str | Path,
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 (frozen)
    *,
    include_unlisted: bool = False,
    workers: int = 1,
) -> Imported:
    """One record for each lesion and each lesion-free image; nothing is written.

    An image that only its JSON file holds goes by that file's path; `embedded_image`
    reads it.
    Args:
        folder: holds the JSON files, at any depth.
        include_unlisted: take images without JSON file, as not fully annotated.
        workers: processes to read the files with.
    Raises:
        InputError: names the file that is no LabelMe, of an unknown label, a shape
            without area, an image that is missing, outside the folder or of another size.
    """
    files = SourceFiles(folder)
    read_files = _read_files(files, workers)
    meanings = vocabulary.read_diagnoses(
        [label for file in read_files for label, _, _ in file.shapes], f'{folder}, labels'
    )
    images = _images(read_files, files)
    sizes = {image: file.size for image, file in images.items() if file.size and image != file.path}
    check_named_sizes(files.folder, sizes, workers=workers)
    left_out = {
        image: DROPPED
        for image, file in images.items()
        if any(meanings[label] is None for label, _, _ in file.shapes)
    }
    records = [
        record
        for image, file in images.items()
        if image not in left_out
        for record in _records(files.folder / file.path, image, file, meanings)
    ]
    return gather(records, left_out, files, include_unlisted=include_unlisted)


def embedded_image(path: str | Path) -> bytes:
    """The image file that a LabelMe file holds.

    Raises:
        InputError: if it holds none, or no base64.
    """
    content = read_json(path, _KIND)
    try:
        return base64.b64decode(content['imageData'], validate=True)
    except (KeyError, TypeError, ValueError):
        raise input_error(
            path, 'no image in imageData', 'base64', 'put the image beside it, or save it again'
        ) from None


def _read_files(files: SourceFiles, workers: int) -> list[_File]:
    paths = [path for path in files.paths if path.lower().endswith('.json')]
    if not paths:
        raise input_error(files.folder, 'no JSON file', 'LabelMe files', 'give their folder')
    read = partial(_read_file, files.folder)
    return map_files(read, paths, label='reading LabelMe files', workers=workers)


def _read_file(folder: Path, path: str) -> _File:
    full = folder / path
    content = read_json(full, _KIND)
    if not isinstance(content, dict) or not isinstance(content.get('shapes'), list):
        raise input_error(full, "no list 'shapes'", _KIND, 'move other JSON files away')
    size = content.get('imageWidth'), content.get('imageHeight')
    return _File(
        path=path,
        image_path=str(content.get('imagePath') or ''),
        embedded=bool(content.get('imageData')),
        size=size if all(isinstance(v, int) for v in size) else None,
        shapes=tuple(
            _read_shape(shape, f'{full}, shape {i}') for i, shape in enumerate(content['shapes'])
        ),
    )


def _read_shape(shape: Any, where: str) -> tuple[str, str, _Box | None]:
    try:
        label, kind = str(shape['label']), str(shape.get('shape_type') or 'polygon')
        points = np.asarray(shape['points'], float)  # (N, 2)
        (_, two), finite = points.shape, np.isfinite(points).all()
    except (AttributeError, KeyError, TypeError, ValueError):
        two, finite = 0, False
    if two != 2 or not finite:
        raise input_error(where, 'no label and points x, y', 'a LabelMe shape', 'redraw it')
    if kind == 'circle' and len(points) == 2:  # centre, and a point of the circle
        radius = np.hypot(*(points[1] - points[0]))
        points = points[:1] + [[-radius], [radius]]
    elif kind not in _EXTENTS:
        return label, kind, None
    return label, kind, (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())


def _images(read_files: Sequence[_File], files: SourceFiles) -> dict[str, _File]:
    """Image -> its file, by the file's path where the file holds the image itself."""
    images: dict[str, _File] = {}
    for file in read_files:
        image = _image_of(file, files)
        other = images.setdefault(image, file)
        if other is not file:
            raise input_error(
                files.folder / file.path,
                f'the image of {other.path} ({image})',
                'one file an image',
                'put their shapes together, or drop one',
            )
    return images


def _image_of(file: _File, files: SourceFiles) -> str:
    where = files.folder / file.path
    # LabelMe saves beside or away from the image; then the path begins with ../
    parent = posixpath.dirname(file.path)
    path = posixpath.normpath(posixpath.join(parent, file.image_path.replace('\\', '/')))
    try:
        found = files.find(path, where)
    except InputError:
        if not file.embedded:
            raise
        found = None
    if found is None and not file.embedded:
        raise input_error(
            where,
            f'no image {file.image_path!r}, and none in imageData',
            'the image beside its file',
            'restore it, or drop the file',
        )
    return found or file.path


def _records(
    where: Path, image: str, file: _File, meanings: Mapping[str, str | None]
) -> list[Record]:
    empty = Record(image)
    records = []
    for i, (label, kind, box) in enumerate(file.shapes):
        if not meanings[label]:
            continue
        if box is None or box[2] <= box[0] or box[3] <= box[1]:
            raise input_error(
                f'{where}, shape {i}',
                f'a {kind} of label {label!r}' + ('' if box is None else ' without area'),
                f'{", ".join(_EXTENTS)} or circle, with an area',
                f"redraw it, or leave such shapes out with --value 'diagnosis:{label}='",
            )
        records.append(replace(empty, diagnosis=meanings[label], box=box))
    return records or [empty]
