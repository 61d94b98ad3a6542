"""What the beam meets: acoustic maps shared by the liver and its lesions."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Tissue:
    """Acoustic maps over the samples at `x`, `y`, all of one shape, float32.

    `x`, `y`: place in the patient's frame, mm. `echo`: backscatter in dB, healthy liver 0.
    `mirror`: amplitude of smooth reflectors (walls, capsule, diaphragm), liver speckle 1.
    `loss`: attenuation in dB/mm beyond that of healthy liver; negative where there is less.
    """

    x: np.ndarray
    y: np.ndarray
    echo: np.ndarray
    mirror: np.ndarray
    loss: np.ndarray

    def window(self, rows: slice, columns: slice) -> 'Tissue':
        """A view of a part; painting it paints the whole."""
        return Tissue(*(a[rows, columns] for a in vars(self).values()))


def step(distance_mm: np.ndarray, edge_mm: float) -> np.ndarray:
    """1 inside (positive distance), 0 outside, blurred over about `edge_mm`."""
    return 1 / (1 + np.exp(np.clip(-4 * distance_mm / edge_mm, -40, 40)))


def ridge(distance_mm: np.ndarray, width_mm: float) -> np.ndarray:
    """1 on the line of zero distance, falling off as a Gaussian."""
    return np.exp(-((distance_mm / width_mm) ** 2))


def set_echo(tissue: Tissue, level_db: np.ndarray | float, share: np.ndarray) -> None:
    """Replace the echo by `level_db`, reflectors by none, where `share` is 1, mixing in between."""
    tissue.echo += share * (level_db - tissue.echo)
    tissue.mirror *= 1 - share
