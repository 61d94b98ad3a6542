"""A job's folder belongs to one process at a time, those left by a killed call included."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmdet_liver.errors import input_error


@contextmanager
def claimed(folder: Path) -> Iterator[tuple[int, ...]]:
    """Hold the lock of a folder, made beside it; yield the descriptors to pass to processes.

    A process that was passed them holds the lock until it ends, even if its parent is gone.
    Where the system has no such locks, nothing is held.
    Raises:
        InputError: if a process of an earlier call is still at work there.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield ()
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f'.{folder.name}.lock').open('w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise input_error(
                folder,
                'a process of an earlier call still at work',
                'none',
                'end it, or wait and run the same command again',
            ) from None
        yield (file.fileno(),)
