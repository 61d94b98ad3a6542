"""Files that appear whole or not at all: written beside their place, then renamed into it."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path with the same suffix; rename it to `path` if the block succeeds.

    Missing parent folders are made. On any exception the temporary file is removed and
    what was at `path` before stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f'.{path.stem}-', suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes it private to the user
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
