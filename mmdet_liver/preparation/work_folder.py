"""`OUT/.work`: what a run keeps for the next one, and the lock that keeps others out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mmdet_liver.errors import input_error
from mmdet_liver.files import remove_partial_files


@contextmanager
def work_folder(out: str | Path) -> Iterator[Path]:
    """Claim `out` for this process and yield `out/.work`; both are made where missing.

    What a killed run left half-written below `out` is removed. A full disk, and whatever
    else the system refuses meanwhile, ends in one line; finished files are kept.
    Raises:
        InputError: if another process is at work in `out`, or on an OSError in the block.
    """
    out = Path(out)
    try:
        folder = out / '.work'
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / 'lock', timeout=0):
            remove_partial_files(out)
            yield folder
    except Timeout:
        raise input_error(
            out, 'another run at work in this folder', 'one at a time', 'wait for it to end'
        ) from None
    except OSError as error:
        raise input_error(
            error.filename or out,
            f'{error.strerror or error}',
            'a disk with room and files open to reading and writing',
            'mend that and run the same command again: it goes on where it was',
        ) from error
