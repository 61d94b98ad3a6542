"""How much of the phantom's marks is found and removed, and how long it takes.

The truth are the pixels that differ between a frame with and without its marks. For each of the
phantom's scanners: recall of visible mark pixels (that differ by more than 24 grey levels);
precision, the share of the found pixels on the picture that lie within 2 px of a mark; the mean
error against the unmarked frame before and after removal; frames without marks in which anything
was found; and the median time, in which the unmarked PNG is decoded, searched, and a marked one
searched and cleaned.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.marks.finding import find_marks
from mmdet_liver.preparation.cleansing.marks.removal import remove_marks
from mmdet_liver.preparation.phantom import frames, views
from mmdet_liver.preparation.phantom.scanners import SCANNERS, Scanner

_VISIBLE, _ON_PICTURE, _NEAR = 24, 6, 2  # grey levels, grey levels, pixels


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=12, help='frames a scanner (%(default)s)')
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    print(
        '                 recall precision   error before/after  false   ms: decode  none  marked'
    )
    for scanner in SCANNERS:
        pairs = [pair for pair, _ in zip(_pairs(scanner), range(args.frames), strict=False)]
        _print_scores(scanner, pairs)


def _print_scores(scanner: Scanner, pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    counts = np.array([_counts(clean, marked) for clean, marked in pairs]).sum(axis=0)
    recall, precision = counts[0] / counts[1], 1 - counts[2] / counts[3]
    before, after, false = counts[4] / len(pairs), counts[5] / len(pairs), counts[6]
    seconds = [_seconds(clean, marked) for clean, marked in pairs]
    decode, none, found = 1e3 * np.median(seconds, axis=0)
    size = f'{scanner.width}x{scanner.height}'
    print(
        f'{scanner.name:6}{size:>10} {recall:6.3f}    {precision:6.3f}     {before:6.3f} '
        f'{after:6.3f}   {false:4.0f}    {decode:8.1f} {none:6.1f} {found:6.1f}'
    )


def _counts(clean: np.ndarray, marked: np.ndarray) -> tuple[float, ...]:
    truth = _gray(cv2.absdiff(clean, marked))
    mask = find_marks(marked).mask
    visible = truth > _VISIBLE
    near = cv2.dilate((truth > 0).astype(np.uint8), np.ones((2 * _NEAR + 1,) * 2, np.uint8)) > 0
    false = mask & (_gray(clean) > _ON_PICTURE) & ~near
    restored = remove_marks(marked, mask)
    return (
        (mask & visible).sum(),
        visible.sum(),
        false.sum(),
        mask.sum(),
        truth.mean(),
        _gray(cv2.absdiff(clean, restored)).mean(),
        float(find_marks(clean).mask.any()),
    )


def _seconds(clean: np.ndarray, marked: np.ndarray) -> tuple[float, float, float]:
    data = cv2.imencode('.png', clean)[1]

    def clean_up() -> None:
        remove_marks(marked, find_marks(marked).mask)

    return (
        _timed(lambda: cv2.imdecode(data, cv2.IMREAD_UNCHANGED)),
        _timed(lambda: find_marks(clean)),
        _timed(clean_up),
    )


def _timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _pairs(scanner: Scanner) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(unmarked, marked) renderings of frames, in colour where the marks have any."""
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    burn_in = frames.burn_in

    def remember(image: np.ndarray, *args: object) -> np.ndarray:
        marked = burn_in(image, *args)
        if marked.ndim == 3:
            pairs.append((cv2.merge([image] * 3), np.ascontiguousarray(marked[..., ::-1])))
        else:
            pairs.append((image, marked))
        return marked

    views.SCANNERS = (replace(scanner, weight=1.0),)
    frames.burn_in = remember
    patient = 0
    try:
        while True:
            pairs.clear()
            for _ in frames.patient_frames(11, patient)[1]:
                yield pairs[-1]
            patient += 1
    finally:
        frames.burn_in = burn_in


def _gray(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 2 else image.max(axis=2)


if __name__ == '__main__':
    main()
