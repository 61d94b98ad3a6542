"""The study's metric against COCO's own evaluators: how much faster, and how it grows.

Made-up data of the study's size (`made_detections.py`): 8,391 images, 100 predictions each.
The same inputs for all, one process, taking turns; medians and their ratios are printed.

- growth: the full sweep on 1,000 to 100,000 images, each in a fresh process whose memory is
  told: with the data only, and at its peak.
- sweep: from arrays (there: objects) in memory to matrices and scores at 21 thresholds,
  matching included. COCOeval and faster-coco-eval do their evaluate() and accumulate(), which
  is another metric on the same boxes, and what our own COCO AP gives.
- ground truth, results: reading the files, into arrays here, into a COCO object there.
- bootstrap: 95% intervals of all numbers of a report, and the paired comparison with a second
  detector, by resampled patients, each in a fresh process.
"""

import argparse
import contextlib
import io
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from made_detections import PREDICTIONS, make_detections, make_truth, write_files

from mmdet_liver.evaluation.arrays import Detections, Truth
from mmdet_liver.evaluation.confusion import find_outcomes, sweep
from mmdet_liver.evaluation.detection_files import read_detections, read_truth
from mmdet_liver.evaluation.matching import match
from mmdet_liver.evaluation.measures.average_precision import average_precision
from mmdet_liver.evaluation.scoring import evaluate
from mmdet_liver.evaluation.uncertainty.comparison import compare
from mmdet_liver.evaluation.uncertainty.intervals import find_intervals
from mmdet_liver.evaluation.uncertainty.units import resampling_units

IMAGES, RESAMPLES = 8_391, 2_000
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
MIB = 2**20


def full_sweep(truth: Truth, detections: Detections) -> object:
    return sweep(find_outcomes(truth, detections, match(truth, detections)))


def seconds_of(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        call()
    return time.perf_counter() - start


def take_turns(title: str, calls: dict[str, Callable[[], object]], repeats: int) -> None:
    """Print the median of each call, taking turns, and how much longer than ours it takes."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            times[name].append(seconds_of(call))
    ours = statistics.median(times['ours'])
    for name, taken in times.items():
        median = statistics.median(taken)
        ratio = '' if name == 'ours' else f'  ratio {median / ours:6.1f}'
        print(f'{title:14s}{name:18s}{median:9.3f} s{ratio}')


def show_ratios(images: int, repeats: int, peers: bool) -> None:
    rng = np.random.default_rng(0)
    truth = make_truth(rng, images)
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(truth, make_detections(rng, truth), Path(folder))
        truth, detections = read_truth(files[0]), read_detections(files[1], truth)
        print(
            f'\n{images:,} images, {len(detections.image):,} predictions, results file of '
            f'{files[1].stat().st_size / 1e6:.0f} MB; median of {repeats}'
        )
        ours = {
            'ours': lambda: full_sweep(truth, detections),
            'COCO AP, ours': lambda: average_precision(truth, detections),
        }
        take_turns('sweep', ours | (_sweeping_peers(*files) if peers else {}), repeats)
        ours = {'ours': (lambda: read_truth(files[0]), lambda: read_detections(files[1], truth))}
        readers = ours | (_reading_peers(*files) if peers else {})
        for title, number in (('ground truth', 0), ('results', 1)):
            take_turns(title, {name: calls[number] for name, calls in readers.items()}, repeats)


def _sweeping_peers(truth: Path, results: Path) -> dict[str, Callable[[], object]]:
    def evaluated(evaluator: object) -> None:
        evaluator.evaluate()
        evaluator.accumulate()

    calls = {}
    for name, (coco, evaluator) in _peer_classes().items():
        with contextlib.redirect_stdout(io.StringIO()):
            given = coco(str(truth))
            found = given.loadRes(str(results))
        calls[name] = lambda e=evaluator, g=given, f=found: evaluated(e(g, f, 'bbox'))
    return calls


def _reading_peers(truth: Path, results: Path) -> dict[str, tuple[Callable[[], object], ...]]:
    calls = {}
    for name, (coco, _) in _peer_classes().items():
        with contextlib.redirect_stdout(io.StringIO()):
            given = coco(str(truth))
        calls[name] = (
            lambda c=coco: c(str(truth)),
            lambda g=given: g.loadRes(str(results)),
        )
    return calls


def _peer_classes() -> dict[str, tuple[type, type]]:
    import faster_coco_eval
    from pycocotools import coco, cocoeval

    return {
        'pycocotools': (coco.COCO, cocoeval.COCOeval),
        'faster-coco-eval': (faster_coco_eval.COCO, faster_coco_eval.COCOeval_faster),
    }


def measure_sweep(images: int, repeats: int) -> tuple[float, float, float]:
    """Median seconds of a full sweep; MiB of the process with the data only, and at its peak."""
    rng = np.random.default_rng(images)
    truth = make_truth(rng, images)
    detections = make_detections(rng, truth)
    data = _resident() / MIB
    seconds = [seconds_of(lambda: full_sweep(truth, detections)) for _ in range(repeats)]
    return statistics.median(seconds), data, _peak()


def measure_bootstrap(images: int, resamples: int, second: bool) -> tuple[float, float]:
    """Seconds of intervals, or of a comparison with a `second` detector; peak MiB."""
    rng = np.random.default_rng(0)
    truth = make_truth(rng, images)
    one, other = (evaluate(truth, make_detections(rng, truth)) for _ in range(2))
    if second:
        seconds = seconds_of(lambda: compare(one, other, resampling_units(truth), resamples))
    else:
        seconds = seconds_of(lambda: find_intervals(one, resamples=resamples))
    return seconds, _peak()


def _resident() -> int:
    # Bytes that the process holds now (Linux).
    return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize()


def _peak() -> float:
    # MiB. A child starts with its parent's, so measure before the parent has grown.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_fresh_process(work: Callable, *args: object) -> tuple:
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        return pool.submit(work, *args).result()


def show_growth(largest: int, repeats: int) -> None:
    print(f'{"images":>10s}{"predictions":>14s}{"sweep s":>10s}{"data MiB":>10s}{"peak MiB":>10s}')
    done: list[tuple[int, float]] = []
    for images in (n for n in SIZES if n <= largest):
        seconds, data, peak = in_fresh_process(measure_sweep, images, repeats)
        done.append((images, seconds))
        predictions = images * PREDICTIONS
        print(f'{images:10,d}{predictions:14,d}{seconds:10.3f}{data:10.0f}{peak:10.0f}')
    if len(done) > 1:
        power = np.polyfit(*np.log(np.array(done).T), 1)[0]
        print(f'seconds grow with the power {power:.2f} of the number of predictions')


def show_bootstrap(images: int, resamples: int) -> None:
    print(f'\n{resamples:,} resamples of {images:,} images')
    for name, second in (('intervals', False), ('comparison', True)):
        seconds, peak = in_fresh_process(measure_bootstrap, images, resamples, second)
        print(f'{name:14s}{seconds:9.1f} s, peak {peak:,.0f} MiB')


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', type=int, default=IMAGES, help='of the ratios (%(default)s)')
    parser.add_argument('--repeats', type=int, default=3, help='runs of each (%(default)s)')
    parser.add_argument('--largest', type=int, default=SIZES[-1], help='images, of the growth')
    parser.add_argument('--resamples', type=int, default=RESAMPLES, help='0: no bootstrap')
    parser.add_argument('--skip-peers', action='store_true', help='time only our own')
    args = parser.parse_args(argv)
    show_growth(args.largest, args.repeats)
    if args.resamples:
        show_bootstrap(args.images, args.resamples)
    show_ratios(args.images, args.repeats, not args.skip_peers)


if __name__ == '__main__':
    main()
