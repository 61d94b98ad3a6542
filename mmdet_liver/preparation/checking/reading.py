"""COCO files as they are: nothing is refused but what is no COCO file at all.

Training and evaluation read through `mmdet_liver.coco_files`, which stops at the first
problem; here each problem becomes a finding, and the broken value is taken out of its entry,
so that the checks that follow meet a good value or none.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from reprlib import repr as short_repr
from typing import Any

from mmdet_liver.coco_files import SECTIONS, kind, read_json
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.checking.findings import Finding


@dataclass(frozen=True)
class CocoFile:
    """The objects in a COCO file's three lists.

    Attributes:
        name: the path as it was given.
        split: `info.split`, else the file's name without suffix.
        version_of: what files of one split share (`test.json`, `test_truth.json`); None for
            a file that does not say which split it is of.
        images, annotations, categories: keys that the rules below name may be missing; where
            they are there, their values are good.
        findings: what was wrong with the entries.
    """

    name: str
    split: str
    version_of: tuple[str, str] | None
    images: list[dict]
    annotations: list[dict]
    categories: list[dict]
    findings: list[Finding] = field(default_factory=list)

    @property
    def for_training(self) -> bool:
        return 'train' in self.split.lower()


def read_coco_file(path: str | Path) -> CocoFile:
    """Read a COCO file and note what is wrong with its entries.

    Raises:
        InputError: if it cannot be read, is no JSON or lacks one of the three lists.
    """
    expected = f'a COCO annotation file, an object with the lists {", ".join(SECTIONS)}'
    content = read_json(path, expected)
    if not isinstance(content, dict):
        raise input_error(path, f'a JSON {kind(content)}', expected, 'give another file')
    for section in SECTIONS:
        if not isinstance(content.get(section), list):
            found = kind(content[section]) if section in content else 'nothing'
            raise input_error(path, f'{section}: {found}', expected, 'give another file')
    info = content['info'] if isinstance(content.get('info'), dict) else {}
    split, split_hash = info.get('split'), info.get('split_sha256')
    named = isinstance(split, str) and isinstance(split_hash, str)
    found: list[Finding] = []
    sections = {s: _good_parts(content[s], s, str(path), found) for s in SECTIONS}
    return CocoFile(
        name=str(path),
        split=split if isinstance(split, str) else Path(path).stem,
        version_of=(split, split_hash) if named else None,
        **sections,
        findings=found,
    )


def path_of(image: Mapping) -> str:
    """The image's `file_name`, written one way ('./a.png' is 'a.png'); empty without one."""
    name = image.get('file_name', '')
    return name and str(PurePosixPath(name))


def text_of(image: Mapping, key: str) -> str:
    """`image[key]` as text; empty for what stands for nothing known, NaN among it."""
    value = image.get(key)
    if isinstance(value, float):
        return f'{value:g}' if math.isfinite(value) else ''
    return str(value).strip() if isinstance(value, str | int) else ''


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != '' and '\0' not in value


def _is_side(value: Any) -> bool:
    # 640.0 is written by tables that know no whole numbers.
    whole = value.is_integer() if isinstance(value, float) else isinstance(value, int)
    return whole and not isinstance(value, bool) and value > 0


_ID = (_is_id, 'a whole number or a text')
_TEXT = (_is_text, 'a text')
_SIDE = (_is_side, 'a whole number of 1 or more')
_RULES: dict[str, dict[str, tuple[Callable[[Any], bool], str]]] = {
    'images': {'id': _ID, 'file_name': _TEXT, 'width': _SIDE, 'height': _SIDE},
    'annotations': {'id': _ID, 'image_id': _ID, 'category_id': _ID},
    'categories': {'id': _ID, 'name': _TEXT},
}


def _good_parts(entries: list, section: str, file: str, found: list[Finding]) -> list[dict]:
    # The objects among the entries, without their broken values; `found` takes the problems.
    rules = _RULES[section]
    good = []
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            message = f'{section}, entry {number}: {short_repr(entry)}, which is no object'
            found.append(Finding('broken entry', file, message))
            continue
        broken = [key for key, (fits, _) in rules.items() if not fits(entry.get(key))]
        if broken:
            found += [_broken(entry, key, section, number, file) for key in broken]
            entry = {key: value for key, value in entry.items() if key not in broken}
        good.append(entry)
    found += _repeated_ids(good, section, file)
    return good


def _broken(entry: dict, key: str, section: str, number: int, file: str) -> Finding:
    value = f'{key} {short_repr(entry[key])}' if key in entry else f'no {key}'
    message = f'{section}, entry {number}: {value}; expected {_RULES[section][key][1]}'
    return Finding('broken entry', file, message, *_names(entry, section))


def _repeated_ids(entries: list[dict], section: str, file: str) -> list[Finding]:
    seen, found = set(), []
    for entry in entries:
        value = entry.get('id')
        if value in seen:
            message = f'{section}: id {short_repr(value)} again'
            found.append(Finding('id twice', file, message, *_names(entry, section)))
        elif value is not None:
            seen.add(value)
    return found


def _names(entry: dict, section: str) -> tuple[str, str]:
    # Image and annotation of a finding, as far as the entry itself tells them.
    image = entry.get('file_name') if section == 'images' else ''
    annotation = entry.get('id') if section == 'annotations' else ''
    return image if _is_text(image) else '', str(annotation) if _is_id(annotation) else ''
