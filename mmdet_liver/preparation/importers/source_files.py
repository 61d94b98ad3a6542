"""The files below an export's folder, and which of them a table means."""

import os
import unicodedata
from functools import cached_property
from pathlib import Path, PurePosixPath

from mmdet_liver.preparation.inside import inner_path

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.gif', '.webp')


class SourceFiles:
    """All files below `folder`, hidden ones and those of linked folders apart."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.paths = sorted(_walk(self.folder))  # relative to the folder, with /
        self._known = set(self.paths)

    def images(self) -> list[str]:
        """Those that are images by their suffix."""
        return [path for path in self.paths if path.lower().endswith(IMAGE_SUFFIXES)]

    def leads_out(self, path: str) -> bool:
        """Whether a path of `paths` is a symbolic link out of the folder."""
        full = self.folder / path
        return full.is_symlink() and not full.resolve().is_relative_to(self._root)

    def find(self, text: str, where: object) -> str | None:
        """The path of the file that `text` means, None if there is none.

        What other systems do to a name is undone: backslashes, another case, another
        normal form of Unicode, Shift-JIS names; as long as only one file can be meant.

        Args:
            where: what to call the place that named the file, in an error.
        Raises:
            InputError: for a path that leads out of the folder.
        """
        if '\0' in text:
            return None
        for path in dict.fromkeys((text, text.replace('\\', '/'))):
            full = inner_path(self.folder, path, where)
            if path in self._known or os.path.isfile(full):  # noqa: PTH113 (False for any name)
                return str(PurePosixPath(path))
        found = self._by_loose_name.get(_loose(text))
        if found:
            inner_path(self.folder, found, where)
        return found

    @cached_property
    def _root(self) -> Path:
        return self.folder.resolve()

    @cached_property
    def _by_loose_name(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for path in self.paths:
            name = _loose(path)
            found[name] = None if name in found else path
        return found


def _walk(folder: Path) -> list[str]:
    paths = []
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith('.')]
        inner = Path(parent).relative_to(folder)
        paths += [(inner / name).as_posix() for name in names if not name.startswith('.')]
    return paths


def _raise(error: OSError) -> None:
    raise error


def _loose(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError:
        # A Japanese archive unpacked on another system: the bytes are Shift-JIS still.
        path = os.fsencode(path).decode('cp932', 'replace')
    return str(PurePosixPath(unicodedata.normalize('NFC', path).casefold().replace('\\', '/')))
