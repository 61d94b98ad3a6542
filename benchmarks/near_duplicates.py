"""The search for near-duplicates: complete, how much faster than brute force, how it grows.

First 83,903 random 64-bit hashes, 5,000 of them planted 1 to 4 bits from another: every pair
found is compared with brute force (numpy, row by row over all pairs), the two taking turns,
the shortest of 3 runs each. Then clusters at MAX_DISTANCE of 10,000 to 1,000,000 hashes, each
in a fresh process whose peak memory is told: random ones, and ones that crowd as real ones do.

Those are made from real hashes (of phantom frames, or of `--images`): a hash takes each bit
from a real one or from one of its 32 nearest, by chance, so that bits keep their shares and
their company. The check printed is the share of pairs that are close, in the real hashes
and in as many made ones; the more are made, the denser they lie.
"""

import argparse
import math
import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from hash_distances import folder_images, phantom_images

from mmdet_liver.preparation.cleansing.near_duplicates import (
    MAX_DISTANCE,
    find_clusters,
    near_pairs,
)
from mmdet_liver.preparation.cleansing.perceptual_hash import MIN_CONTRAST, appearance_of

HASHES, PLANTED, PLANTED_DISTANCE = 83_903, 5_000, 4
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
BEARABLE = 100_000  # for brute force
NEAREST = 32


def random_hashes(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(0, 2**64, count, dtype=np.uint64)


def with_planted(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hashes, and (PLANTED, 2) which of them lies near which, the larger index last."""
    first = HASHES - PLANTED
    hashes = random_hashes(rng, HASHES)
    sources = rng.choice(first, PLANTED, replace=False)
    for k, source in enumerate(sources):
        bits = rng.choice(64, 1 + k % PLANTED_DISTANCE, replace=False)
        hashes[first + k] = hashes[source] ^ np.bitwise_or.reduce(
            np.uint64(1) << bits.astype(np.uint64)
        )
    return hashes, np.stack([sources, np.arange(first, HASHES)], axis=1)


def brute_force(hashes: np.ndarray, max_distance: int) -> np.ndarray:
    found = []
    for i in range(len(hashes) - 1):
        distances = np.bitwise_count(hashes[i + 1 :] ^ hashes[i])
        for j in np.flatnonzero(distances <= max_distance):
            found.append((i, i + 1 + int(j)))
    return np.array(found, np.int64).reshape(-1, 2)


def seconds_of(call: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def show_claim(rng: np.random.Generator) -> None:
    hashes, planted = with_planted(rng)
    times: dict[str, list[float]] = {'ours': [], 'brute': []}
    for _ in range(3):
        for name, search in (('brute', brute_force), ('ours', near_pairs)):
            seconds, pairs = seconds_of(lambda s=search: s(hashes, PLANTED_DISTANCE))
            times[name].append(seconds)
            if name == 'brute':
                expected = pairs
    found = set(map(tuple, pairs.tolist()))
    hits = sum(pair in found for pair in map(tuple, planted.tolist()))
    brute, ours = min(times['brute']), min(times['ours'])
    print(f'{HASHES} random hashes, within {PLANTED_DISTANCE} bits: {hits} of {PLANTED} planted')
    print(f'pairs found, {len(pairs)}, equal to brute force: {np.array_equal(pairs, expected)}')
    print(f'brute force {brute:.2f} s, ours {ours:.3f} s, ratio {brute / ours:.0f} (goal 8)')


def crowded_hashes(rng: np.random.Generator, real: np.ndarray, count: int) -> np.ndarray:
    distances = np.bitwise_count(real[:, None] ^ real).astype(np.int64)
    np.fill_diagonal(distances, 65)
    nearest = distances.argsort(axis=1, kind='stable')[:, :NEAREST]
    parents = rng.integers(0, len(real), count)
    others = nearest[parents, rng.integers(0, nearest.shape[1], count)]
    chosen = random_hashes(rng, count)
    return (real[parents] & chosen) | (real[others] & ~chosen)


def close_shares(hashes: np.ndarray) -> str:
    i, j = np.triu_indices(len(hashes), 1)
    distances = np.bitwise_count(hashes[i] ^ hashes[j])
    return '  '.join(f'{d}: {1e6 * np.mean(distances <= d):.0f}' for d in (0, 4, 6, 8, 10, 12))


def measure(real: np.ndarray | None, count: int) -> tuple[float, float, int, float]:
    """Seconds, peak memory in MiB, clusters, share of the hashes that are in one."""
    rng = np.random.default_rng(count)
    hashes = random_hashes(rng, count) if real is None else crowded_hashes(rng, real, count)
    seconds, labels = seconds_of(lambda: find_clusters(hashes, MAX_DISTANCE))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, peak, int(labels.max()) + 1, float(np.mean(labels >= 0))


def show_growth(name: str, real: np.ndarray | None, largest: int) -> None:
    spawn = multiprocessing.get_context('spawn')
    done: list[tuple[int, float]] = []
    for count in (n for n in SIZES if n <= largest):
        with ProcessPoolExecutor(1, spawn) as pool:
            seconds, peak, clusters, inside = pool.submit(measure, real, count).result()
        done.append((count, seconds))
        growth = f'{power(*done[-2:]):.2f}' if len(done) > 1 else ''
        brute = ''
        if count <= BEARABLE:
            hashes = random_hashes(np.random.default_rng(count), count)
            brute = f'{seconds_of(lambda h=hashes: brute_force(h, MAX_DISTANCE))[0]:.2f}'
        print(
            f'{name:8s}{count:10,d}{seconds:10.3f}{growth:>10s}{brute:>10s}{peak:10.0f}'
            f'{clusters:10,d}{inside:10.1%}'
        )
    if len(done) > 1:
        print(f'{name:8s}from first to last with the power {power(done[0], done[-1]):.2f}')


def power(first: tuple[int, float], last: tuple[int, float]) -> float:
    """Exponent with which seconds grow with the count, from two (count, seconds)."""
    return math.log(last[1] / first[1]) / math.log(last[0] / first[0])


def real_hashes(args: argparse.Namespace) -> np.ndarray:
    if args.images:
        images = folder_images(args.images, args.pattern)
    else:
        images = (image for image, *_ in phantom_images(args.patients))
    seen = map(appearance_of, images)
    return np.array([look.hash for look in seen if look.contrast >= MIN_CONTRAST], np.uint64)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--patients', type=int, default=60, help='phantom patients to hash')
    parser.add_argument('--images', type=Path, help='folder of images to hash instead')
    parser.add_argument('--pattern', default='**/*', help='which files of that folder')
    parser.add_argument('--largest', type=int, default=SIZES[-1], help='hashes at most')
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    show_claim(rng)
    real = real_hashes(args)
    print(f'\nof a million pairs of {len(real)} real hashes there are within so many bits')
    print(f'  real  {close_shares(real)}')
    print(f'  made  {close_shares(crowded_hashes(rng, real, len(real)))}')
    print(f'\nclusters within {MAX_DISTANCE} bits; brute force lists the pairs of random hashes,')
    print('and grows with the power 2')
    print(
        f'{"":8s}{"hashes":>10s}{"seconds":>10s}{"power":>10s}{"brute s":>10s}{"peak MiB":>10s}'
        f'{"clusters":>10s}{"inside":>10s}'
    )
    show_growth('random', None, args.largest)
    show_growth('crowded', real, args.largest)


if __name__ == '__main__':
    main()
