"""Work on many items at once, in their order, with a progress bar."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import cv2
from tqdm import tqdm

# Starting a process costs about as much as this many images.
_WORTH_A_PROCESS = 256


def cores() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def map_files(
    function: Callable[[Any], Any], items: Sequence[Any], *, label: str, workers: int = 1
) -> list[Any]:
    """`[function(item) for item in items]` in `workers` processes, or fewer for few items."""
    workers = min(workers, len(items) // _WORTH_A_PROCESS)
    return list(map_in_order(function, items, label=label, workers=workers, chunksize=8))


def map_in_order(
    function: Callable[[Any], Any],
    items: Sequence[Any],
    *,
    label: str,
    unit: str = 'image',
    workers: int = 1,
    chunksize: int = 1,
) -> Iterator[Any]:
    """Yield `function(item)` of each item as soon as it and those before it are there.

    The first exception, in the order of the items, ends the work and is raised here.
    With more than one worker `function` and the items must be picklable, and a script
    must guard its own start with `if __name__ == '__main__'`.

    Args:
        label: what the progress bar says; there is none where stderr is no terminal.
        chunksize: items a worker takes at a time.
    """
    bar = partial(tqdm, total=len(items), desc=label, unit=unit, disable=None)
    if workers <= 1:
        yield from bar(map(function, items))
        return
    # Not fork: OpenCV and the progress bar have threads, and a forked lock stays locked.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        try:
            yield from bar(pool.map(function, items, chunksize=chunksize))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_worker() -> None:
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
