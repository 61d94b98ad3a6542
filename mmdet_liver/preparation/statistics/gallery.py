"""Lesions to look at: crops of each diagnosis, and the suspicious ones; these alone are opened."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmdet_liver.images import read_image
from mmdet_liver.preparation.statistics.findings import Finding
from mmdet_liver.preparation.statistics.groups import figure_label, frequent_classes
from mmdet_liver.preparation.statistics.tables import Tables
from mmdet_liver.sheets import Tile, draw_sheet, fit_tile
from mmdet_liver.taxonomy import color_of

TILE_PX = (240, 200)  # width, height
_COLUMNS = 4
_CONTEXT = 0.4  # of the box's longer side, around the box
_LEAST_CONTEXT = 12  # pixels


def choose_lesions(tables: Tables, label: int, count: int, seed: int = 0) -> list[int]:
    """At most `count` lesions of one class: one of each patient, then a second one of each, ...

    The order within is that of a hash of seed, image and box: no random generator, no
    dependence on the order of the files. An image of an unknown patient stands for itself.
    """
    lesions, images = tables.lesions, tables.images

    def rank(lesion: int) -> bytes:
        box = lesions.boxes[lesion].tolist()
        name = f'{seed}\t{images.names[lesions.image[lesion]]}\t{box}'
        return hashlib.sha256(name.encode()).digest()

    turn: Counter[int] = Counter()
    ranked = []
    for lesion in sorted(np.flatnonzero(lesions.label == label).tolist(), key=rank):
        image = int(lesions.image[lesion])
        patient = int(images.patient[image])
        person = patient if patient >= 0 else -1 - image
        ranked.append((turn[person], len(ranked), lesion))
        turn[person] += 1
    return [lesion for _, _, lesion in sorted(ranked)[:count]]


def crop_window(
    box: Sequence[float], size: Sequence[float], shape: tuple[int, int] = TILE_PX
) -> tuple[int, int, int, int]:
    """What to show around a box: some context, in the proportions of `shape` where there is room.

    Args:
        box: xyxy in pixels.
        size: width and height of the image.
    Returns:
        xyxy in whole pixels, inside the image, at least one pixel wide and high.
    """
    box, size = np.asarray(box, float), np.asarray(size, float)
    box = np.concatenate([box[:2].clip(0, size - 1), box[2:].clip(1, size)])
    sides = np.maximum(box[2:] - box[:2], 1)
    wanted = sides + 2 * max(_LEAST_CONTEXT, _CONTEXT * sides.max())
    wanted = np.maximum(wanted, wanted[::-1] * (shape[0] / shape[1], shape[1] / shape[0]))
    wanted = np.minimum(wanted, size)
    # Moved, not cut, where the box is near the edge.
    corner = ((box[:2] + box[2:] - wanted) / 2).clip(0, size - wanted)
    low, high = np.floor(corner), np.ceil(corner + wanted).clip(max=size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def draw_gallery(
    tables: Tables, roots: Sequence[Path], out: Path, count: int, seed: int = 0
) -> dict[str, Path]:
    """Draw a sheet of crops for each class that has lesions, of many classes the frequent ones.

    Args:
        roots: for each annotation file, the folder that its `file_name` starts from.
    Returns:
        Class -> the sheet, `out/gallery_01_cyst.png` and so on; earlier ones are removed.
    Raises:
        InputError: names an image that is missing or damaged.
    """
    for old in out.glob('gallery_[0-9]*_*.png'):
        old.unlink()
    sheets = {}
    for label in frequent_classes(tables):
        name = tables.classes[label]
        chosen = choose_lesions(tables, label, count, seed)
        if not chosen:
            continue
        slug = re.sub('[^A-Za-z0-9]+', '-', name).strip('-')[:30] or 'class'
        sheets[name] = out / f'gallery_{label + 1:02d}_{slug}.png'
        total = int((tables.lesions.label == label).sum())
        title = f'{figure_label(tables, label)}: {len(chosen)} of {total:,} lesions'
        tiles = [_lesion_tile(tables, roots, lesion) for lesion in chosen]
        draw_sheet(tiles, sheets[name], title=title, columns=_COLUMNS, tile_px=TILE_PX)
    return sheets


def draw_suspicious(
    tables: Tables,
    roots: Sequence[Path],
    path: Path,
    dealt: Sequence[tuple[str, Finding]],
    total: int,
) -> None:
    """Draw the images of these findings, of `total`, as wholes, with the boxes in question."""
    tiles = [_finding_tile(tables, roots, rule, finding) for rule, finding in dealt]
    title = f'{len(tiles)} of {total:,} suspicious records'
    draw_sheet(tiles, path, title=title, columns=_COLUMNS, tile_px=TILE_PX)


def _lesion_tile(tables: Tables, roots: Sequence[Path], lesion: int) -> Tile:
    image = int(tables.lesions.image[lesion])
    pixels = _read(tables, roots, image)
    box = tables.lesions.boxes[lesion]
    x0, y0, x1, y1 = crop_window(box, pixels.shape[1::-1])
    shifted = tuple((box - (x0, y0, x0, y0)).tolist())
    color = color_of(tables.classes[tables.lesions.label[lesion]])
    caption = (_tail(tables.images.names[image]), _facts(tables, image, lesion))
    tile = Tile(pixels[y0:y1, x0:x1].copy(), caption, ((shifted, color),))
    return fit_tile(tile, TILE_PX)  # so that a sheet holds no large crops


def _finding_tile(tables: Tables, roots: Sequence[Path], rule: str, finding: Finding) -> Tile:
    lesions = tables.lesions
    first, last = np.searchsorted(lesions.image, [finding.image, finding.image + 1])
    chosen = range(first, last) if finding.lesion is None else (finding.lesion,)
    boxes = tuple(
        (tuple(lesions.boxes[i].tolist()), color_of(tables.classes[lesions.label[i]]))
        for i in chosen
    )
    name = _tail(tables.images.names[finding.image])
    tile = Tile(_read(tables, roots, finding.image), (rule, finding.why, name), boxes)
    return fit_tile(tile, TILE_PX)


def _read(tables: Tables, roots: Sequence[Path], image: int) -> np.ndarray:
    return read_image(roots[tables.images.source[image]] / tables.images.names[image])


def _facts(tables: Tables, image: int, lesion: int) -> str:
    images = tables.images
    age, mm = images.ages[image], tables.longer_sides_mm()[lesion]
    facts = [
        tables.sources[images.source[image]].split,
        images.sexes[image] + ('' if np.isnan(age) else f' {age:g}'),
        '' if np.isnan(mm) else f'{mm:.0f} mm',
    ]
    return ' · '.join(fact.strip() for fact in facts if fact.strip())


def _tail(name: str) -> str:
    # The end tells files apart, and a line holds about this much of it.
    return name if len(name) <= 36 else f'…{name[-35:]}'
