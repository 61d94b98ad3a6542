"""Which device a job runs on, and what it is called in a table."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error

AUTO = 'auto'


@dataclass(frozen=True)
class Device:
    """`environment` makes a process see this device and no other."""

    name: str
    environment: dict[str, str]


def choose_devices(wanted: str, jobs: int) -> list[Device]:
    """One device for each of so many jobs at a time; several may share one.

    Args:
        wanted: 'auto' (all GPUs in turn, else the CPU), 'cpu', 'cuda' or 'cuda:1'.
    Raises:
        InputError: for a device that is not there.
    """
    kind, _, index = wanted.partition(':')
    if kind not in (AUTO, 'cpu', 'cuda') or (index and not index.isdecimal()):
        raise input_error('--device', wanted, 'auto, cpu, cuda or cuda:N', 'correct it')
    gpus = {} if kind == 'cpu' else gpu_names()
    if kind == 'cuda' and (not gpus or (index and index not in gpus)):
        there = ', '.join(f'cuda:{i} ({name})' for i, name in gpus.items()) or 'no GPU'
        raise input_error('--device', wanted, f'what is there ({there})', 'choose that')
    if not gpus:
        return [Device(cpu_name(), {'CUDA_VISIBLE_DEVICES': '', **_threads(jobs)})] * jobs
    chosen = [index] if index else list(gpus)
    return [
        Device(gpus[i], {'CUDA_VISIBLE_DEVICES': i})
        for i in (chosen[job % len(chosen)] for job in range(jobs))
    ]


def gpu_names() -> dict[str, str]:
    """Index -> name of NVIDIA's GPUs, as far as CUDA_VISIBLE_DEVICES lets them be seen."""
    query = ['nvidia-smi', '--query-gpu=index,name', '--format=csv,noheader']
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    names = dict(line.split(', ', 1) for line in done.stdout.splitlines() if ', ' in line)
    visible = os.environ.get('CUDA_VISIBLE_DEVICES')
    if visible is None:
        return names
    return {index: names[index] for index in visible.split(',') if index in names}


def cpu_name() -> str:
    """Model and the number of cores that this process may use."""
    model = platform.processor() or platform.machine()
    info = Path('/proc/cpuinfo')
    if info.is_file():
        lines = info.read_text().splitlines()
        model = next((line.partition(': ')[2] for line in lines if 'model name' in line), model)
    return f'{model}, {_cores()} cores'


def _cores() -> int:
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _threads(jobs: int) -> dict[str, str]:
    # A job's threads that wait for another job's cost more than they give.
    if jobs == 1 or 'OMP_NUM_THREADS' in os.environ:
        return {}
    return {'OMP_NUM_THREADS': str(max(_cores() // jobs, 1))}
