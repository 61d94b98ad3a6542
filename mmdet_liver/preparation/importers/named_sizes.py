"""Whether the sizes that annotations state are those of the images they lie over."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from mmdet_liver.errors import InputError, input_error
from mmdet_liver.images import image_size
from mmdet_liver.preparation.parallel import map_files


def check_named_sizes(
    folder: Path, sizes: Mapping[str, tuple[int, int]], *, workers: int = 1
) -> None:
    """Compare (width, height) in pixels with each image's header.

    An image that cannot be read is left to the cleansing.
    Raises:
        InputError: names the first image of another size; its boxes would lie elsewhere.
    """
    check = partial(_check_size, folder)
    map_files(check, sorted(sizes.items()), label='comparing sizes', workers=workers)


def _check_size(folder: Path, path_and_size: tuple[str, tuple[int, int]]) -> None:
    path, named = path_and_size
    try:
        size = image_size(folder / path)
    except InputError:
        return
    if size != named:
        raise input_error(
            folder / path,
            f'{size[0]}x{size[1]} pixels, but {named[0]}x{named[1]} in its annotations',
            'one size',
            'give the images that were annotated, not resized or turned',
        )
