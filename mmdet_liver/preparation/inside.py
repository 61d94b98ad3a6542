"""Paths that stay inside their folder: what every reader of an export asks for."""

from pathlib import Path, PurePosixPath

from mmdet_liver.errors import input_error


def inner_path(root: Path, path: str, where: object) -> Path:
    """`root / path`, after making sure that it does not lead out of `root`.

    Args:
        path: relative, with `/`.
        where: what to call the place that named the path, in an error.
    Raises:
        InputError: for an absolute path, one with `..`, or a symbolic link out of `root`.
    """
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or '..' in pure.parts:
        raise input_error(
            where, f'the path {path!r}', f'a path inside {root}', 'move the file into the folder'
        )
    full = root / pure
    if not full.resolve().is_relative_to(root.resolve()):
        raise input_error(
            where,
            f'{path!r}, a link that leads out of the folder',
            f'a file inside {root}',
            'copy the file into the folder, or drop the link',
        )
    return full
