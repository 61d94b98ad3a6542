"""A whole grid: planned, run, and put into tables as it goes."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from mmdet_liver.files import copy_file
from mmdet_liver.reproduction.content import results
from mmdet_liver.reproduction.devices import choose_devices
from mmdet_liver.reproduction.grid import Grid
from mmdet_liver.reproduction.outcomes import Outcomes
from mmdet_liver.reproduction.page import write_results
from mmdet_liver.reproduction.plan import ARM, Job, make_plan
from mmdet_liver.reproduction.running import Runner, missing_steps

_REST = 20  # times as long as a report took, before the next one on the way


def reproduce(
    grid: Grid,
    out: Path,
    tools: Path,
    only: Collection[str] = (),
    device: str = 'auto',
    jobs_at_a_time: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Run what is not finished, and write the results of all that is.

    Args:
        out: an absolute folder.
        tools: folder of the scripts that the steps run.
        only: arms to run; all if empty.
        device, jobs_at_a_time: as `choose_devices` takes them.
        tell: takes a line for the user.
    Returns:
        One line for each job that failed.
    Raises:
        InputError: for a grid, data or configs that do not fit; not for a run that failed.
    """
    devices = choose_devices(device, jobs_at_a_time)
    jobs = make_plan(grid, out, tools)
    copy_file(grid.path, out / 'grid.yaml')
    tell(summary(jobs, only))
    report = Report(grid, jobs, out, tell)
    runner = Runner(devices, tell, report.write_if_due)
    runner.run(chosen(jobs, only))
    report.write()
    return runner.failed


class Report:
    """Writes the results of what is finished, one thread at a time."""

    def __init__(
        self, grid: Grid, jobs: Sequence[Job], out: Path, tell: Callable[[str], None]
    ) -> None:
        self.grid, self.jobs, self.out, self.tell = grid, jobs, out, tell
        self._outcomes = Outcomes()
        self._lock = threading.Lock()
        self._next = 0.0

    def write_if_due(self) -> None:
        """Write, unless that would take more than a small part of the time.

        What goes wrong is told: it is no reason to stop the trainings, and `write` meets it
        again in the end.
        """
        if time.monotonic() < self._next:
            return
        try:
            self.write()
        except Exception as error:
            self.tell(f'tables not written: {type(error).__name__}: {error}')

    def write(self) -> None:
        with self._lock:
            started = time.monotonic()
            finished = self._outcomes.of(self.jobs)
            write_results(results(self.grid, self.jobs, finished, self.out), self.out)
            now = time.monotonic()
            self._next = now + _REST * (now - started)


def chosen(jobs: Sequence[Job], only: Collection[str]) -> list[Job]:
    """The jobs of these arms (all if there are none), with the pretrainings they need."""
    arms = [job for job in jobs if job.kind == ARM and (not only or job.name in only)]
    needed = {job.needs for job in arms} | {job.folder for job in arms}
    return [job for job in jobs if job.folder in needed]


def summary(jobs: Sequence[Job], only: Collection[str]) -> str:
    """How many jobs and steps there are, and how many are left."""
    ours = chosen(jobs, only)
    steps = sum(len(job.steps) for job in ours)
    left = sum(len(missing_steps(job)) for job in ours)
    return f'{len(ours)} jobs of {steps} steps, {left} of them to run'


def describe(grid: Grid, out: Path, tools: Path, only: Collection[str] = ()) -> str:
    """The plan as text: every step that is to run, with its command."""
    jobs = make_plan(grid, out, tools)
    lines = [summary(jobs, only)]
    for job in chosen(jobs, only):
        left = missing_steps(job)
        lines.append(f'{job.label} ({job.kind}): {len(left)} of {len(job.steps)} steps to run')
        lines += [f'    {step.shell_line(job.environment)}' for step in left]
    return '\n'.join(lines)
