"""The liver around the lesions: body wall, capsule, texture, vessels, diaphragm.

Drawn on a raster of the patient's frame (x right, y deep, mm) for one scan plane z, then
sampled where the beam goes. A vessel runs on through z, so neighbouring planes agree.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mmdet_liver.preparation.phantom.tissue import Tissue, ridge

_CELL = 0.5  # mm
_LEFT, _TOP = -170.0, -12.0  # mm, corner of the raster
_COLUMNS, _ROWS = 680, 464
_SUB = 3  # fractional bits of OpenCV's drawing coordinates


@dataclass(frozen=True)
class Vessel:
    """A tapering tube along a quadratic curve; portal ones have bright walls."""

    points: tuple[tuple[float, float], ...]  # three control points, mm
    radii: tuple[float, float]  # at both ends, mm
    drift: tuple[float, float]  # movement of the curve per mm of z
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


def sample_liver(rng: np.random.Generator, coarse: bool) -> Liver:
    """A liver; `coarse` for the cirrhotic texture that most HCC grows in."""
    large = [_sample_vessel(rng, branch=False) for _ in range(rng.integers(3, 6))]
    small = [_sample_vessel(rng, branch=True) for _ in range(rng.integers(9, 17))]
    return Liver(
        vessels=(*small, *large),
        wall_mm=rng.uniform(13, 22),
        layers=tuple(sorted(rng.uniform(0.12, 0.95, rng.integers(3, 7)).tolist())),
        tilt=rng.uniform(-14, 14),
        dome=(rng.uniform(25, 40), rng.uniform(88, 112)),
        coarseness=rng.uniform(1.4, 2.0) if coarse else rng.uniform(0.6, 1.2),
        texture_seed=int(rng.integers(2**31)),
    )


def _sample_vessel(rng: np.random.Generator, branch: bool) -> Vessel:
    start = np.array([rng.uniform(-120, 120), rng.uniform(28, 120)])
    length = rng.uniform(4, 26) if branch else rng.uniform(50, 110)
    angle = rng.uniform(0, np.pi)
    middle = start + length / 2 * np.array([np.cos(angle), np.sin(angle)])
    bend = angle + rng.normal() * 0.5
    end = middle + length / 2 * np.array([np.cos(bend), np.sin(bend)])
    wide = rng.uniform(1.1, 2.2) if branch else rng.uniform(2.6, 4.8)
    return Vessel(
        points=tuple((float(x), float(y)) for x, y in (start, middle, end)),
        radii=(wide, wide * rng.uniform(0.35, 0.8)),
        drift=(float(rng.normal() * 0.5), float(rng.normal() * 0.3)),
        portal=bool(rng.random() < 0.45),
    )


def liver_tissue(liver: Liver, x: np.ndarray, y: np.ndarray, z: float) -> Tissue:
    """Acoustic maps of the liver at the places `x`, `y` (mm, float32) in the plane `z`."""
    raster = _draw(liver, z)
    at = ((x - _LEFT) / _CELL, (y - _TOP) / _CELL)
    maps = cv2.remap(raster, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    echo, mirror, loss = (np.ascontiguousarray(maps[..., i]) for i in range(3))
    return Tissue(x, y, echo, mirror, loss)


def _draw(liver: Liver, z: float) -> np.ndarray:
    """(rows, columns, 3) float32: echo, mirror, loss."""
    echo, texture = _texture(liver)
    mirror = np.zeros_like(echo)
    loss = np.zeros_like(echo)
    lumen, walls = _draw_vessels(liver, z)
    echo += lumen * (-26 - echo)
    echo += 5 * walls
    mirror += 0.5 * walls
    _draw_diaphragm(liver, z, echo, mirror)
    _draw_wall(liver, texture, echo, mirror)
    return np.dstack([echo, mirror, loss])


def _texture(liver: Liver) -> tuple[np.ndarray, np.ndarray]:
    """Slow variation of the echo in dB, and a smooth map of about unit deviation."""
    rng = np.random.default_rng(liver.texture_seed)
    size = (_COLUMNS, _ROWS)
    slow = cv2.resize(rng.standard_normal((9, 13), np.float32), size, interpolation=cv2.INTER_CUBIC)
    # Lobular structure of 2 to 3 mm, what remains when the speckle is averaged away.
    fine = cv2.resize(rng.standard_normal((155, 227), np.float32), size)
    return liver.coarseness * (0.6 * slow + 0.8 * fine), slow


def _draw_vessels(liver: Liver, z: float) -> tuple[np.ndarray, np.ndarray]:
    lumen = np.zeros((_ROWS, _COLUMNS), np.uint8)
    walls = np.zeros_like(lumen)
    for vessel in liver.vessels:
        line, radii = _course(vessel, z)
        if vessel.portal:
            _brush(walls, line, radii + 1.3, 255)
        _brush(walls, line, radii, 0)
        _brush(lumen, line, radii, 255)
    return tuple(cv2.GaussianBlur(a, (0, 0), 0.8).astype(np.float32) / 255 for a in (lumen, walls))


def _course(vessel: Vessel, z: float) -> tuple[np.ndarray, np.ndarray]:
    t = np.linspace(0, 1, 15)
    a, b, c = (np.array(p) + z * np.array(vessel.drift) for p in vessel.points)
    line = np.outer((1 - t) ** 2, a) + np.outer(2 * t * (1 - t), b) + np.outer(t**2, c)
    return line, vessel.radii[0] + t * (vessel.radii[1] - vessel.radii[0])


def _brush(canvas: np.ndarray, line: np.ndarray, radii: np.ndarray, value: int) -> None:
    at = np.round((line - (_LEFT, _TOP)) / _CELL * 2**_SUB).astype(int)
    for start, end, radius in zip(at[:-1], at[1:], radii[:-1], strict=True):
        thickness = max(1, round(2 * radius / _CELL))
        cv2.line(canvas, start.tolist(), end.tolist(), value, thickness, cv2.LINE_8, _SUB)


def _draw_diaphragm(liver: Liver, z: float, echo: np.ndarray, mirror: np.ndarray) -> None:
    """A thin bright arc; beyond it the lung gives a dim, fading mirror image of the liver."""
    depth, axis = liver.dome
    x = np.linspace(_LEFT, _LEFT + _COLUMNS * _CELL, _COLUMNS, dtype=np.float32)[None]
    y = np.linspace(_TOP, _TOP + _ROWS * _CELL, _ROWS, dtype=np.float32)[:, None]
    level = y - depth - np.float32(np.tan(np.radians(liver.tilt))) * x
    arc = np.float32(axis + 0.04 * z) * np.sqrt(np.maximum(1 - (x / 178) ** 2, 0.05))
    beyond = level - arc
    near = np.abs(beyond) < 6
    mirror[near] += 5 * ridge(beyond[near], 0.9)
    echo[near] += 6 * ridge(beyond[near], 1.2)
    echo -= np.clip(beyond, 0, 30) * 0.5 + 4 * (beyond > 0)


def _draw_wall(
    liver: Liver, texture: np.ndarray, echo: np.ndarray, mirror: np.ndarray
) -> None:
    """Skin, fat and muscle in layers along the skin, then the capsule."""
    rows = int((liver.wall_mm + 8 - _TOP) / _CELL)
    y = (_TOP + _CELL * np.arange(rows, dtype=np.float32))[:, None]
    wave = 1.6 * texture[rows][None] + 0.5 * texture[0][None]
    share = (y - 0.15 * y * wave / 3) / np.float32(liver.wall_mm)  # 0 skin, 1 capsule
    wall = share < 1
    sheets = np.zeros_like(share)
    for i, place in enumerate(liver.layers):
        sheets += (1.0 if i % 2 else 0.6) * ridge((share - place) * liver.wall_mm, 0.5)
    level = np.where(share < 0.12, 5, np.where(share < 0.5, -5, -2)) + 7 * np.minimum(sheets, 1)
    echo[:rows] = np.where(wall, level + 0.6 * echo[:rows], echo[:rows])
    capsule = ridge((share - 1) * liver.wall_mm, 0.6)
    mirror[:rows] = mirror[:rows] * ~wall + 1.2 * sheets * wall + 2.0 * capsule
    echo[:rows] += 4 * capsule
