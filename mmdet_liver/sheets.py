"""Sheets of many small pictures with captions, for looking at hundreds of images at a glance.

The ground is grey, so that the edge of a black image shows. The same tiles give the same
bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from mmdet_liver.files import whole_file
from mmdet_liver.sheet_layout import Shelf, fill_shelves, group_shape
from mmdet_liver.sheet_text import LINE_PX, wrap_text, write_line

_Color = tuple[int, int, int]
_Box = tuple[float, float, float, float]

_GROUND, _PANEL, _MESSAGE = (182, 182, 182), (210, 210, 210), (120, 120, 120)
_GAP, _FRAME = 18, 4  # pixels, as all that follows
_TITLE_PX, _TITLE_FONT = 44, 20
_HEADING_PX, _HEADING_FONT = 28, 15
# A page is mostly speckle, which hardly gets smaller with more effort.
_PNG_EFFORT = (cv2.IMWRITE_PNG_COMPRESSION, 3)


@dataclass(frozen=True)
class Tile:
    """One picture: `image` (H, W) or (H, W, 3) BGR uint8; `frame` and colours RGB, 0..255.

    `boxes` are (xyxy in image pixels, colour); `caption` are lines, the first one bold.
    """

    image: np.ndarray
    caption: tuple[str, ...] = ()
    boxes: tuple[tuple[_Box, _Color], ...] = ()
    frame: _Color | None = None


@dataclass(frozen=True)
class Group:
    """Tiles that belong together: on a panel of their own, under a heading, `frame` around."""

    tiles: tuple[Tile, ...]
    heading: str = ''
    frame: _Color | None = None


def draw_sheet(
    tiles: Sequence[Tile],
    path: str | Path,
    *,
    title: str,
    columns: int = 6,
    tile_px: tuple[int, int] = (240, 200),
) -> None:
    """Draw the tiles row by row under a title; the PNG appears whole or not at all."""
    rows = [Group(tuple(tiles[i : i + columns])) for i in range(0, len(tiles), columns)]
    draw_groups(rows, path, title=title, columns=columns, tile_px=tile_px)


def draw_groups(
    groups: Sequence[Group],
    path: str | Path,
    *,
    title: str,
    columns: int = 6,
    tile_px: tuple[int, int] = (240, 200),
) -> None:
    """Draw groups side by side where they fit; the PNG appears whole or not at all.

    A later group fills a gap beside an earlier one; `sheet_layout.paginate` divides groups
    over pages and gives the order in which they stand.

    Args:
        columns: pictures across the sheet, which is as wide as they are.
        tile_px: width and height that each picture is fitted into, undistorted.
    """
    groups = [replace(g, tiles=tuple(fit_tile(t, tile_px) for t in g.tiles)) for g in groups]
    shelves = fill_shelves([len(group.tiles) for group in groups], columns)
    heights = [_heights(shelf, groups, tile_px) for shelf in shelves]
    width = columns * (tile_px[0] + _GAP) + _GAP
    page = Image.new('RGB', (width, _TITLE_PX + sum(map(sum, heights)) + _GAP), _GROUND)
    draw = ImageDraw.Draw(page)
    write_line(draw, (_GAP, 9), title, width=width - 2 * _GAP, font_px=_TITLE_FONT, bold=True)
    top = _TITLE_PX
    for shelf, (heading, *rows) in zip(shelves, heights, strict=True):
        left = _GAP
        for number in shelf.groups:
            across = group_shape(len(groups[number].tiles), columns)[0]
            _draw_group(page, groups[number], (left, top), heading, rows, across, tile_px)
            left += across * (tile_px[0] + _GAP)
        top += heading + sum(rows)
    _, png = cv2.imencode('.png', np.asarray(page)[..., ::-1], _PNG_EFFORT)
    with whole_file(path) as temporary:
        temporary.write_bytes(png.tobytes())


def fit_tile(tile: Tile, tile_px: tuple[int, int]) -> Tile:
    """The tile with its image, and the boxes with it, as large as `tile_px` allows."""
    height, width = tile.image.shape[:2]
    scale = min(tile_px[0] / width, tile_px[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return tile
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scales = (size[0] / width, size[1] / height) * 2
    boxes = tuple(
        (tuple(v * s for v, s in zip(box, scales, strict=True)), color) for box, color in tile.boxes
    )
    return replace(tile, image=cv2.resize(tile.image, size, interpolation=how), boxes=boxes)


def message_image(message: str, size: tuple[int, int] = (240, 200)) -> np.ndarray:
    """(H, W, 3) in a grey of its own with a text: what stands for an image that is not there."""
    page = Image.new('RGB', size, _MESSAGE)
    draw = ImageDraw.Draw(page)
    width = size[0] - 2 * _GAP
    for i, line in enumerate(wrap_text(message, width, (size[1] - 2 * _GAP) // LINE_PX)):
        place = (_GAP, _GAP + i * LINE_PX)
        write_line(draw, place, line, width=width, ink=(255, 255, 255))
    return np.array(page)


def _heights(shelf: Shelf, groups: Sequence[Group], tile_px: tuple[int, int]) -> list[int]:
    # Of the heading and of each row of pictures with their captions.
    own = [groups[number] for number in shelf.groups]
    captions = [len(tile.caption) for group in own for tile in group.tiles]
    heading = _HEADING_PX if any(group.heading for group in own) else 0
    row = tile_px[1] + max(captions, default=0) * LINE_PX + 2 * _GAP
    return [heading, *[row] * shelf.rows]


def _draw_group(
    page: Image.Image,
    group: Group,
    corner: tuple[int, int],
    heading: int,
    rows: Sequence[int],
    across: int,
    tile_px: tuple[int, int],
) -> None:
    left, top = corner
    draw = ImageDraw.Draw(page)
    width = across * (tile_px[0] + _GAP) - _GAP
    if group.heading:
        half = _GAP // 2 - 2
        panel = (left - half, top, left + width + half - 1, top + heading + sum(rows) - _GAP)
        draw.rectangle(panel, fill=_PANEL, outline=group.frame or _GROUND, width=_FRAME - 1)
        place = (left, top + 5)
        write_line(draw, place, group.heading, width=width, font_px=_HEADING_FONT, bold=True)
    for i, tile in enumerate(group.tiles):
        row, column = divmod(i, across)
        place = (left + column * (tile_px[0] + _GAP), top + heading + sum(rows[:row]) + _FRAME)
        _draw_tile(page, tile, place, tile_px)


def _draw_tile(
    page: Image.Image, tile: Tile, corner: tuple[int, int], tile_px: tuple[int, int]
) -> None:
    # A picture stands on its caption, so that a low one is not far from it.
    height, width = tile.image.shape[:2]
    left, bottom = corner[0], corner[1] + tile_px[1]
    top = bottom - height
    draw = ImageDraw.Draw(page)
    if tile.frame is not None:
        frame = (left - _FRAME, top - _FRAME, left + width + _FRAME - 1, bottom + _FRAME - 1)
        draw.rectangle(frame, fill=tile.frame)
    page.paste(_with_boxes(tile), (left, top))
    for i, line in enumerate(tile.caption):
        place = (left, bottom + _FRAME + 1 + i * LINE_PX)
        write_line(draw, place, line, width=tile_px[0], bold=i == 0)


def _with_boxes(tile: Tile) -> Image.Image:
    grey = tile.image.ndim == 2
    code = cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB
    picture = Image.fromarray(cv2.cvtColor(tile.image, code))
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    for box, color in tile.boxes:
        # Cut at the image's edge: Pillow fails on coordinates far away.
        x0, y0, x1, y1 = np.clip(box, 0, picture.size * 2).round().astype(int).tolist()
        # Around the lesion, not over it: some are no larger than the line is thick.
        for margin, ink in ((3, (0, 0, 0)), (2, color)):
            corner = max(0, x0 - margin), max(0, y0 - margin)
            opposite = min(width, x1 + margin) - 1, min(height, y1 + margin) - 1
            draw.rectangle((*corner, *opposite), outline=ink, width=margin)
    return picture
