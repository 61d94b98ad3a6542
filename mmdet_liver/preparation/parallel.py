"""Work on many items at once, in their order, with a progress bar."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import cv2
from tqdm import tqdm

# Starting a process costs about as much as this many images.
WORTH_A_PROCESS = 256
# Work handed out in advance, so that no process waits for a slow image of another.
_CHUNKS_AHEAD = 4


def cores() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def worth_workers(workers: int, items: int) -> int:
    """How many of `workers` so many items are worth."""
    return min(workers, items // WORTH_A_PROCESS)


def map_files(
    function: Callable[[Any], Any], items: Sequence[Any], *, label: str, workers: int = 1
) -> list[Any]:
    """`[function(item) for item in items]` in `workers` processes, or fewer for few items."""
    workers = worth_workers(workers, len(items))
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

    The first exception, in the order of the items, ends the work and is raised here, after
    the results before it.
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
            yield from bar(_windowed(pool, function, items, workers, chunksize))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _windowed(
    pool: ProcessPoolExecutor, function: Callable, items: Sequence, workers: int, chunksize: int
) -> Iterator[Any]:
    # Not pool.map: that holds every item and every finished result, however many they are.
    starts = iter(range(0, len(items), chunksize))

    def submit(start: int) -> Future:
        return pool.submit(_run_chunk, function, items[start : start + chunksize])

    waiting = deque(submit(start) for start in islice(starts, workers * _CHUNKS_AHEAD))
    while waiting:
        finished, error = waiting.popleft().result()
        waiting.extend(submit(start) for start in islice(starts, 1))
        yield from finished
        if error is not None:
            raise error


def _run_chunk(function: Callable, items: Sequence) -> tuple[list, Exception | None]:
    # What was done before an error is done: it goes back, so that a journal can keep it.
    finished = []
    for item in items:
        try:
            finished.append(function(item))
        except Exception as error:  # noqa: BLE001 (raised again in the parent)
            return finished, error
    return finished, None


def _start_worker() -> None:
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    # A killed parent tells its workers nothing; they would wait for work for ever.
    multiprocessing.parent_process().join()
    os._exit(1)
