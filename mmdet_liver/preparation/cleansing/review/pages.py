"""One page of the review: which pictures it shows, and how it is drawn.

A page holds names of files, no pixels, so that thousands of them wait in little memory and
go to other processes. An image that does not open becomes a grey tile with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mmdet_liver import taxonomy
from mmdet_liver.errors import InputError, input_error
from mmdet_liver.images import MAX_PIXELS, image_size, read_image
from mmdet_liver.sheets import Group, Tile, draw_groups, fit_tile, message_image

_MASK_BGR = (255, 0, 255)  # no tissue is magenta, and hardly a mark


@dataclass(frozen=True, slots=True)
class Picture:
    """A tile to be: `file` with its lesions, or what `instead` says; `mask` is laid over it."""

    file: Path | None
    caption: tuple[str, ...]
    instead: str = ''
    mask: Path | None = None
    boxes: tuple[tuple[tuple[float, float, float, float], str], ...] = ()
    frame: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class PictureGroup:
    """Pictures that belong together; see `sheets.Group`."""

    pictures: tuple[Picture, ...]
    heading: str = ''
    frame: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Layout:
    """Pictures across and down a page, and the width and height of each in pixels."""

    columns: int
    rows: int
    tile_px: tuple[int, int]


@dataclass(frozen=True)
class Page:
    """`path` is relative to the review's folder, with `/`."""

    path: str
    title: str
    groups: tuple[PictureGroup, ...]
    layout: Layout


def draw_page(root: Path, page: Page) -> None:
    """Read the page's images and draw it below `root`."""
    # Before and mask show one image; more than one is never held.
    read = lru_cache(maxsize=1)(_read)
    tile_px = page.layout.tile_px
    groups = [
        Group(tuple(_tile(p, tile_px, read) for p in group.pictures), group.heading, group.frame)
        for group in page.groups
    ]
    path = root / page.path
    draw_groups(groups, path, title=page.title, columns=page.layout.columns, tile_px=tile_px)


def _tile(picture: Picture, tile_px: tuple[int, int], read: Callable[[Path], np.ndarray]) -> Tile:
    boxes = tuple((box, taxonomy.color_of(diagnosis)) for box, diagnosis in picture.boxes)
    try:
        if picture.file is None:
            image, boxes = message_image(picture.instead, tile_px), ()
        elif picture.mask is None:
            image = read(picture.file)
        else:
            image = _with_mask(read(picture.file), _read(picture.mask), tile_px)
    except InputError as error:
        # The path is this machine's own; the caption names the image.
        message = str(error).removeprefix(f'{picture.mask}: ').removeprefix(f'{picture.file}: ')
        image, boxes = message_image(message, tile_px), ()
    return fit_tile(Tile(image, picture.caption, boxes, picture.frame), tile_px)


def _read(file: Path) -> np.ndarray:
    width, height = image_size(file)
    if width * height > MAX_PIXELS:
        raise input_error(
            file, f'{width}x{height} pixels', f'{MAX_PIXELS:,} at most', 'open the file itself'
        )
    return read_image(file)


def _with_mask(image: np.ndarray, mask: np.ndarray, tile_px: tuple[int, int]) -> np.ndarray:
    """The image as small as its tile, darkened, the mask over it in one bright colour."""
    mask = (mask if mask.ndim == 2 else mask.max(axis=2)) > 0
    small = fit_tile(Tile(image), tile_px).image
    small = small if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
    # A mask is as large as the image in the data set, which may have been shrunk. A dot of
    # one pixel must still show.
    shares = cv2.resize(mask.astype(np.float32), small.shape[1::-1], interpolation=cv2.INTER_AREA)
    small = (small * 0.6).astype(np.uint8)
    small[shares > 0] = _MASK_BGR
    return small
