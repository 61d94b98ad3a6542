"""The four kinds of lesion as radiology describes them: shape, echo, what they do to the beam.

Places and lengths are millimetres in the patient's frame (x right, y deep, z across the
scan plane). A lesion's own radius coordinate s is 0 in its centre and 1 on its outline,
the halo included.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from mmdet_liver.preparation.phantom.tissue import Tissue, ridge, set_echo, step


@dataclass(frozen=True)
class Lesion:
    """One lesion; `axes` are the half axes in the plane, `look` its kind's own numbers."""

    diagnosis: str
    center: tuple[float, float, float]
    axes: tuple[float, float]
    angle: float
    bumps: tuple[tuple[int, float, float], ...]  # (lobes, share of the radius, phase)
    look: dict[str, float] = field(default_factory=dict)
    waves: tuple[float, ...] = ()  # phases of what is uneven inside
    nodules: tuple[tuple[float, float, float], ...] = ()  # HCC: (x, y, level) in the unit disc

    @property
    def radius(self) -> float:
        return float(np.sqrt(self.axes[0] * self.axes[1]))

    def grown(self, factor: float) -> 'Lesion':
        """The same lesion at a later date."""
        return replace(self, axes=(self.axes[0] * factor, self.axes[1] * factor))

    def cut(self, z: float) -> 'Lesion | None':
        """The lesion as the plane at `z` cuts it; None where that leaves under half of it."""
        share = 1 - ((z - self.center[2]) / self.radius) ** 2
        return self.grown(share**0.5) if share > 0.25 else None

    def outline(self, phi: np.ndarray) -> np.ndarray:
        """Distance from the centre to the outline at the angles `phi` (in its own axes)."""
        a, b = self.axes
        plain = a * b / np.hypot(b * np.cos(phi), a * np.sin(phi))
        return plain * (1 + sum(size * np.cos(n * phi + p) for n, size, p in self.bumps))

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of points that fill the lesion evenly in angle and s, the outline included."""
        phi = np.linspace(0, 2 * np.pi, 120, endpoint=False)
        reach = self.outline(phi) * np.sqrt(np.linspace(0.02, 1, 16))[:, None]
        x, y = reach * np.cos(phi + self.angle), reach * np.sin(phi + self.angle)
        return self.center[0] + x.ravel(), self.center[1] + y.ravel()


def paint(lesion: Lesion, tissue: Tissue) -> None:
    """Put the lesion into the tissue, in place; nothing happens where it does not reach."""
    reach = 1.35 * max(lesion.axes) * (1 + sum(abs(size) for _, size, _ in lesion.bumps)) + 3
    near = (tissue.x - lesion.center[0]) ** 2 + (tissue.y - lesion.center[1]) ** 2 < reach**2
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return
    part = tissue.window(slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    dx, dy = part.x - lesion.center[0], part.y - lesion.center[1]
    phi = np.arctan2(dy, dx) - np.float32(lesion.angle)
    distance = np.hypot(dx, dy)
    s = distance / lesion.outline(phi)
    facing = np.abs(dy) / (distance + 0.1)  # 1 where the wall lies across the beam
    _displace_vessels(part, step((1 - s) * lesion.radius + 3, 2.5))
    _PAINTERS[lesion.diagnosis](lesion, part, s, phi, facing)


def _paint_cyst(
    lesion: Lesion, tissue: Tissue, s: np.ndarray, phi: np.ndarray, facing: np.ndarray
) -> None:
    edge = (1 - s) * lesion.radius  # mm inside the wall
    inside = step(edge, 0.7)
    # Reverberation clouds the front of a cyst; the rest is empty.
    front = np.exp(-np.maximum(edge, 0) / 4) * (tissue.y < lesion.center[1])
    set_echo(tissue, -42 + lesion.look['clutter'] * front, inside)
    wall = ridge(edge, 0.6)
    tissue.mirror += lesion.look['wall'] * wall * facing**3
    tissue.echo += 3 * wall * facing
    if lesion.look['septum']:
        line = s * np.cos(phi - 0.8) * lesion.radius - 0.25 * lesion.radius
        tissue.mirror += 0.6 * ridge(line, 0.5) * inside
    tissue.loss -= lesion.look['enhancement'] / (2 * lesion.radius) * inside
    _shadow_edges(lesion, tissue, s, facing, lesion.look['edge_shadow'])


def _paint_hemangioma(
    lesion: Lesion, tissue: Tissue, s: np.ndarray, phi: np.ndarray, facing: np.ndarray
) -> None:
    inside = step((1 - s) * lesion.radius, 0.8)
    core = lesion.look['core'] * step((0.45 - s) * lesion.radius, 4.0)
    set_echo(tissue, lesion.look['level'] + core + 0.7 * _grain(tissue), inside)
    tissue.loss -= lesion.look['enhancement'] / (2 * lesion.radius) * inside


def _paint_hcc(
    lesion: Lesion, tissue: Tissue, s: np.ndarray, phi: np.ndarray, facing: np.ndarray
) -> None:
    radius, (first, other, third) = lesion.radius, lesion.waves
    grain = _grain(tissue)
    mosaic, weights = np.zeros_like(s), np.full_like(s, 1e-6)
    nearest = np.full_like(s, np.inf)
    second = np.full_like(s, np.inf)
    x, y = s * np.cos(phi), s * np.sin(phi)
    # Bent coordinates, so that the nodules do not meet along straight lines.
    x, y = (
        x + 0.09 * np.sin(5 * y + first) + 0.04 * np.sin(11 * y + other),
        y + 0.09 * np.sin(5 * x + third) + 0.04 * np.sin(12 * x + first),
    )
    for nodule_x, nodule_y, level in lesion.nodules:
        far = np.hypot(x - nodule_x, y - nodule_y)
        second = np.minimum(second, np.maximum(far, nearest))
        nearest = np.minimum(nearest, far)
        weight = np.exp(-45 * far**2)
        mosaic += level * weight
        weights += weight
    mosaic = mosaic / weights - lesion.look['septa'] * ridge((second - nearest) * radius, 1.3)
    halo = lesion.look['halo_mm'] * (1 + 0.35 * np.sin(phi + other) + 0.2 * np.sin(3 * phi + third))
    set_echo(tissue, mosaic + grain, step((1 - s) * radius, 1.0))
    rim = step((1 - s) * radius, 1.0) * step((s - 1) * radius + halo, 1.2)
    set_echo(tissue, lesion.look['halo'], rim)
    tissue.loss -= lesion.look['enhancement'] / (2 * radius) * step((1 - s) * radius, 1.0)
    _shadow_edges(lesion, tissue, s, facing, lesion.look['edge_shadow'])


def _paint_meta(
    lesion: Lesion, tissue: Tissue, s: np.ndarray, phi: np.ndarray, facing: np.ndarray
) -> None:
    radius, look, (first, other, third) = lesion.radius, lesion.look, lesion.waves
    grain = _grain(tissue)
    core = look['core_share'] + 0.06 * np.sin(2 * phi + first) + 0.05 * np.sin(3 * phi + other)
    set_echo(tissue, look['rim'] + 2 * np.sin(phi + third) + grain, step((1 - s) * radius, 1.8))
    set_echo(tissue, look['core'] + grain, step((core - s) * radius, 2.8))
    if look['necrosis']:
        set_echo(tissue, -18, step((look['necrosis'] - s) * radius, 2.0))
    tissue.loss += 0.04 * step((1 - s) * radius, 1.6)


def _displace_vessels(tissue: Tissue, share: np.ndarray) -> None:
    """A growing lesion pushes vessels aside: none touches it, so that its outline is its own."""
    set_echo(tissue, np.where(tissue.echo < -6, 0, np.clip(tissue.echo, -6, 4)), share)


def _grain(tissue: Tissue) -> np.ndarray:
    """Texture for a lesion: the liver's own, without vessels."""
    return np.clip(tissue.echo, -4, 4)


def _shadow_edges(
    lesion: Lesion, tissue: Tissue, s: np.ndarray, facing: np.ndarray, total_db: float
) -> None:
    """Refraction at a wall that the beam grazes: narrow shadows below the two sides."""
    grazed = ridge((1 - s) * lesion.radius - 0.6, 1.6) * (1 - facing) ** 2
    tissue.loss += total_db / (0.6 * lesion.radius) * grazed


_PAINTERS = {
    'cyst': _paint_cyst,
    'HCC': _paint_hcc,
    'hemangioma': _paint_hemangioma,
    'Meta': _paint_meta,
}
