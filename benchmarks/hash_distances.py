"""How far apart alike and unlike images are: what MAX_DISTANCE and MIN_CORRELATION rest on.

Prints, of three kinds of pairs of phantom frames, the share within each distance by hash alone,
then the share whose tiles confirm it: one frame twice (changed here, and as the phantom itself
saves it again), neighbouring frames of one study, and frames of two patients. Then, of the first
frames of many patients, how many pairs there are, and would be among 84,000. `--images FOLDER`
takes other images for the changes, and compares each with all others.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mmdet_liver.images import read_image
from mmdet_liver.preparation.cleansing.clusters import least_correlation
from mmdet_liver.preparation.cleansing.near_duplicates import (
    MAX_DISTANCE,
    near_pairs,
    nearest_distances,
)
from mmdet_liver.preparation.cleansing.perceptual_hash import (
    MIN_CONTRAST,
    Appearance,
    appearance_of,
)
from mmdet_liver.preparation.cleansing.tiles import Tiles, tile_text
from mmdet_liver.preparation.phantom.frames import patient_frames

DISTANCES = (0, 2, 4, 6, 8, 10, 12, 14, 16)
DATABASE = 84_000  # images


def jpeg(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    encoded = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)


def smaller(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return cv2.resize(image, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)


def cropped(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    top, bottom, left, right = rng.integers(0, 5, 4)
    return image[top : image.shape[0] - bottom, left : image.shape[1] - right]


def brighter(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return cv2.convertScaleAbs(image, alpha=1.1)


def marked(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two crosses with dots between them, and a word, all somewhere in the tissue."""
    image = image.copy()
    size, ink = np.array(image.shape[1::-1]), (255,) * 3 if image.ndim == 3 else 255
    start, end = (rng.uniform(0.3, 0.7, 2) * size for _ in range(2))
    for point in (start, end):
        cv2.drawMarker(image, point.astype(int), ink, cv2.MARKER_CROSS, int(size[1] / 40))
    for share in np.arange(0, 1, 0.04):
        cv2.circle(image, (start + share * (end - start)).astype(int), 0, ink)
    place = (rng.uniform((0.1, 0.2), (0.6, 0.9)) * size).astype(int)
    cv2.putText(image, 'RT LOBE', place, cv2.FONT_HERSHEY_SIMPLEX, size[1] / 1000, ink)
    return image


def all_at_once(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    for change in (marked, brighter, cropped, smaller, jpeg):
        image = change(image, rng)
    return image


CHANGES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    'JPEG, quality 60': jpeg,
    'scaled by 0.8': smaller,
    'cropped by 0 to 4 px a side': cropped,
    'a tenth brighter': brighter,
    'text and calipers drawn on': marked,
    'all of these': all_at_once,
}


def folder_images(folder: Path, pattern: str) -> Iterator[np.ndarray]:
    for path in sorted(folder.glob(pattern)):
        if path.suffix.lower() in ('.png', '.jpg', '.jpeg', '.bmp'):
            yield read_image(path)


def phantom_images(patients: int) -> Iterator[tuple[np.ndarray, int, int, bool]]:
    """Image (BGR or grey), patient, study, and whether it is the last one saved again."""
    for index in range(patients):
        for frame in patient_frames(1, index)[1]:
            image = frame.image if frame.image.ndim == 2 else frame.image[..., ::-1].copy()
            yield image, index, frame.study, frame.near_duplicate


class Seen:
    """Hashes (N,) and tiles of N images, to compare some with some."""

    def __init__(self, looks: list[Appearance]) -> None:
        self.hashes = np.array([look.hash for look in looks], np.uint64)
        self.tiles = Tiles([tile_text(look.tile) for look in looks])

    def compare(self, i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distances (P,), and correlations (P,), NaN where the hashes are far apart anyhow."""
        distances = np.bitwise_count(self.hashes[i] ^ self.hashes[j])
        near = distances <= DISTANCES[-1]
        found = np.full(len(i), np.nan)
        found[near] = self.tiles.correlations(i[near], j[near])
        return distances, found


def show(name: str, distances: np.ndarray, found: np.ndarray) -> None:
    """Two lines: by hash alone with the largest distance, then confirmed by the tiles."""
    confirmed = found >= least_correlation(distances)
    by_hash = (f'{100 * np.mean(distances <= d):9.4g}' for d in DISTANCES)
    print(f'{name:32s}{len(distances):9d}', *by_hash, f'{distances.max():6d}')
    both = (f'{100 * np.mean((distances <= d) & confirmed):9.4g}' for d in DISTANCES)
    within = found[distances <= MAX_DISTANCE]
    ends = f'{within.min():.2f} to {within.max():.2f}' if len(within) else 'none'
    print(f'{"  confirmed":41s}', *both, f'  correlations within {MAX_DISTANCE}: {ends}')


def show_phantom_pairs(looks: list[Appearance], labels: np.ndarray) -> None:
    """`labels` is (N, 3): patient, study, saved again."""
    seen = Seen(looks)
    i, j = np.triu_indices(len(looks), 1)
    patient, study = (labels[i, k] == labels[j, k] for k in (0, 1))
    twice = (j == i + 1) & (labels[j, 2] == 1)
    for name, chosen in (
        ('saved again by the phantom', twice),
        ('neighbours in a study', patient & study & ~twice),
        ('two patients', ~patient),
    ):
        show(name, *seen.compare(i[chosen], j[chosen]))


def show_strangers(patients: int, seed: int) -> None:
    frames = (next(patient_frames(seed, index)[1]).image for index in range(patients))
    seen = Seen([appearance_of(f if f.ndim == 2 else f[..., ::-1].copy()) for f in frames])
    i, j = near_pairs(seen.hashes, DISTANCES[-1]).T
    distances, found = seen.compare(i, j)
    confirmed = found >= least_correlation(distances)
    share = DATABASE * (DATABASE - 1) / (patients * (patients - 1))
    print(f'\n{patients} first frames of as many patients; pairs among {DATABASE:,} in brackets')
    for d in DISTANCES:
        near = distances <= d
        counts = np.count_nonzero(near), np.count_nonzero(near & confirmed)
        told = (f'{count:6d} ({count * share:10,.0f})' for count in counts)
        best = found[distances == d].max(initial=-1)
        print(f'within {d:2d}:', ' confirmed:'.join(told), f' best at {d}: {best:.2f}')


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--patients', type=int, default=150, help='phantom patients')
    parser.add_argument('--strangers', type=int, default=2400, help='patients of one frame each')
    parser.add_argument('--seed', type=int, default=2, help='of those patients')
    parser.add_argument('--images', type=Path, help='folder of images instead of the phantom')
    parser.add_argument('--pattern', default='**/*', help='which files of that folder')
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    looks, labels, changed = [], [], []
    if args.images:
        images = ((image, 0, 0, False) for image in folder_images(args.images, args.pattern))
    else:
        images = phantom_images(args.patients)
    for image, *label in images:
        looks.append(appearance_of(image))
        labels.append(label)
        changed.append([appearance_of(change(image, rng)) for change in CHANGES.values()])
    print(f'MAX_DISTANCE {MAX_DISTANCE}; percent of the pairs within so many bits, and the most')
    print(f'{"":32s}{"pairs":>9s}', *(f'{d:9d}' for d in DISTANCES), f'{"most":>6s}')
    every = np.arange(len(looks))
    for name, others in zip(CHANGES, zip(*changed, strict=True), strict=True):
        show(name, *Seen([*looks, *others]).compare(every, every + len(looks)))
    low, *_, median = np.percentile([look.contrast for look in looks], (0, 1, 50))
    if args.images:
        seen = Seen(looks)
        show('any two images', *seen.compare(*np.triu_indices(len(looks), 1)))
        nearest = np.bincount(nearest_distances(seen.hashes, every))
        print('nearest other image: bits', *(f'{d}: {n}' for d, n in enumerate(nearest) if n))
    else:
        show_phantom_pairs(looks, np.array(labels))
    print(f'contrast: lowest {low:.1f}, median {median:.1f}; MIN_CONTRAST {MIN_CONTRAST}')
    if not args.images and args.strangers > 1:
        show_strangers(args.strangers, args.seed)


if __name__ == '__main__':
    main()
