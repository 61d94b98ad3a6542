"""The image files that COCO files name: are they there, whole, and as large as it says."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from mmdet_liver.errors import InputError, found_of
from mmdet_liver.images import MAX_PIXELS, displayed_size, with_image
from mmdet_liver.preparation.checking.findings import Finding
from mmdet_liver.preparation.checking.listing import ListedImage
from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.formats import frames_of, standard_pixels, why_converted
from mmdet_liver.preparation.cleansing.perceptual_hash import MIN_CONTRAST, appearance_of
from mmdet_liver.preparation.cleansing.tiles import tile_text
from mmdet_liver.preparation.inside import inner_path
from mmdet_liver.preparation.parallel import map_files


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one file.

    Attributes:
        facts: as measured (marks are not looked for); `problem` tells in words what is wrong.
        kind: of the finding that this is; empty for a good image.
        decoded: hash, contrast and tile are known.
    """

    facts: Facts
    kind: str = ''
    decoded: bool = False


def look_at_images(images: Iterable[ListedImage], *, workers: int = 1) -> dict[str, Look]:
    """Read, decode and measure each file once; by path."""
    places = {image.path: (image.root, image.inner) for image in images}
    looks = map_files(look_at, list(places.values()), label='checking images', workers=workers)
    return dict(zip(places, looks, strict=True))


def look_at(place: tuple[str, str]) -> Look:
    """Read, decode and measure one file, given as root and path below it."""
    root, inner = place
    try:
        data = inner_path(Path(root), inner, inner).read_bytes()
    except InputError as error:
        return Look(Facts('', problem=found_of(error)), 'path outside the folder')
    except FileNotFoundError:
        return Look(Facts('', problem='no such file'), 'missing image')
    except OSError as error:
        return Look(Facts('', problem=f'cannot be read: {error.strerror}'), 'missing image')
    except (ValueError, RuntimeError):  # half a surrogate pair in the name; a loop of links
        return Look(Facts('', problem='cannot be read: leads to no file'), 'missing image')
    sha = hashlib.sha256(data).hexdigest()
    try:
        return with_image(inner, partial(_measure, sha), data=data)
    except InputError as error:
        return Look(Facts(sha, problem=found_of(error)), 'damaged image')


def check_image_files(
    images: Iterable[ListedImage], looks: Mapping[str, Look]
) -> Iterator[Finding]:
    """What is wrong with the files, and with the sizes that the COCO files tell.

    Args:
        looks: by path.
    """
    for image in images:
        look = looks[image.path]
        facts = look.facts
        if look.kind:
            yield Finding(look.kind, image.file, facts.problem, image.name)
        size = facts.width, facts.height
        if image.size is not None and size != (0, 0) and size != image.size:
            # Width and height changed places: most often this is why.
            turned = (
                f' ({facts.conversion})' if facts.conversion and size == image.size[::-1] else ''
            )
            told = '{}x{}'.format(*image.size)
            message = f'{told} here, {size[0]}x{size[1]} in the image{turned}'
            yield Finding('size differs', image.file, message, image.name)
        if look.decoded and facts.contrast < MIN_CONTRAST:
            message = f'contrast {facts.contrast:g}, below {MIN_CONTRAST:g}'
            yield Finding('too flat to compare', image.file, message, image.name)


def _measure(sha: str, image: Image.Image) -> Look:
    width, height = displayed_size(image)
    if width * height > MAX_PIXELS:
        problem = f'{width}x{height} pixels, not decoded'
        return Look(Facts(sha, width, height, problem, too_large=True), 'oversized image')
    frames, conversion = frames_of(image), why_converted(image)
    doubt = conversion or (f'{frames} pictures in one file' if frames > 1 else '')
    kind = '16-bit image' if image.mode.startswith('I') else 'unusual format'
    seen = appearance_of(standard_pixels(image))
    facts = Facts(
        sha,
        width,
        height,
        doubt,
        conversion=conversion,
        hash=seen.hash,
        clean_hash=seen.hash,
        contrast=round(seen.contrast, 3),
        tile=tile_text(seen.tile),
    )
    return Look(facts, kind if doubt else '', decoded=True)
