"""What a run has finished, so that one that was killed goes on where it was.

A journal is a file of lines `[key, fingerprint, value]` in JSON. A line is appended when its
item is done; the fingerprint stands for all that the value depends on, so that a changed
image or option is done again. A line that a kill cut in half is dropped.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmdet_liver.files import write_text


class Journal:
    """Finished items, by key. Use it as a context manager; the file is made on the first line."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._entries: dict[str, tuple[str, Any]] = {}
        self._file = None

    def __enter__(self) -> 'Journal':
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open('a+b')
        self._file.seek(0)
        whole = 0
        for line in self._file:
            entry = _entry(line)
            if entry is None:
                break
            self._entries[entry[0]] = (entry[1], entry[2])
            whole += len(line)
        self._file.truncate(whole)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def get(self, key: str, fingerprint: str) -> Any | None:
        """The value of an item that was finished with the same fingerprint, or None."""
        known = self._entries.get(key)
        return known[1] if known and known[0] == fingerprint else None

    def fingerprint(self, key: str) -> str | None:
        """The fingerprint under which `key` was last finished, or None."""
        known = self._entries.get(key)
        return known and known[0]

    def add(self, key: str, fingerprint: str, value: Any) -> None:
        """Note that an item is done; `value` is what JSON can hold."""
        self._entries[key] = (fingerprint, value)
        self._file.write(_line(key, fingerprint, value))
        self._file.flush()  # out of this process: a kill loses nothing

    def compact(self, keys: Iterable[str]) -> None:
        """Keep these items only, in this order: the same bytes however often a run was killed."""
        self._entries = {key: self._entries[key] for key in keys}
        lines = (_line(key, *entry).decode() for key, entry in self._entries.items())
        self._file.close()
        write_text(self.path, ''.join(lines))
        self._file = self.path.open('ab')


def _line(key: str, fingerprint: str, value: Any) -> bytes:
    return (json.dumps([key, fingerprint, value], separators=(',', ':')) + '\n').encode()


def _entry(line: bytes) -> list | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    whole = line.endswith(b'\n') and isinstance(entry, list) and len(entry) == 3
    return entry if whole else None
