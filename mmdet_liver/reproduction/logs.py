"""What the logs of a step tell: how far it is, what it died of, how long it took."""

import re
import shlex
import time
from pathlib import Path

_EPOCH = re.compile(rb'Epoch\((train|val|test)\)\s*(\[\d+\])?\s*\[ *\d+/\d+\]')
_TAIL = 4096  # bytes
_START = re.compile(r'started (\d+\.\d+): ')


def epoch_of(log: Path) -> str:
    """The last mark of progress that MMEngine wrote, '' before the first."""
    marks = [found.group().decode() for found in _EPOCH.finditer(_tail(log))]
    return marks[-1] if marks else ''


def last_words(log: Path) -> str:
    """The last line that is not empty: of a traceback, what was raised."""
    lines = [line.strip() for line in _tail(log).decode(errors='replace').splitlines()]
    return next((line for line in reversed(lines) if line), 'nothing was written')


def start_line(command: tuple[str, ...] | list[str]) -> str:
    """The first line of a log."""
    return f'started {time.time():.3f}: {shlex.join(command)}\n'


def seconds_of(folder: Path, step: str) -> float:
    """How long all starts of a step took together, those that were killed included.

    A start lasts from the time on its log's first line to when the log was last written.
    """
    total = 0.0
    for log in folder.glob(f'{step}-*.log'):
        with log.open(encoding='utf-8', errors='replace') as file:
            first = _START.match(file.readline())
        if first:  # else it was killed before its first line
            total += max(log.stat().st_mtime - float(first[1]), 0.0)
    return round(total, 1)


def _tail(log: Path) -> bytes:
    with log.open('rb') as file:
        file.seek(0, 2)
        file.seek(max(file.tell() - _TAIL, 0))
        return file.read()
