"""Which parts of a frame are tissue, and how large their pixels are, by the header.

A scanner may show several pictures side by side, with text around them. Every picture of
tissue becomes an image of its own; what lies outside them is cut away with its text.

Source: DICOM PS3.3, C.8.5.5 (regions), 10.7.1.3 (spacing).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydicom import Dataset

from mmdet_liver.preparation.importers.dicom.unreadable import BAD_HEADER, unreadable

Box = tuple[int, int, int, int]

_TWO_DIMENSIONS = 1
_TISSUE, _COLOUR_FLOW = 1, 2
_CENTIMETRES = 3
# An inset that shows where a magnified picture lies is smaller than this share of it.
_SMALLEST_SHARE = 0.25
# Two regions that share more than this of the smaller one are one picture.
_ONE_PICTURE = 0.5
# Width and height of a pixel differ by a rounding up to here.
_ROUNDING = 0.01


@dataclass(frozen=True)
class Scale:
    """`mm_per_pixel`, None where unknown; `stretch` is a pixel's longer side over the shorter."""

    mm_per_pixel: float | None = None
    stretch: float = 1.0

    @property
    def is_stretched(self) -> bool:
        return self.stretch > 1 + _ROUNDING


@dataclass(frozen=True)
class View:
    """One picture of tissue; `box` is xyxy in pixels of the frame."""

    box: Box
    scale: Scale


@dataclass(frozen=True)
class Views:
    """What the header tells.

    Attributes:
        known: the pictures from left to right, then downwards; None if it does not tell.
        misplaced: it does, but of a frame of another size.
    """

    known: tuple[View, ...] | None
    misplaced: bool = False


def find_views(header: Dataset, size: tuple[int, int]) -> Views:
    """The pictures of tissue in a frame of `size`, (width, height) in pixels.

    The regions that count are two-dimensional and of tissue; where there are none, those of
    colour flow. If the header only has others (a spectrum, an M-mode), `known` is empty. If
    one leaves the frame, the frame was resized later, and no region holds.
    Raises:
        UnreadableError: for regions that do not parse.
    """
    with unreadable(BAD_HEADER):
        regions = list(header.get('SequenceOfUltrasoundRegions') or ())
        if not regions:
            return Views(None)
        of_kind = (_views_of(regions, kind) for kind in (_TISSUE, _COLOUR_FLOW))
        views = next((views for views in of_kind if views), [])
        if any(_cut(view, size).box != view.box for view in map(_slack, views)):
            return Views(None, misplaced=True)
        return Views(tuple(_pictures(_cut(view, size) for view in views)))


def scale_of_frame(header: Dataset) -> Scale:
    """The scale by the spacing of the pixels, for a frame whose regions tell none."""
    with unreadable(BAD_HEADER):
        for keyword in ('PixelSpacing', 'ImagerPixelSpacing', 'NominalScannedPixelSpacing'):
            spacing = header.get(keyword) or ()
            if len(spacing) == 2:  # rows, columns
                return _scale(float(spacing[1]), float(spacing[0]))
    return Scale()


def _views_of(regions: Sequence[Dataset], kind: int) -> list[View]:
    chosen = (
        region
        for region in regions
        if region.get('RegionSpatialFormat') == _TWO_DIMENSIONS
        and region.get('RegionDataType') == kind
    )
    views = [View(_box(region), _scale_of_region(region)) for region in chosen]
    return [view for view in views if _area(view.box) > 0]


def _box(region: Dataset) -> Box:
    # The header's last column and row belong to the region.
    return (
        region.RegionLocationMinX0,
        region.RegionLocationMinY0,
        region.RegionLocationMaxX1 + 1,
        region.RegionLocationMaxY1 + 1,
    )


def _scale_of_region(region: Dataset) -> Scale:
    units = [region.get(f'PhysicalUnits{axis}Direction') for axis in 'XY']
    if units != [_CENTIMETRES] * 2:
        return Scale()
    # An axis may run backwards; the distance is a distance.
    return _scale(*(abs(float(region.get(f'PhysicalDelta{axis}') or 0)) * 10 for axis in 'XY'))


def _scale(x_mm: float, y_mm: float) -> Scale:
    if not (math.isfinite(x_mm + y_mm) and x_mm > 0 and y_mm > 0):
        return Scale()
    return Scale(round((x_mm + y_mm) / 2, 6), max(x_mm, y_mm) / min(x_mm, y_mm))


def _slack(view: View) -> View:
    # Some scanners give the column and row after the last.
    x0, y0, x1, y1 = view.box
    return View((x0, y0, x1 - 1, y1 - 1), view.scale)


def _cut(view: View, size: tuple[int, int]) -> View:
    x0, y0, x1, y1 = view.box
    return View((max(x0, 0), max(y0, 0), min(x1, size[0]), min(y1, size[1])), view.scale)


def _pictures(views: Iterable[View]) -> list[View]:
    kept: list[View] = []
    for view in sorted(views, key=lambda v: (-_area(v.box), v.box)):
        largest = _area(kept[0].box) if kept else 0
        is_inset = _area(view.box) < _SMALLEST_SHARE * largest
        repeats = any(_overlap(view.box, k.box) > _ONE_PICTURE * _area(view.box) for k in kept)
        if not is_inset and not repeats:
            kept.append(view)
    return sorted(kept, key=lambda v: v.box)


def _overlap(a: Box, b: Box) -> int:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def _area(box: Box) -> int:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])
