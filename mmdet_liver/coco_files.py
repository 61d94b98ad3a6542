"""Reading COCO annotation files: what every reader of them checks, once.

What only one reader needs (classes, sizes of boxes, flags) it checks itself, with the
helpers here. Large files are the rule, so that lists are checked as wholes, and looked
through entry by entry only to find which one is wrong.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdet_liver.errors import input_error

SECTIONS = ('images', 'annotations', 'categories')
_KIND = 'a COCO annotation file'
_BETWEEN_OBJECTS = re.compile(rb'\}\s*,\s*\{')
_PART = 1 << 20  # bytes: more is slower, as memory is fetched anew instead of used again


def read_json(path: str | Path, expected: str) -> Any:
    """Parse a JSON file; `expected` says in an error what it should have held."""
    path = Path(path)
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise input_error(path, error.strerror.lower(), expected, 'check the path') from None
    except (ValueError, RecursionError) as error:
        raise input_error(path, f'no JSON ({error})', expected, 'write it again') from None


def read_json_in_parts(path: str | Path, expected: str) -> Iterator[Any]:
    """Parse a long JSON list of objects part by part, each again a list, in little memory.

    Any other content is yielded as it is, once. Errors are those of `read_json`.
    """
    done = 0
    try:
        for text in _pieces(Path(path)):
            part = json.loads(text)
            yield part
            done += len(part) if isinstance(part, list) else 0
    except (OSError, ValueError, RecursionError):
        # Broken, or cut inside a text or a nested list. The parts before are right, as
        # only a cut between two entries of the list leaves whole JSON before it.
        content = read_json(path, expected)
        yield content[done:] if isinstance(content, list) else content


def _pieces(path: Path) -> Iterator[bytes]:
    # The bytes of a JSON list, cut between objects and bracketed again.
    rest = b''
    with path.open('rb') as file:
        # Reading as much as is left over bounds the copying where there is no place to cut.
        while block := file.read(max(_PART, len(rest))):
            rest += block
            cut = _BETWEEN_OBJECTS.search(rest, len(rest) - len(rest) // 16)
            if cut:
                yield rest[: cut.start() + 1] + b']'
                rest = b'[' + rest[cut.end() - 1 :]
    yield rest


def read_images(path: str | Path) -> list[dict]:
    """The images of a COCO file; annotations and categories need not be there.

    Raises:
        InputError: if there are none, or one is without id or file name, or an id comes twice.
    """
    images = _section(read_json(path, _KIND), 'images', path)
    require_keys(images, ('id', 'file_name'), f'{path}, images')
    require_unique_ids(images, f'{path}, images')
    return images


def read_coco(path: str | Path) -> dict[str, list[dict]]:
    """The three lists of a COCO file, which fit each other.

    Returns:
        images (one or more, each with `id`), annotations (each with `image_id`,
        `category_id` and `bbox`, whose value is not looked at; their own ids matter to
        training only), categories (one or more, each with `id` and `name`).
    Raises:
        InputError: names file and entry for a missing list or key, an image or category
            given twice, or an annotation of an unknown image or category.
    """
    content = read_json(path, _KIND)
    images, annotations, categories = (_section(content, key, path) for key in SECTIONS)
    require_keys(categories, ('name',), f'{path}, categories')
    where = f'{path}, annotations'
    image_ids = require_unique_ids(images, f'{path}, images')
    category_ids = require_unique_ids(categories, f'{path}, categories')
    require_known(annotations, 'image_id', image_ids, where)
    require_known(annotations, 'category_id', category_ids, where)
    require_keys(annotations, ('bbox',), where)
    return {'images': images, 'annotations': annotations, 'categories': categories}


def values_of(entries: Sequence, key: str, where: object, first: int = 0) -> list:
    """`entry[key]` of each entry; errors number the entries from `first`.

    Raises:
        InputError: names the first entry that is no object or lacks the key.
    """
    try:
        return [entry[key] for entry in entries]
    except (KeyError, TypeError):
        i = first_failing(entries, lambda entry: entry[key])
        found = f'no {key!r}' if isinstance(entries[i], dict) else f'a JSON {kind(entries[i])}'
        raise input_error(
            f'{where}, entry {first + i}',
            found,
            f'an object with the key {key!r}',
            'mend or drop the entry',
        ) from None


def require_keys(entries: Sequence, keys: Sequence[str], where: object) -> None:
    """InputError unless every entry is an object with all the keys."""
    for key in keys:
        values_of(entries, key, where)


def require_unique_ids(entries: Sequence, where: object) -> list:
    """The ids of the entries; InputError unless each is a number or a text, given once."""
    ids = values_of(entries, 'id', where)
    if set(map(type, ids)) <= {int, str} and len(set(ids)) == len(ids):
        return ids
    seen = set()
    for i, value in enumerate(ids):
        if not isinstance(value, int | str) or isinstance(value, bool):
            raise input_error(
                f'{where}, entry {i}', f'id {value!r}', 'a number or a text', 'mend the id'
            )
        if value in seen:
            raise input_error(
                f'{where}, entry {i}', f'id {value!r} again', 'each id once', 'drop one of them'
            )
        seen.add(value)
    return ids


def require_known(entries: Sequence, key: str, known: Collection, where: object) -> None:
    """InputError unless `entry[key]` of every entry is one of `known`."""
    values = values_of(entries, key, where)
    known = set(known)
    try:
        if known.issuperset(values):
            return
    except TypeError:  # a list or an object, which no set can hold
        pass
    i = first_failing(values, dict.fromkeys(known).__getitem__)
    some = f'one of {sorted(known, key=str)}' if len(known) <= 20 else f'one of {len(known)} ids'
    raise input_error(
        f'{where}, entry {i}', f'{key} {values[i]!r}', some, 'give files that belong together'
    )


def first_failing(values: Sequence, check: Callable[[Any], Any]) -> int:
    """Index of the first value for which `check` raises; there must be one."""
    for i, value in enumerate(values):
        try:
            check(value)
        except (KeyError, TypeError, ValueError):
            return i
    raise AssertionError('no value fails alone')


def kind(value: Any) -> str:
    """What JSON calls the value."""
    names = {dict: 'object', list: 'list', str: 'string', bool: 'boolean', type(None): 'null'}
    return names.get(type(value), 'number')


def _section(content: Any, key: str, path: str | Path) -> list:
    expected = f'{_KIND}, an object with the list {key!r}'
    if not isinstance(content, dict):
        raise input_error(path, f'a JSON {kind(content)}', expected, 'give another file')
    if key not in content:
        raise input_error(path, f'no {key!r}', expected, 'give another file')
    section = content[key]
    if not isinstance(section, list):
        raise input_error(path, f'{key} as a JSON {kind(section)}', expected, 'write it again')
    if not section and key != 'annotations':
        raise input_error(path, f'no {key}', 'at least one', 'check what wrote the file')
    return section
