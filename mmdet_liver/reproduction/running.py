"""Run the steps of jobs as processes: resumable, logged, one failure at a time.

A job's folder holds `job.json` (its inputs), `STEP.done.json` for each step that is
finished, and `logs/STEP-N.log`, one a start. A step whose marker is there is not run
again; a training that was stopped goes on from its last checkpoint. If the inputs changed,
the folder is set aside under another name, and the job starts anew.
"""

import contextlib
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from mmdet_liver.coco_files import read_json
from mmdet_liver.errors import InputError, input_error
from mmdet_liver.files import write_json, write_text
from mmdet_liver.reproduction.claiming import claimed
from mmdet_liver.reproduction.devices import Device
from mmdet_liver.reproduction.logs import epoch_of, last_words, seconds_of, start_line
from mmdet_liver.reproduction.plan import ARM, Job
from mmdet_liver.reproduction.steps import BEST, TRAIN, Step

_POLL_S = 0.5


class Runner:
    """Runs jobs on devices, as many at a time as there are `devices`.

    Args:
        devices: one entry for each job that may run at a time.
        tell: takes a line for the user.
        finished: is called after each arm that is finished.
    """

    def __init__(
        self,
        devices: Sequence[Device],
        tell: Callable[[str], None],
        finished: Callable[[], None] = lambda: None,
    ) -> None:
        self.slots: queue.Queue[Device] = queue.Queue()
        for device in devices:
            self.slots.put(device)
        self.count = len(devices)
        self.tell, self.finished = tell, finished
        self.failed: list[str] = []
        self._stop = threading.Event()

    def run(self, jobs: Sequence[Job]) -> None:
        """Run all jobs, each after what it needs; `failed` then names those that failed.

        On an interrupt the processes are ended first.
        """
        steps = sum(len(missing_steps(job)) for job in jobs)
        done: dict[Path, Future] = {}
        with (
            tqdm(total=steps, unit='step', disable=None, leave=False) as bar,
            ThreadPoolExecutor(self.count) as pool,
        ):
            try:
                for job in jobs:
                    # Its need was handed in before it, so a worker has it or has done it.
                    done[job.folder] = pool.submit(self._job, job, done.get(job.needs), bar)
                for future in done.values():
                    future.result()
            except BaseException:
                self._stop.set()  # whoever waits for a process ends it
                raise

    def _job(self, job: Job, need: Future | None, bar: tqdm) -> bool:
        needed = need is None or need.result()
        if self._stop.is_set():
            return False
        if not needed:
            self._fail(f'{job.label}: left out, as its pretraining failed')
            return False
        if job.lacks:
            self._fail(
                f'{job.label}: left out; {job.lacks}: found no such file; expected the checkpoint '
                'file that it starts from; make it, then run the same command again'
            )
            return False
        device = self.slots.get()
        try:
            with claimed(job.folder) as descriptors:
                prepare(job)
                left = missing_steps(job)
                for step in left:
                    if not self._step(job, step, device, descriptors, bar):
                        return False
                    bar.update()
            if left and job.kind == ARM:
                self.finished()
            return True
        except (InputError, OSError) as error:
            self._fail(f'{job.label}: {error}')
            return False
        finally:
            self.slots.put(device)

    def _step(
        self, job: Job, step: Step, device: Device, descriptors: tuple[int, ...], bar: tqdm
    ) -> bool:
        label = f'{job.label}, {step.name}'
        log = _next_log(job, step)
        command = with_checkpoint(step.command, job.folder / TRAIN)
        started = time.time()
        process = self._start(command, {**job.environment, **device.environment}, log, descriptors)
        status = self._wait(process, log, label, bar)
        if self._stop.is_set():
            return False
        if status:
            self._fail(
                f'{label}: failed with status {status}: {last_words(log)} (all of it: {log})'
            )
            return False
        seconds = seconds_of(log.parent, step.name)
        marker = {
            'inputs': job.inputs,
            'seconds': seconds,
            'device': device.name,
            'command': list(command),
        }
        write_json(_marker(job, step), marker, indent=2)
        if step.name == TRAIN and job.kind == ARM:
            # Not before the marker: a training without either would begin anew.
            drop_optimizer_states(step.folder)
        self.tell(f'{label}: done in {time.time() - started:.0f} s')
        return True

    def _start(
        self, command: Sequence[str], environment: dict, log: Path, descriptors: tuple[int, ...]
    ) -> subprocess.Popen:
        with log.open('w', encoding='utf-8') as file:
            file.write(start_line(command))
            file.flush()
            process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
                pass_fds=descriptors,
            )
        return process

    def _wait(self, process: subprocess.Popen, log: Path, label: str, bar: tqdm) -> int:
        while process.poll() is None:
            if self._stop.is_set():
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_POLL_S)
            bar.set_postfix_str(' '.join(filter(None, [label, epoch_of(log)])))
        return process.returncode

    def _fail(self, line: str) -> None:
        self.failed.append(line)
        self.tell(line)


def missing_steps(job: Job) -> list[Step]:
    """The steps without a marker of these inputs; all after the first one count as missing."""
    for i, step in enumerate(job.steps):
        if not is_done(job, step):
            return list(job.steps[i:])
    return []


def is_done(job: Job, step: Step) -> bool:
    path = _marker(job, step)
    if not path.is_file():
        return False
    marker = read_json(path, 'a marker')
    command, settings = marker['command'], list(step.settings)
    return marker['inputs'] == job.inputs and command[len(command) - len(settings) :] == settings


def done_marker(job: Job, step_name: str) -> dict:
    """What the marker of a finished step holds: seconds, device, command."""
    return read_json(job.folder / f'{step_name}.done.json', 'a marker')


def prepare(job: Job) -> None:
    """Make the job's folder, with the commands to come; one of other inputs is set aside first."""
    state = job.folder / 'job.json'
    known = read_json(state, 'a job')['inputs'] if state.is_file() else None
    if known not in (None, job.inputs):
        _set_aside(job.folder, known)
    if known != job.inputs:
        write_json(state, {'inputs': job.inputs, 'job': job.label, 'kind': job.kind}, indent=2)
    if missing_steps(job):
        lines = [f'{step.shell_line(job.environment)}\n' for step in job.steps]
        write_text(job.folder / 'commands.txt', ''.join(lines))


def _set_aside(folder: Path, inputs: str) -> None:
    aside = folder.with_name(f'{folder.name}.of-{inputs[:8]}')
    number = 1
    while aside.exists():
        number += 1
        aside = folder.with_name(f'{folder.name}.of-{inputs[:8]}-{number}')
    folder.rename(aside)


def with_checkpoint(command: Sequence[str], trained: Path) -> tuple[str, ...]:
    """The command with the best checkpoint of `trained`, the last one if none was chosen."""
    if BEST not in command:
        return tuple(command)
    best = sorted(trained.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    last = trained / 'last_checkpoint'
    if not best and not last.is_file():
        raise input_error(trained, 'no checkpoint', 'one', 'delete the folder and run again')
    chosen = str(best[-1]) if best else last.read_text().strip()
    return tuple(chosen if word == BEST else word for word in command)


def drop_optimizer_states(folder: Path) -> None:
    """Once trained, keep the best checkpoint only: the others are as large several times."""
    if list(folder.glob('best_*.pth')):
        for path in [*folder.glob('epoch_*.pth'), folder / 'last_checkpoint']:
            path.unlink(missing_ok=True)


def _marker(job: Job, step: Step) -> Path:
    return job.folder / f'{step.name}.done.json'


def _next_log(job: Job, step: Step) -> Path:
    folder = job.folder / 'logs'
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + max(
        (int(p.stem.rpartition('-')[2]) for p in folder.glob(f'{step.name}-*.log')), default=0
    )
    return folder / f'{step.name}-{number}.log'
