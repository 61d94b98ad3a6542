"""What is odd about a box: its size, its shape, and where it lies."""

from collections.abc import Callable, Iterator

import numpy as np

from mmdet_liver.evaluation.matching import box_iou
from mmdet_liver.preparation.statistics.findings import Finding
from mmdet_liver.preparation.statistics.tables import Tables

LARGEST_SHARE, SMALLEST_SHARE = 0.9, 0.0005  # of the image's area
LARGEST_RATIO = 5  # longer side over shorter
SAME_BOX_IOU = 0.9
LONGEST_MM, SHORTEST_MM = 250, 1  # longer side; a liver is hardly wider than 200 mm
EDGE_PX = 1.0  # a box this near to the image's edge touches it; farther out it is outside


def large(tables: Tables) -> Iterator[Finding]:
    shares = tables.box_shares()
    yield from _boxes(tables, shares > LARGEST_SHARE, lambda i: f'{shares[i]:.1%} of the image')


def small(tables: Tables) -> Iterator[Finding]:
    shares = tables.box_shares()
    small = (shares > 0) & (shares < SMALLEST_SHARE)
    yield from _boxes(tables, small, lambda i: f'{shares[i]:.3%} of the image')


def no_area(tables: Tables) -> Iterator[Finding]:
    sizes = tables.box_sizes()
    yield from _boxes(
        tables, (sizes <= 0).any(axis=1), lambda i: '{:g} x {:g} px'.format(*sizes[i])
    )


def long(tables: Tables) -> Iterator[Finding]:
    sizes, ratios = tables.box_sizes(), tables.aspect_ratios()
    extreme = np.maximum(ratios, 1 / ratios) > LARGEST_RATIO
    yield from _boxes(tables, extreme, lambda i: '{:g} x {:g} px'.format(*sizes[i]))


def implausible_mm(tables: Tables) -> Iterator[Finding]:
    sides = tables.longer_sides_mm()
    which = (sides > LONGEST_MM) | ((sides > 0) & (sides < SHORTEST_MM))
    yield from _boxes(tables, which, lambda i: f'longer side {sides[i]:.3g} mm')


def outside(tables: Tables) -> Iterator[Finding]:
    over = -_distance_to_edge(tables)
    yield from _boxes(tables, over > EDGE_PX, lambda i: f'{over[i]:g} px out of the image')


def at_edge(tables: Tables) -> Iterator[Finding]:
    distance = _distance_to_edge(tables)
    touching = np.abs(distance) <= EDGE_PX
    yield from _boxes(tables, touching, lambda i: f"{distance[i]:g} px from the image's edge")


def same_box(tables: Tables) -> Iterator[Finding]:
    image, boxes, label = tables.lesions.image, tables.lesions.boxes, tables.lesions.label
    # Lesions are sorted by image, so those of one image are at most this far apart.
    for step in range(1, int(tables.lesions_per_image().max())):
        later = step + np.flatnonzero(image[step:] == image[:-step])
        iou = box_iou(boxes[later], boxes[later - step][:, None])[:, 0]
        for i, value in zip(later[iou >= SAME_BOX_IOU], iou[iou >= SAME_BOX_IOU], strict=True):
            other = tables.classes[label[i - step]]
            yield Finding(int(image[i]), int(i), f'IoU {value:.2f} with another box ({other})')


def _boxes(tables: Tables, which: np.ndarray, why: Callable[[int], str]) -> Iterator[Finding]:
    for i in np.flatnonzero(which):
        yield Finding(int(tables.lesions.image[i]), int(i), why(i))


def _distance_to_edge(tables: Tables) -> np.ndarray:
    # (L,) pixels from the box to the nearest edge of its image, negative outside.
    boxes, sizes = tables.lesions.boxes, tables.images.sizes[tables.lesions.image]
    return np.concatenate([boxes[:, :2], sizes - boxes[:, 2:]], axis=1).min(axis=1)
