"""Work on many files at once, with a progress bar."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tqdm import tqdm

# Starting a process costs about as much as this many images.
_WORTH_A_PROCESS = 256


def cores() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def map_files(
    function: Callable[[Any], Any], items: Sequence[Any], *, label: str, workers: int = 1
) -> list[Any]:
    """`[function(item) for item in items]` in `workers` processes, or fewer for few items.

    The first exception, in the order of the items, ends the work and is raised here.
    With more than one worker `function` and the items must be picklable, and a script
    must guard its own start with `if __name__ == '__main__'`.
    """
    workers = min(workers, len(items) // _WORTH_A_PROCESS)
    if workers <= 1:
        return _collect(map(function, items), len(items), label)
    # Not fork: OpenCV and the progress bar have threads, and a forked lock stays locked.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            return _collect(pool.map(function, items, chunksize=8), len(items), label)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _collect(results: Iterable[Any], count: int, label: str) -> list[Any]:
    # disable=None: no bar where stderr is no terminal.
    return list(tqdm(results, total=count, desc=label, unit='image', disable=None))
