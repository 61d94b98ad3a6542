"""Geometry of a curved array: polar samples, scan conversion to pixels, pixels of a point.

Probe frame: millimetres, origin on the skin under the middle of the array, x to the
right, y into the body. Polar arrays are (depth samples, scan lines).
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

SAMPLES, LINES = 512, 240


@dataclass(frozen=True)
class Sector:
    """Field of view of one probe setting on an image of `width` x `height` pixels.

    `radius_mm` is the probe's curvature, `half_angle` in degrees, `depth_mm` the depth
    shown under the middle, `center` and `top` the place of the fan as shares of the image.
    """

    width: int
    height: int
    radius_mm: float
    half_angle: float
    depth_mm: float
    center: float = 0.5
    top: float = 0.04

    @property
    def sag_mm(self) -> float:
        """How far the ends of the array lie above its middle."""
        return self.radius_mm * (1 - np.cos(np.radians(self.half_angle)))

    @property
    def mm_per_pixel(self) -> float:
        chord = 2 * (self.radius_mm + self.depth_mm) * np.sin(np.radians(self.half_angle))
        # Scanners cut the far corners of the fan a little to use the screen's height.
        tall = (self.depth_mm + self.sag_mm) / (self.height * (0.96 - self.top))
        return round(float(max(tall, chord / (1.06 * self.width))), 4)

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probe frame in mm -> pixel coordinates (u, v), both of the shape of `x`."""
        u = self.center * self.width + x / self.mm_per_pixel
        v = self.top * self.height + (y + self.sag_mm) / self.mm_per_pixel
        return u, v

    def contains(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Which points of the probe frame are shown: inside the fan and inside the image."""
        radius, angle = np.hypot(x, y + self.radius_mm), np.arctan2(x, y + self.radius_mm)
        u, v = self.to_pixels(x, y)
        return (
            (np.abs(angle) <= np.radians(self.half_angle))
            & (radius >= self.radius_mm)
            & (radius <= self.radius_mm + self.depth_mm)
            & (u >= 0)
            & (u <= self.width)
            & (v >= 0)
            & (v <= self.height)
        )

    @property
    def sample_mm(self) -> float:
        """Axial distance of two polar samples."""
        return self.depth_mm / (SAMPLES - 1)

    def depths(self) -> np.ndarray:
        """(SAMPLES, 1) depth below the array in mm, float32."""
        return np.linspace(0, self.depth_mm, SAMPLES, dtype=np.float32)[:, None]


@lru_cache(maxsize=8)
def polar_grid(sector: Sector) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every polar sample in the probe frame, each (SAMPLES, LINES) float32."""
    half = np.radians(sector.half_angle)
    angle = np.linspace(-half, half, LINES, dtype=np.float32)[None]
    radius = sector.radius_mm + sector.depths()
    return radius * np.sin(angle), radius * np.cos(angle) - np.float32(sector.radius_mm)


def scan_convert(polar: np.ndarray, sector: Sector) -> np.ndarray:
    """(SAMPLES, LINES) uint8 -> (height, width) uint8, black outside the fan."""
    coarse, fine = _scan_maps(sector)
    return cv2.remap(polar, coarse, fine, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


@lru_cache(maxsize=8)
def _scan_maps(sector: Sector) -> tuple[np.ndarray, np.ndarray]:
    u = np.arange(sector.width, dtype=np.float32)[None] + 0.5
    v = np.arange(sector.height, dtype=np.float32)[:, None] + 0.5
    x = (u - sector.center * sector.width) * sector.mm_per_pixel
    y = (v - sector.top * sector.height) * sector.mm_per_pixel - sector.sag_mm + sector.radius_mm
    half = np.radians(sector.half_angle)
    line = (np.arctan2(x, y) / half + 1) * ((LINES - 1) / 2)
    sample = (np.hypot(x, y) - sector.radius_mm) / sector.sample_mm
    return cv2.convertMaps(line.astype(np.float32), sample.astype(np.float32), cv2.CV_16SC2)
