"""What scanner, examiner and body do to the grey values of a B-mode image, as pure functions.

Images are (H, W) or (H, W, 3), uint8 or float of 0..255, and keep their kind. B-mode is the
logarithm of the echo, so what is lost on the way through the body is subtracted from the
grey value, and maps of it are in decibels: float32, (H, W) or what broadcasts to it, below 0
darker. Black stays black: there is nothing to amplify outside the sector.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np

# Decibels from black to white, as scanners are set for the abdomen.
DYNAMIC_RANGE = 60.0
# Below this grey value a change fades out, down to none at black: the noise of a JPEG's
# black surround would turn grey with the sector.
KNEE = 32.0


def add_decibels(img: np.ndarray, decibels: np.ndarray | float) -> np.ndarray:
    """The image with echoes this much stronger, or weaker if below 0."""
    shift = np.asarray(decibels, np.float32) * np.float32(255 / DYNAMIC_RANGE)
    if shift.size == 1 and img.dtype == np.uint8:
        grey = np.arange(256, dtype=np.float32)
        return cv2.LUT(img, as_kind(_shifted(grey, shift), np.uint8))
    return by_channel(
        img, lambda grey: as_kind(_shifted(grey.astype(np.float32), shift), img.dtype)
    )


def apply_gamma(img: np.ndarray, gamma: float) -> np.ndarray:
    """Another grey map: 255 * (img / 255) ** gamma; below 1 brightens the dark parts."""
    if img.dtype == np.uint8:
        grey = np.arange(256) / 255
        return cv2.LUT(img, as_kind(255 * grey**gamma, np.uint8))
    return by_channel(img, lambda grey: as_kind(255 * (grey / 255) ** gamma, img.dtype))


def add_speckle(img: np.ndarray, noise: np.ndarray, sigma: float) -> np.ndarray:
    """Multiplicative noise: img * (1 + sigma * noise), the same in every channel.

    Args:
        noise: (H, W) float, of mean 0 and standard deviation 1.
    """
    factor = 1 + sigma * noise
    return by_channel(img, lambda grey: as_kind(grey * factor, img.dtype))


def by_channel(img: np.ndarray, effect: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`effect` of each channel (H, W); of one only where all are equal, as in most B-mode."""
    if img.ndim == 2:
        return effect(img)
    channels = cv2.split(img)
    if all(np.array_equal(channels[0], channel) for channel in channels[1:]):
        return cv2.merge([effect(channels[0])] * len(channels))
    return cv2.merge([effect(channel) for channel in channels])


def noise_field(shape: tuple[int, int], grain: float, seed: int) -> np.ndarray:
    """Gaussian noise of mean about 0 and standard deviation 1, correlated over `grain` pixels.

    Returns:
        (height, width) = `shape`, float32.
    """
    generator = np.random.default_rng(seed)
    coarse = (math.ceil(shape[0] / grain), math.ceil(shape[1] / grain))
    field = generator.standard_normal(coarse, dtype=np.float32)
    field = cv2.resize(field, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return field / max(float(field.std()), 1e-6)  # interpolation takes variance away


def depth_gain(depth: np.ndarray, slope: float, sliders: np.ndarray) -> np.ndarray:
    """Decibels by which the gain is wrong along the depth.

    Args:
        depth: 0 at the probe to 1 at the bottom, any shape.
        slope: decibels at the bottom more than at the probe: attenuation that the time gain
            compensation did not meet, or met too well.
        sliders: (S,) decibels at S equally spaced depths, as its sliders stand wrong.
    """
    places = np.linspace(0, 1, len(sliders))
    return (slope * depth + np.interp(depth, places, sliders)).astype(np.float32)


def shadow(
    lateral: np.ndarray, depth: np.ndarray, *, place: float, width: float, start: float, loss: float
) -> np.ndarray:
    """Decibels (<= 0) behind what lets no sound through: rib, gas, calcification, lost contact.

    Args:
        lateral: 0 at the left scan line to 1 at the right one.
        depth: 0 at the probe to 1 at the bottom.
        place: middle of the shadow, as `lateral`.
        width: half of the width in which more than 1 / e of the loss is reached, as `lateral`.
        start: where it begins, as `depth`; 0 at the probe.
        loss: decibels, at least 0.
    """
    across = np.exp(-(((lateral - place) / width) ** 4))  # flat inside, soft at the rims
    along = np.clip((depth - start) / 0.03 + 1, 0, 1)  # the front reaches over 3% of the depth
    return (-loss * across * along).astype(np.float32)


def as_kind(values: np.ndarray, kind: np.dtype | type) -> np.ndarray:
    """Clip grey values to 0..255 and bring them to `kind`, rounded if it is whole."""
    clipped = np.clip(values, 0, 255)
    if np.issubdtype(kind, np.integer):
        np.rint(clipped, out=clipped)
    return clipped.astype(kind, copy=False)


def _shifted(grey: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return grey + shift * np.minimum(grey * np.float32(1 / KNEE), 1)
