"""The liver around the lesions: body wall, capsule, texture, vessels, diaphragm.

Drawn on a raster of the patient's frame (x right, y deep, mm) for one scan plane z, then
sampled where the beam goes. A vessel runs on through z, so neighbouring planes agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from mmdet_liver.preparation.phantom.tissue import Tissue, ridge

_CELL = 0.5  # mm
_LEFT, _TOP = -230.0, -12.0  # mm, corner of the raster
_COLUMNS, _ROWS = 920, 464
_GALLBLADDER = 0.35  # share of livers that show one in some planes
_SUB = 3  # fractional bits of OpenCV's drawing coordinates


@dataclass(frozen=True)
class Vessel:
    """A winding tube through the plane; where it dips out of it, it narrows and ends.

    `points` are the control points of a quadratic curve and `radii` those of both ends, mm;
    `drift` is the curve's movement per mm of z, `rise` its climb through z from end to end
    and `phase` its z in the middle. It comes back every `period` mm of z, as some other
    vessel would. Portal ones have bright walls.
    """

    points: tuple[tuple[float, float], ...]
    radii: tuple[float, float]
    drift: tuple[float, float]
    rise: float
    phase: float
    period: float
    wave: tuple[float, float]  # share of the length, phase
    portal: bool


@dataclass(frozen=True)
class Liver:
    """One patient's anatomy; lengths in mm, levels in dB."""

    vessels: tuple[Vessel, ...]
    wall_mm: float  # skin to capsule
    layers: tuple[float, ...]  # depth shares of bright sheets in the body wall
    tilt: float  # of the diaphragm, degrees
    dome: tuple[float, float]  # depth of the diaphragm's centre and its half axis
    coarseness: float  # standard deviation of the texture, dB
    texture_seed: int


def sample_liver(
    rng: np.random.Generator, coarse: bool, taken: Sequence[tuple[float, float, float]] = ()
) -> Liver:
    """A liver; `coarse` for the cirrhotic texture that most HCC grows in.

    `taken` are discs (x, y, radius in mm) where no gallbladder may lie.
    """
    large = [_sample_vessel(rng, rng.uniform(2.4, 4.8), 45, 110, 15) for _ in range(12)]
    small = [_sample_vessel(rng, rng.uniform(0.9, 2.4), 8, 40, 9) for _ in range(34)]
    # Too thin to show a lumen: only the bright sheath of a portal triad is seen.
    triads = [_sample_vessel(rng, rng.uniform(0.3, 0.8), 3, 14, 2) for _ in range(66)]
    return Liver(
        vessels=(*triads, *small, *large, *_sample_gallbladder(rng, taken)),
        wall_mm=rng.uniform(13, 22),
        layers=tuple(sorted(rng.uniform(0.12, 0.95, rng.integers(3, 7)).tolist())),
        tilt=rng.uniform(-14, 14),
        dome=(rng.uniform(25, 40), rng.uniform(88, 112)),
        coarseness=rng.uniform(1.3, 1.9) if coarse else rng.uniform(0.7, 1.2),
        texture_seed=int(rng.integers(2**31)),
    )


def _sample_vessel(
    rng: np.random.Generator, radius: float, shortest: float, longest: float, period: float
) -> Vessel:
    start = np.array([rng.uniform(-190, 190), rng.uniform(28, 130)])
    length = rng.uniform(shortest, longest)
    angle = rng.uniform(0, 2 * np.pi)
    bend = angle + rng.normal() * 0.6
    middle = start + length / 2 * np.array([np.cos(angle), np.sin(angle)])
    end = middle + length / 2 * np.array([np.cos(bend), np.sin(bend)])
    return Vessel(
        points=tuple((float(x), float(y)) for x, y in (start, middle, end)),
        radii=(radius, radius * rng.uniform(0.3, 0.8)),
        drift=(float(rng.normal() * 0.5), float(rng.normal() * 0.3)),
        rise=radius * rng.uniform(0.8, 3),
        phase=rng.uniform(0, period),
        period=period,
        wave=(rng.uniform(0, 0.045), rng.uniform(0, 6.28)),
        portal=bool(radius < 0.8 or rng.random() < 0.45),
    )


def _sample_gallbladder(
    rng: np.random.Generator, taken: Sequence[tuple[float, float, float]]
) -> list[Vessel]:
    """A pear of bile with a bright wall: empty as a cyst is, and none. Few are in the plane."""
    if rng.random() > _GALLBLADDER:
        return []
    neck, length = rng.uniform((-90, 55), (90, 80)), rng.uniform(28, 45)
    angle = rng.uniform(-0.5, 0.9) + np.pi * (rng.random() < 0.5)
    fundus = neck + length * np.array([np.cos(angle), np.sin(angle)])
    middle, radius = (neck + fundus) / 2, rng.uniform(9, 13)
    if any(np.hypot(*(middle - (x, y))) < r + length / 2 + radius + 4 for x, y, r in taken):
        return []
    points = tuple((float(x), float(y)) for x, y in (neck, middle, fundus))
    return [
        Vessel(points, (0.3 * radius, radius), (0, 0), 0, rng.uniform(0, 60), 60, (0.05, 0), True)
    ]


def liver_tissue(liver: Liver, x: np.ndarray, y: np.ndarray, z: float) -> Tissue:
    """Acoustic maps of the liver at the places `x`, `y` (mm, float32) in the plane `z`."""
    raster = _draw(liver, z)
    at = ((x - _LEFT) / _CELL, (y - _TOP) / _CELL)
    maps = cv2.remap(raster, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    echo, mirror, loss = (np.ascontiguousarray(maps[..., i]) for i in range(3))
    return Tissue(x, y, echo, mirror, loss)


def _draw(liver: Liver, z: float) -> np.ndarray:
    """(rows, columns, 3) float32: echo, mirror, loss."""
    texture, slow = _texture(liver.texture_seed)
    echo = liver.coarseness * texture
    mirror = np.zeros_like(echo)
    lumen, walls = _draw_vessels(liver, z)
    loss = np.float32(-0.2) * lumen  # fluid weakens the beam less
    echo += lumen * (-27 - echo)
    echo += 5 * walls
    mirror += 1.6 * walls
    _draw_diaphragm(liver, z, echo, mirror)
    _draw_wall(liver, slow, echo, mirror)
    return np.dstack([echo, mirror, loss])


@lru_cache(maxsize=2)  # of a patient, all frames are drawn in a row
def _texture(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Texture of the echo, and its slow part alone, both of about unit deviation."""
    rng = np.random.default_rng(seed)
    size = (_COLUMNS, _ROWS)
    slow = cv2.resize(rng.standard_normal((9, 17), np.float32), size, interpolation=cv2.INTER_CUBIC)
    # Lobular structure of 2 to 3 mm, what remains when the speckle is averaged away.
    fine = cv2.resize(rng.standard_normal((155, 307), np.float32), size)
    patches = cv2.resize(rng.standard_normal((31, 61), np.float32), size)
    return 0.7 * slow + 0.6 * patches + 1.1 * fine, slow


def _draw_vessels(liver: Liver, z: float) -> tuple[np.ndarray, np.ndarray]:
    lumen = np.zeros((_ROWS, _COLUMNS), np.uint8)
    walls = np.zeros_like(lumen)
    for vessel in liver.vessels:
        line, radii = _course(vessel, z)
        if not radii.any():
            continue
        if vessel.portal:
            _brush(walls, line, radii + 1.2 * (radii > 0), 255)
        if vessel.radii[0] > 0.8:
            # The slice is as thick as a thin vessel, which so never looks quite empty.
            _brush(walls, line, radii, 0)
            _brush(lumen, line, radii, round(255 * min(1, 0.35 + 0.2 * vessel.radii[0])))
    return tuple(cv2.GaussianBlur(a, (0, 0), 1.1).astype(np.float32) / 255 for a in (lumen, walls))


def _course(vessel: Vessel, z: float) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) points of the axis, and (K,) radii in this plane, 0 where it is out of it."""
    (ax, ay), _, (cx, cy) = vessel.points
    t = np.linspace(0, 1, max(5, int(np.hypot(cx - ax, cy - ay) / 2.5)))
    half = vessel.period / 2
    height = (z + vessel.phase + vessel.rise * (t - 0.5) + half) % vessel.period - half
    width = vessel.radii[0] + t * (vessel.radii[1] - vessel.radii[0])
    radii = np.sqrt(np.maximum(width**2 - height**2, 0))
    a, b, c = (np.array(p) + z * np.array(vessel.drift) for p in vessel.points)
    line = np.outer((1 - t) ** 2, a) + np.outer(2 * t * (1 - t), b) + np.outer(t**2, c)
    size, phase = vessel.wave
    side = np.array([ay - cy, cx - ax])
    return line + np.outer(size * np.sin(2 * np.pi * t + phase), side), radii


def _brush(canvas: np.ndarray, line: np.ndarray, radii: np.ndarray, value: int) -> None:
    at = np.round((line - (_LEFT, _TOP)) / _CELL * 2**_SUB).astype(int).tolist()
    for start, end, radius in zip(at[:-1], at[1:], radii[:-1].tolist(), strict=True):
        if radius:
            thickness = max(1, round(2 * radius / _CELL))
            cv2.line(canvas, start, end, value, thickness, cv2.LINE_8, _SUB)


def _draw_diaphragm(liver: Liver, z: float, echo: np.ndarray, mirror: np.ndarray) -> None:
    """A thin bright arc; beyond it the lung gives a dim, fading mirror image of the liver."""
    depth, axis = liver.dome
    x = np.linspace(_LEFT, _LEFT + _COLUMNS * _CELL, _COLUMNS, dtype=np.float32)[None]
    y = np.linspace(_TOP, _TOP + _ROWS * _CELL, _ROWS, dtype=np.float32)[:, None]
    level = y - depth - np.float32(np.tan(np.radians(liver.tilt))) * x
    arc = np.float32(axis + 0.04 * z) * np.sqrt(np.maximum(1 - (x / 200) ** 2, 0.01))
    beyond = level - arc
    near = np.abs(beyond) < 6
    mirror[near] += 9 * ridge(beyond[near], 0.9)
    echo[near] += 6 * ridge(beyond[near], 1.2)
    echo -= np.clip(beyond, 0, 30) * 0.5 + np.float32(4) * (beyond > 0)


def _draw_wall(liver: Liver, slow: np.ndarray, echo: np.ndarray, mirror: np.ndarray) -> None:
    """Skin, fat and muscle in layers along the skin, then the capsule."""
    rows = int((liver.wall_mm + 8 - _TOP) / _CELL)
    y = (_TOP + _CELL * np.arange(rows, dtype=np.float32))[:, None]
    wave = 1.6 * slow[rows][None] + 0.5 * slow[0][None]
    share = (y - 0.15 * y * wave / 3) / np.float32(liver.wall_mm)  # 0 skin, 1 capsule
    wall = share < 1
    sheets = np.zeros_like(share)
    for i, place in enumerate(liver.layers):
        sway = share - place - 0.03 * slow[17 * i + 40]
        broken = np.clip(0.8 + 0.6 * slow[31 * i + 90], 0.1, 1.2)
        sheets += broken * ridge(sway * liver.wall_mm, 0.4 + 0.2 * (i % 3))
    level = np.where(share < 0.12, 5, np.where(share < 0.5, -6, -3)) + 11 * np.minimum(sheets, 1)
    echo[:rows] = np.where(wall, level + 0.6 * echo[:rows], echo[:rows])
    capsule = ridge((share - 1) * liver.wall_mm, 0.6)
    mirror[:rows] = mirror[:rows] * ~wall + 3.0 * sheets * wall + 4.0 * capsule
    echo[:rows] += 4 * capsule
