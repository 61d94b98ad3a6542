"""How far apart the hashes of alike and of unlike images are: what MAX_DISTANCE rests on.

Prints, of three kinds of pairs of phantom frames, the share within each distance: one frame
twice (changed here, and as the phantom itself saves it again), neighbouring frames of one study,
and frames of two patients. `--images FOLDER` takes other images for the changes, and compares
each with all others.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mmdet_liver.images import read_image
from mmdet_liver.preparation.cleansing.near_duplicates import MAX_DISTANCE, nearest_distances
from mmdet_liver.preparation.cleansing.perceptual_hash import MIN_CONTRAST, perceptual_hash
from mmdet_liver.preparation.phantom.frames import patient_frames

DISTANCES = (0, 2, 4, 6, 8, 10, 12, 14, 16)


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


def changed_distances(image: np.ndarray, rng: np.random.Generator) -> list[int]:
    own = perceptual_hash(image)[0]
    changed = (perceptual_hash(change(image, rng))[0] for change in CHANGES.values())
    return [(own ^ value).bit_count() for value in changed]


def show(name: str, distances: np.ndarray) -> None:
    shares = (f'{100 * np.mean(distances <= d):9.4g}' for d in DISTANCES)
    print(f'{name:32s}{len(distances):9d}', *shares, f'{distances.max():6d}')


def show_phantom_pairs(hashes: np.ndarray, seen: np.ndarray) -> None:
    """`seen` is (N, 3): patient, study, saved again."""
    i, j = np.triu_indices(len(hashes), 1)
    distances = np.bitwise_count(hashes[i] ^ hashes[j])
    patient, study = (seen[i, k] == seen[j, k] for k in (0, 1))
    twice = (j == i + 1) & (seen[j, 2] == 1)
    show('saved again by the phantom', distances[twice])
    show('neighbours in a study', distances[patient & study & ~twice])
    show('two patients', distances[~patient])


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--patients', type=int, default=150, help='phantom patients')
    parser.add_argument('--images', type=Path, help='folder of images instead of the phantom')
    parser.add_argument('--pattern', default='**/*', help='which files of that folder')
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    hashes, contrasts, seen, changed = [], [], [], []
    if args.images:
        images = ((image, 0, 0, False) for image in folder_images(args.images, args.pattern))
    else:
        images = phantom_images(args.patients)
    for image, *rest in images:
        value, contrast = perceptual_hash(image)
        hashes.append(value)
        contrasts.append(contrast)
        seen.append(rest)
        changed.append(changed_distances(image, rng))
    hashes = np.array(hashes, np.uint64)
    print(f'MAX_DISTANCE {MAX_DISTANCE}; percent of the pairs within so many bits, and the most')
    print(f'{"":32s}{"pairs":>9s}', *(f'{d:9d}' for d in DISTANCES), f'{"most":>6s}')
    for name, distances in zip(CHANGES, np.array(changed).T, strict=True):
        show(name, distances)
    if args.images:
        show('nearest other image', nearest_distances(hashes, np.arange(len(hashes))))
        i, j = np.triu_indices(len(hashes), 1)
        show('any two images', np.bitwise_count(hashes[i] ^ hashes[j]))
    else:
        show_phantom_pairs(hashes, np.array(seen))
    low, *_, median = np.percentile(contrasts, (0, 1, 50))
    print(f'contrast: lowest {low:.1f}, median {median:.1f}; MIN_CONTRAST {MIN_CONTRAST}')


if __name__ == '__main__':
    main()
