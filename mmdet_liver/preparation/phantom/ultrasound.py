"""From tissue to a B-mode picture: speckle, attenuation, compression, in polar geometry.

Speckle is complex Gaussian noise filtered by the pulse, so that its envelope is Rayleigh
(Wagner et al., IEEE Trans. Sonics Ultrason. 30, 1983); the lateral width of the pulse is
about constant in angle and so grows with depth. Arrays are (depth samples, scan lines).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mmdet_liver.preparation.phantom.sector import LINES, SAMPLES, Sector, scan_convert
from mmdet_liver.preparation.phantom.tissue import Tissue


@dataclass(frozen=True)
class Processing:
    """What a scanner does to the echoes."""

    dynamic_range: float = 58.0  # dB from black to white
    looks: int = 2  # compounded views
    pulse_mm: float = 0.35  # axial standard deviation
    beam_lines: tuple[float, float] = (1.0, 1.7)  # lateral deviation, near and far
    contrast: float = 1.0  # exponent of the grey curve
    smoothing: float = 0.4  # share of the speckle filter


@dataclass(frozen=True)
class Knobs:
    """What the examiner sets, and what the body does, in one frame."""

    gain: float = 0.0  # dB
    slope: float = -0.04  # dB/mm left over by the time gain compensation
    ripple: tuple[float, ...] = (0.0,) * 8  # dB at eight sliders, skin to bottom
    contact: tuple[float, float] = (0.0, 0.0)  # share of the lines lost at both sides
    shadow: tuple[float, float, float] = (0.5, 0.05, 0.0)  # a rib: place, width, depth in dB


def speckle(
    rng: np.random.Generator,
    pulse: tuple[float, float],
    mean: np.ndarray | None = None,
    scatter: np.ndarray | None = None,
) -> np.ndarray:
    """Complex echoes (real, imaginary) of a medium, (SAMPLES, LINES, 2) float32.

    Args:
        pulse: standard deviations of the pulse in samples and lines.
        mean: amplitude of smooth reflectors; none if left out.
        scatter: amplitude of the scatterers; 1 everywhere if left out.
    Returns:
        echoes of mean square 1 per component where scatter is 1 and mean 0.
    """
    field = rng.standard_normal((SAMPLES, LINES, 2), dtype=np.float32)
    along, across = (_kernel(sigma) for sigma in pulse)
    field *= np.float32(1 / (np.linalg.norm(along) * np.linalg.norm(across)))
    if scatter is not None:
        field *= scatter[..., None]
    if mean is not None:
        field[..., 0] += mean
    return cv2.sepFilter2D(field, -1, across, along, borderType=cv2.BORDER_REFLECT)


def envelope(echoes: np.ndarray) -> np.ndarray:
    """Amplitude of complex echoes: (..., 2) -> (...)."""
    return cv2.magnitude(echoes[..., 0], echoes[..., 1])


def backscatter(
    rng: np.random.Generator, tissue: Tissue, sector: Sector, processing: Processing, knobs: Knobs
) -> np.ndarray:
    """Compounded echo power in dB before compression, (SAMPLES, LINES)."""
    gain = -beam_loss(tissue, sector) + _depth_gain(sector, knobs) + _contact(knobs)
    power_of_ten = np.float32(np.log(10) / 20)
    scatter = np.exp((tissue.echo + gain) * power_of_ten)
    mean = tissue.mirror * np.exp(gain * power_of_ten)
    samples = processing.pulse_mm / sector.sample_mm
    power = np.zeros_like(scatter)
    for _ in range(processing.looks):
        near = speckle(rng, (samples, processing.beam_lines[0]), mean, scatter)
        echoes = _widen(near, processing.beam_lines, sector)
        power += echoes[..., 0] ** 2 + echoes[..., 1] ** 2
    noise = np.float32(10) ** ((-52 + 0.16 * sector.depths()) / 10)
    noise = noise * rng.standard_exponential(power.shape, dtype=np.float32)
    return 10 * np.log10(power / (2 * processing.looks) + noise + np.float32(1e-7))


def beam_loss(tissue: Tissue, sector: Sector) -> np.ndarray:
    """dB lost on the way to each sample beyond healthy liver: shadows > 0, enhancement < 0."""
    loss = np.cumsum(tissue.loss, axis=0, dtype=np.float32) * np.float32(sector.sample_mm)
    return cv2.GaussianBlur(loss, (0, 0), sigmaX=1.5, sigmaY=0.5)


def compress(power_db: np.ndarray, processing: Processing) -> np.ndarray:
    """Log compression to 8 bits: liver (0 dB) at the lower middle of the grey scale."""
    white = 0.52 * processing.dynamic_range  # dB above liver
    share = np.clip((power_db - white) / np.float32(processing.dynamic_range) + 1, 0, 1)
    gray = (255 * share**processing.contrast).astype(np.float32)
    smooth = cv2.GaussianBlur(gray, (0, 0), sigmaX=0.8, sigmaY=1.0)
    return cv2.addWeighted(gray, 1 - processing.smoothing, smooth, processing.smoothing, 0.5)


def render(
    rng: np.random.Generator, tissue: Tissue, sector: Sector, processing: Processing, knobs: Knobs
) -> np.ndarray:
    """The picture inside the fan, (height, width) uint8, without marks."""
    gray = compress(backscatter(rng, tissue, sector, processing, knobs), processing)
    return scan_convert(gray.astype(np.uint8), sector)


def _widen(echoes: np.ndarray, beam_lines: tuple[float, float], sector: Sector) -> np.ndarray:
    """Mix in a wider beam with growing depth, in place; the speckle's mean power stays."""
    near, far = beam_lines
    if near == far:
        return echoes
    along, across = np.ones(1, np.float32), _kernel((far**2 - near**2) ** 0.5)
    wide = cv2.sepFilter2D(echoes, -1, across, along, borderType=cv2.BORDER_REFLECT)
    wide *= np.float32((far / near) ** 0.5)  # back to the power before the filter
    share = (sector.depths() / np.float32(sector.depth_mm)) ** 0.7
    alike = (2 * near * far / (near**2 + far**2)) ** 0.5  # correlation of two Gaussian beams
    power = (1 - share) ** 2 + share**2 + 2 * alike * share * (1 - share)
    echoes *= ((1 - share) / np.sqrt(power))[..., None]
    wide *= (share / np.sqrt(power))[..., None]
    echoes += wide
    return echoes


def _kernel(sigma: float) -> np.ndarray:
    size = 2 * max(1, round(3 * sigma)) + 1
    return cv2.getGaussianKernel(size, sigma, cv2.CV_32F).ravel()


def _depth_gain(sector: Sector, knobs: Knobs) -> np.ndarray:
    depths = sector.depths()
    sliders = np.linspace(0, sector.depth_mm, len(knobs.ripple))
    ripple = np.interp(depths[:, 0], sliders, knobs.ripple)[:, None]
    ring_down = 9 * np.exp(-depths / 2.2)  # the array's own ringing brightens the skin
    return (knobs.gain + knobs.slope * depths + ripple + ring_down).astype(np.float32)


def _contact(knobs: Knobs) -> np.ndarray:
    """Gain over the lines: those that lift off the skin at the sides, or meet a rib, fade."""
    place = np.linspace(0, 1, LINES, dtype=np.float32)[None]
    left, right = (max(share, 1e-3) for share in knobs.contact)
    lost = np.clip(1 - place / left, 0, 1) + np.clip(1 - (1 - place) / right, 0, 1)
    middle, width, depth_db = knobs.shadow
    rib = depth_db * np.exp(-(((place - middle) / width) ** 4))
    return -(28 * lost + rib).astype(np.float32)
