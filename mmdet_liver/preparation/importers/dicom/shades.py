"""Stored values to the 8-bit grey or BGR that the rest of the package reads.

- MONOCHROME: the modality table or rescaling, then the first window (or VOI table) of the
  header, which may be of LINEAR, LINEAR_EXACT or SIGMOID form. Without a window the whole
  range of `BitsStored` (rescaled) becomes 0..255, so that 8-bit values stay as they are. A
  window that is no window (width below 1) counts as none. MONOCHROME1 is inverted at the end.
- PALETTE COLOR: the header's table; entries of 16 bits lose the lower 8.
- RGB and YBR: what is stored; more than 8 bits lose the lower ones.

Source: DICOM PS3.3, C.7.6.3.1.2 (colour), C.11.1 (modality), C.11.2 (window).
"""

import cv2
import numpy as np
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi

from mmdet_liver.preparation.importers.dicom.unreadable import UnreadableError

_GREY = ('MONOCHROME1', 'MONOCHROME2')
_PALETTE = 'PALETTE COLOR'
_LUMA = ('YBR_FULL', 'YBR_FULL_422')
_MOST_BITS = 16


class ToEightBits:
    """Turns decoded frames of one file into uint8; a table is made once, not for each frame."""

    def __init__(self, header: Dataset) -> None:
        self._bits = header.BitsStored
        if not 1 <= self._bits <= _MOST_BITS:
            raise UnreadableError('pixels of more than 16 bits', f'{self._bits}')
        kind = header.PhotometricInterpretation
        self._lowest = -(1 << (self._bits - 1)) if header.PixelRepresentation else 0
        self._table = None
        if kind in _GREY:
            self._table = grey_table(header, self._stored_values())
        elif kind == _PALETTE:
            self._table = _palette_table(header, self._stored_values())

    def __call__(self, pixels: np.ndarray, kind: str) -> np.ndarray:
        """Return (H, W) where all pixels are grey, else (H, W, 3) BGR; uint8.

        Args:
            pixels: (H, W) stored values or (H, W, 3) of the colour space `kind`, integer.
            kind: photometric interpretation of `pixels`, which a decoder may have changed.
        """
        if self._table is not None:
            return without_colour(self._looked_up(pixels))
        if self._bits > 8:
            pixels = pixels >> (self._bits - 8)
        pixels = pixels.astype(np.uint8, copy=False)
        if kind == 'RGB':
            return without_colour(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        if kind in _LUMA:
            luma, blue, red = cv2.split(pixels)
            ordered = cv2.merge([luma, red, blue])
            return without_colour(cv2.cvtColor(ordered, cv2.COLOR_YCrCb2BGR))
        raise UnreadableError('an unknown colour space', kind)

    def _stored_values(self) -> np.ndarray:
        return np.arange(self._lowest, self._lowest + (1 << self._bits))

    def _looked_up(self, pixels: np.ndarray) -> np.ndarray:
        if pixels.dtype == np.uint8 and len(self._table) == 256:
            return self._table[pixels]
        index = pixels.astype(np.int32) - self._lowest
        return self._table[index.clip(0, len(self._table) - 1)]


def grey_table(header: Dataset, stored: np.ndarray) -> np.ndarray:
    """(N,) uint8: the grey of each of the stored values, as a screen would show it."""
    values = apply_modality_lut(stored, header)
    lowest, highest = float(values.min()), float(values.max())
    if header.get('VOILUTSequence'):
        shown = apply_voi(values.astype(np.int64), header)
        highest_entry = (1 << header.VOILUTSequence[0].LUTDescriptor[2]) - 1
        share = shown / highest_entry
    else:
        share = _windowed(values.astype(np.float64), header)
        if share is None:
            share = (values - lowest) / max(highest - lowest, 1)
    if header.PhotometricInterpretation == 'MONOCHROME1':
        share = 1 - share
    return np.rint(share.clip(0, 1) * 255).astype(np.uint8)


def _windowed(values: np.ndarray, header: Dataset) -> np.ndarray | None:
    # Brightness as a share of white, or None where there is no window to speak of.
    center, width = (_first(header.get(name)) for name in ('WindowCenter', 'WindowWidth'))
    form = str(header.get('VOILUTFunction') or 'LINEAR').upper()
    if center is None or width is None or width < 1:
        return None
    if form == 'SIGMOID':
        return 1 / (1 + np.exp(-4 * (values - center) / width))
    if form == 'LINEAR_EXACT':
        return (values - center) / width + 0.5
    if width == 1:
        return (values > center - 0.5).astype(np.float64)
    return (values - (center - 0.5)) / (width - 1) + 0.5


def _first(value: object) -> float | None:
    if value is None or value == '':
        return None
    return float(value[0] if hasattr(value, '__len__') and not isinstance(value, str) else value)


def _palette_table(header: Dataset, stored: np.ndarray) -> np.ndarray:
    entries, first, _ = header.RedPaletteColorLookupTableDescriptor
    # Below the table its first entry counts, above it the last.
    table = apply_color_lut(stored.clip(first, first + (entries or 1 << 16) - 1), header)
    # Some scanners keep 8-bit entries in 16.
    shades = table >> 8 if table.max() > 255 else table
    return np.ascontiguousarray(shades[:, 2::-1]).astype(np.uint8)


def without_colour(pixels: np.ndarray) -> np.ndarray:
    """(H, W) if the three colours of all pixels are the same, else the pixels as they are."""
    if pixels.ndim == 2:
        return pixels
    blue, green, red = cv2.split(pixels)
    # Comparing two planes of OpenCV's is much faster than comparing along the last axis.
    is_grey = np.array_equal(blue, green) and np.array_equal(green, red)
    return blue if is_grey else pixels
