"""From a hashed name back to the source file, for who holds the source and the key."""

from collections.abc import Collection
from pathlib import Path, PurePosixPath

from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.importers.source_files import IMAGE_SUFFIXES, SourceFiles


def stem_of(name: str) -> str:
    """An image's hashed name, whatever folder and suffix it is given with.

    The views of one DICOM frame, `NAME-1`, `NAME-2`, come from one file.
    """
    return PurePosixPath(name).stem.partition('-')[0]


def trace_images(
    source: str | Path, identity: Identity, names: Collection[str], *, max_frames: int = 1000
) -> dict[str, tuple[str, int | None]]:
    """Hash every file below `source` and compare; nothing is written.

    Args:
        names: as `stem_of` gives them.
        max_frames: frames that are tried of each file that may be DICOM.
    Returns:
        name -> (path relative to `source`, frame or None), for the names that fit a file.
    """
    wanted = set(names)
    found: dict[str, tuple[str, int | None]] = {}
    paths = SourceFiles(source).paths

    def try_name(path: str, frame: int | None) -> None:
        stem = identity.image(path, frame).rpartition('/')[2]
        if stem in wanted:
            found[stem] = (path, frame)

    for path in paths:
        try_name(path, None)
    for path in paths:
        if len(found) == len(wanted):
            break
        if not path.lower().endswith((*IMAGE_SUFFIXES, '.json', '.csv')):
            for frame in range(max_frames + 1):
                try_name(path, frame)
    return found
