"""Files that appear whole or not at all: written beside their place, then renamed into it.

What a killed process leaves behind is named `.partial-*` and nothing else is.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PARTIAL = '.partial-'


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path with the same suffix; rename it to `path` if the block succeeds.

    Missing parent folders are made. On any exception the temporary file is removed and
    what was at `path` before stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_PARTIAL, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes it private to the user
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def copy_file(source: str | Path, target: str | Path, *, link: bool = False) -> None:
    """Copy the bytes, or with `link` make a hard link where the file system can."""
    target = Path(target)
    if link:
        # The temporary name is only a place to link to: a link shares mode and content
        # with the source, so nothing may be done to it but renaming.
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f'{_PARTIAL}{target.name}')
        temporary.unlink(missing_ok=True)
        try:
            os.link(Path(source).resolve(), temporary)
        except OSError:
            pass  # another file system, or one without links
        else:
            temporary.replace(target)
            temporary.unlink(missing_ok=True)  # renaming onto a link of the same file does nothing
            return
    with whole_file(target) as temporary:
        shutil.copyfile(source, temporary)


def file_sha256(path: str | Path) -> str:
    """Hex digest of the file's bytes; empty if there is no such file."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except FileNotFoundError:
        return ''


def remove_partial_files(folder: str | Path) -> None:
    """Remove what processes that were killed left below `folder`; no one may be writing there."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.startswith(_PARTIAL):
                Path(parent, name).unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def write_json(path: str | Path, content: Any, indent: int | None = None) -> None:
    """Write JSON, compact unless `indent` is given; NaN and infinity are refused (not JSON)."""
    separators = None if indent else (',', ':')
    text = json.dumps(
        content, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    write_text(path, text + '\n')


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
