"""All checks of a set of COCO files, one after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.preparation.checking.annotations import (
    check_annotations,
    check_classes,
    check_images_listed,
)
from mmdet_liver.preparation.checking.diagnoses import check_diagnoses
from mmdet_liver.preparation.checking.findings import Finding
from mmdet_liver.preparation.checking.image_files import Look, check_image_files, look_at_images
from mmdet_liver.preparation.checking.leaks import (
    find_copies,
    find_leaks,
    find_look_alikes,
    find_unknown_patients,
)
from mmdet_liver.preparation.checking.listing import ListedImage, list_images
from mmdet_liver.preparation.checking.reading import CocoFile, read_coco_file
from mmdet_liver.preparation.cleansing.clusters import find_image_clusters
from mmdet_liver.preparation.cleansing.near_duplicates import MAX_DISTANCE

# One step below what the preparation takes for alike (distances are even): what stands at
# its limit it has decided on the original files, and writing an image anew, smaller or
# without its marks, moves the hash by about such a step (and tiles hardly).
SURE_DISTANCE = MAX_DISTANCE - 2


@dataclass(frozen=True)
class Checked:
    """What was found, and in how much; `opened` counts image files."""

    findings: list[Finding]
    files: int
    images: int
    annotations: int
    opened: int


def check_files(
    paths: Sequence[str | Path],
    *,
    image_root: str | Path | None = None,
    pixels: bool = True,
    max_distance: int = SURE_DISTANCE,
    workers: int = 1,
) -> Checked:
    """Check COCO files, their images, and what they share.

    Args:
        image_root: what `file_name` starts from; by default `../images` beside each file.
        pixels: open the images; without, copies and look-alikes are not found.
        max_distance: Hamming distance of 64-bit hashes up to which images look alike.
    Raises:
        InputError: for a file that is no COCO file, or images that are nowhere to be found.
    """
    paths = list({Path(path).resolve(): path for path in paths}.values())
    files = [read_coco_file(path) for path in paths]
    roots = [_root(Path(path), image_root, pixels) for path in paths]
    images = list_images(files, roots)
    findings = [finding for file in files for finding in _entries(file)]
    findings += [*check_classes(files), *find_leaks(images), *find_unknown_patients(images)]
    looks, cluster_of = {}, {}
    if pixels:
        looks = look_at_images(images, workers=workers)
        cluster_of = _clusters(looks, max_distance)
        findings += _pixels(images, looks, cluster_of)
    for file, root in zip(files, roots, strict=True):
        findings += check_diagnoses(file, root, cluster_of)
    return Checked(
        findings,
        len(files),
        sum(len(file.images) for file in files),
        sum(len(file.annotations) for file in files),
        len(looks),
    )


def _root(path: Path, image_root: str | Path | None, pixels: bool) -> str:
    # Empty where it is not known, and need not be.
    root = path.parent / '..' / 'images' if image_root is None else Path(image_root)
    if root.is_dir():
        return str(root.resolve())
    if not pixels:
        return ''
    raise input_error(
        path,
        f'no folder of images {root}',
        'the folder that file_name starts from',
        'give --image-root, or --no-pixels to check without the images',
    )


def _entries(file: CocoFile) -> Iterator[Finding]:
    yield from file.findings
    yield from check_images_listed(file)
    yield from check_annotations(file)


def _clusters(looks: dict[str, Look], max_distance: int) -> dict[str, str]:
    # Path -> cluster, of the images that look like others.
    facts = {path: look.facts for path, look in looks.items() if look.decoded}
    return find_image_clusters(facts, facts, max_distance).ids


def _pixels(
    images: Sequence[ListedImage], looks: dict[str, Look], cluster_of: dict[str, str]
) -> Iterator[Finding]:
    facts = {path: look.facts for path, look in looks.items()}
    yield from check_image_files(images, looks)
    yield from find_copies(images, facts)
    yield from find_look_alikes(images, cluster_of, facts)
