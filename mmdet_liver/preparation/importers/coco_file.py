"""COCO annotation files over a folder of images.

Of an image the fields `patient_id`, `study_id`, `age`, `sex`, `mm_per_pixel` and
`fully_annotated` are kept where there are; of an annotation `ignore`, and `iscrowd` as
ignore. Several files may name the same image; what they say is put together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmdet_liver.coco_files import read_coco, require_keys
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.importers.gathering import gather
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.importers.named_sizes import check_named_sizes
from mmdet_liver.preparation.importers.source_files import SourceFiles
from mmdet_liver.preparation.importers.vocabulary import DROPPED, Vocabulary
from mmdet_liver.preparation.manifest import Record

_TEXTS = ('patient_id', 'study_id')
_VALUES = ('age', 'sex', 'mm_per_pixel', 'fully_annotated')


@dataclass
class _Found:
    """What the files say: records, images to leave out, (width, height) in pixels."""

    records: list[Record] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)


def import_coco(
    folder: str | Path,
    annotation_files: Sequence[str | Path],
    vocabulary: Vocabulary = Vocabulary(),  # noqa: B008 (frozen)
    *,
    include_unlisted: bool = False,
    workers: int = 1,
) -> Imported:
    """One record for each lesion and each lesion-free image; nothing is written.

    Args:
        folder: what `file_name` is relative to.
        include_unlisted: take images that no file names, as not fully annotated.
        workers: processes to compare the images' sizes with.
    Raises:
        InputError: names file and entry of what is no COCO, of an unknown category, a box
            without area, an image that is missing, outside the folder or of another size.
    """
    files = SourceFiles(folder)
    found = _Found()
    for path in annotation_files:
        _read_file(path, files, vocabulary, found)
    check_named_sizes(files.folder, found.sizes, workers=workers)
    return gather(found.records, found.left_out, files, include_unlisted=include_unlisted)


def _read_file(path: str | Path, files: SourceFiles, vocabulary: Vocabulary, found: _Found) -> None:
    content = read_coco(path)
    images = _images(path, content['images'], files, vocabulary)
    for image in content['images']:
        if isinstance(image.get('width'), int) and isinstance(image.get('height'), int):
            found.sizes[images[image['id']].image_path] = image['width'], image['height']
    names = {category['id']: str(category['name']) for category in content['categories']}
    texts = [names[annotation['category_id']] for annotation in content['annotations']]
    meanings = vocabulary.read_diagnoses(texts, f'{path}, categories')
    empty = dict(images)
    for i, (annotation, text) in enumerate(zip(content['annotations'], texts, strict=True)):
        image = images[annotation['image_id']]
        if meanings[text] is None:
            found.left_out[image.image_path] = DROPPED
        elif meanings[text]:
            empty.pop(annotation['image_id'], None)
            found.records.append(
                replace(
                    image,
                    diagnosis=meanings[text],
                    box=_box(annotation['bbox'], f'{path}, annotations, entry {i}'),
                    ignore=bool(annotation.get('ignore') or annotation.get('iscrowd')),
                )
            )
    found.records.extend(empty.values())


def _images(
    path: str | Path, images: Sequence[dict], files: SourceFiles, vocabulary: Vocabulary
) -> dict[int | str, Record]:
    require_keys(images, ('file_name',), f'{path}, images')
    texts = {name: [_text(image.get(name)) for image in images] for name in (*_TEXTS, *_VALUES)}
    for name in _VALUES:
        meanings = vocabulary.read(name, texts[name], f'{path}, images')
        texts[name] = [meanings[text] for text in texts[name]]
    records = {}
    for i, image in enumerate(images):
        where = f'{path}, images, entry {i}'
        image_path = files.find(str(image['file_name']), where)
        if image_path is None:
            raise input_error(
                where,
                f'no image {image["file_name"]!r}',
                f'a file below {files.folder}',
                'restore it, or give the folder that file_name is relative to',
            )
        records[image['id']] = Record(image_path, **{name: texts[name][i] for name in texts})
    return records


def _text(value: Any) -> str:
    return '' if value is None else str(value).strip()


def _box(bbox: Any, where: str) -> tuple[float, float, float, float]:
    numbers = isinstance(bbox, list) and all(type(v) in (int, float) for v in bbox)
    if not numbers or len(bbox) != 4 or not all(map(math.isfinite, bbox)) or min(bbox[2:]) <= 0:
        raise input_error(
            where, f'the bbox {bbox}', 'x, y, width, height with an area', 'redraw or drop it'
        )
    x, y, width, height = map(float, bbox)
    # Rounded, since 0.1 + 0.2 is 0.3 and not 0.30000000000000004.
    return x, y, round(x + width, 6), round(y + height, 6)
