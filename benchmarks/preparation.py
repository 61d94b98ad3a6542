"""Throughput of the preparation as a share of the bare decode limit, and its memory.

The limit: the same files read and decoded by OpenCV, in as many processes. The claim: a
share of at least 0.4 with every step of the cleansing on and 20% of the images marked, and
under 2 GB of memory whatever the count. Images are phantom frames, each varied many times
in gain, gamma and place; `--images 84000` is the size of the national database (a quarter
of an hour to make, about 9 GB as PNG).
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np

from mmdet_liver.preparation.manifest import Record, write_manifest
from mmdet_liver.preparation.parallel import cores, map_in_order
from mmdet_liver.preparation.phantom import frames

_TOOL = Path(__file__).parents[1] / 'tools/prepare_data.py'
# Screens are mostly saved in colour, grey as they are (BUSI's are, too).
KINDS = {'color PNG': '.png', 'grey PNG': '.png', 'grey JPEG': '.jpg'}
_MARKED = 5  # one in so many
_BASES = 100  # rendered frames; every image is a variation of one


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=6000, help='images (%(default)s)')
    parser.add_argument('--kind', choices=KINDS, nargs='+', default=list(KINDS), help='(all)')
    parser.add_argument('--workers', type=int, default=cores(), help='processes (all cores)')
    parser.add_argument('--folder', type=Path, help='where to make the images (a temporary one)')
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        bases = Path(name, 'bases.pickle')
        bases.write_bytes(pickle.dumps(list(_bases())))
        for kind in args.kind:
            with tempfile.TemporaryDirectory(dir=args.folder) as folder:
                _measure(Path(folder), bases, args.images, kind, args.workers)


@cache
def _load(bases: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    return pickle.loads(bases.read_bytes())  # once a process, not once a task


def _measure(folder: Path, bases: Path, count: int, kind: str, workers: int) -> None:
    make = partial(_write_variant, folder / 'raw', bases, kind)
    records = list(map_in_order(make, range(count), label='making', workers=workers, chunksize=16))
    write_manifest(folder / 'raw/manifest.csv', records)
    paths = [folder / 'raw' / record.image_path for record in records]
    size = sum(path.stat().st_size for path in paths)
    start = time.perf_counter()
    for _ in map_in_order(_decode, paths, label='decoding', workers=workers, chunksize=16):
        pass
    limit = time.perf_counter() - start
    print(f'{count} images, {kind}, {size / 1e6:.0f} MB, {workers} processes', flush=True)
    # All stay, so that all are placed: the bases' variations are look-alikes.
    seconds, peak = _prepare(folder, workers, '--of-a-cluster', 'keep-all', '--max-pages', '0')
    again, _ = _prepare(folder, workers, '--of-a-cluster', 'keep-all', '--max-pages', '0')
    steps = json.loads((folder / 'out/dataset.json').read_text())['decisions']
    print(f'  read and decoded by OpenCV   {limit:8.1f} s  {count / limit:7.1f} images/s')
    print(f'  prepared                     {seconds:8.1f} s  {count / seconds:7.1f} images/s')
    print(f'  share of the decode limit    {limit / seconds:8.2f}    (claim: at least 0.4)')
    print(f'  run again, all there         {again:8.1f} s')
    print(f'  cleaned {steps["marks: cleaned"]} images; {-(-count // _MARKED)} are marked')
    bound = peak * (workers + 1)
    print(f'  largest process {peak:.0f} MiB, all under {bound:.0f} MiB (claim: 2 GB)')


def _prepare(folder: Path, workers: int, *options: str) -> tuple[float, float]:
    """Seconds of the tool as a user runs it, and the memory of its largest process in MiB."""
    argv = [sys.executable, _TOOL, folder / 'raw/manifest.csv', '--out', folder / 'out']
    start = time.perf_counter()
    process = subprocess.Popen([*argv, '--workers', str(workers), *options], stdout=subprocess.PIPE)
    process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, 'the preparation failed'
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def _bases() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(unmarked, marked) renderings of the same frames, no larger than 640x480."""
    burn_in = frames.burn_in
    plain: list[np.ndarray] = []

    def remember(image: np.ndarray, *args: object) -> np.ndarray:
        plain.append(image)
        return burn_in(image, *args)

    frames.burn_in = remember
    found = index = 0
    while found < _BASES:
        plain.clear()
        _, rendered = frames.patient_frames(0, index)
        for frame in rendered:
            if max(frame.image.shape) >= 512 and not frame.near_duplicate and found < _BASES:
                found += 1
                yield plain[-1], frame.image
        index += 1
    frames.burn_in = burn_in


def _write_variant(folder: Path, bases: Path, kind: str, number: int) -> Record:
    renderings = _load(bases)
    rng = np.random.default_rng(number)
    base = number % len(renderings)
    image = renderings[base][number // len(renderings) % _MARKED == 0]
    shift = np.float32([[1, 0, rng.integers(-6, 7)], [0, 1, rng.integers(-6, 7)]])
    moved = cv2.warpAffine(image, shift, image.shape[1::-1])
    levels = 255 * (np.arange(256) / 255) ** rng.uniform(0.8, 1.25)
    varied = cv2.LUT(moved, levels.round().astype(np.uint8))
    pixels = varied[..., ::-1] if varied.ndim == 3 else varied
    if kind.startswith('color') and pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    suffix = KINDS[kind]
    path = f'{number // 1000:03d}/{number:06d}{suffix}'
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(cv2.imencode(suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1])
    # A base's variations look alike, so they are one patient's.
    lesion = ('cyst', 'HCC', 'hemangioma', 'Meta')[base % 4]
    box = (200.0, 150.0, 300.0, 240.0)
    return Record(path, f'P{base}', age=60, diagnosis=lesion, box=box)


def _decode(path: Path) -> tuple[int, ...]:
    data = np.frombuffer(path.read_bytes(), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED).shape


if __name__ == '__main__':
    main()
