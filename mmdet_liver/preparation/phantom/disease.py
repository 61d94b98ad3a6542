"""Which lesions a diagnosis brings: how many, how large, where, and each one's look."""

import numpy as np

from mmdet_liver.preparation.phantom.lesions import Lesion

# How many, and median and spread (of the logarithm) of the radius in mm, with its limits.
_COUNTS = {
    'cyst': ((1, 2, 3), (0.65, 0.25, 0.1)),
    'HCC': ((1, 2), (0.8, 0.2)),
    'hemangioma': ((1, 2), (0.75, 0.25)),
    'Meta': ((3, 4, 5, 6), (0.3, 0.3, 0.25, 0.15)),
}
_RADII = {
    'cyst': (16.0, 0.3, (10, 28)),
    'HCC': (20.0, 0.25, (13, 32)),
    'hemangioma': (15.5, 0.28, (10, 27)),
    'Meta': (14.5, 0.22, (10, 22)),
}
_BUMP_SIZE = {'cyst': 0.03, 'HCC': 0.04, 'hemangioma': 0.06, 'Meta': 0.07}
_SHALLOWEST, _DEEPEST, _ASIDE = 26.0, 96.0, 75.0  # mm, where lesions lie
_TRIES = 40


def sample_lesions(rng: np.random.Generator, diagnosis: str | None) -> list[Lesion]:
    """All lesions of a patient, none touching another; those of Meta look alike."""
    if diagnosis is None:
        return []
    numbers, weights = _COUNTS[diagnosis]
    looks = _LOOKS[diagnosis]
    common = looks(rng)
    lesions: list[Lesion] = []
    for _ in range(rng.choice(numbers, p=weights)):
        look = _alike(rng, common) if diagnosis == 'Meta' else looks(rng)
        lesion = _place(rng, _shape(rng, diagnosis, look), lesions)
        if lesion is not None:
            lesions.append(lesion)
    return lesions


def _shape(rng: np.random.Generator, diagnosis: str, look: dict[str, float]) -> dict:
    median, spread, (smallest, largest) = _RADII[diagnosis]
    radius = float(np.clip(median * np.exp(spread * rng.normal()), smallest, largest))
    flat = np.exp(rng.uniform(0, 0.16))
    size = _BUMP_SIZE[diagnosis]
    bumps = tuple((n, size * rng.normal() * 2 / n, rng.uniform(0, 6.28)) for n in (2, 3, 4, 5))
    return {
        'diagnosis': diagnosis,
        'axes': (radius * flat, radius / flat),
        'angle': rng.uniform(-0.6, 0.6),
        'bumps': bumps,
        'look': look,
        'waves': tuple(rng.uniform(0, 6.28, 3).tolist()),
        'nodules': _nodules(rng) if diagnosis == 'HCC' else (),
    }


def _place(rng: np.random.Generator, shape: dict, others: list[Lesion]) -> Lesion | None:
    reach = max(shape['axes'])
    for _ in range(_TRIES):
        x = rng.uniform(-_ASIDE, _ASIDE) if not others else others[0].center[0] + rng.normal() * 38
        y = rng.uniform(_SHALLOWEST + reach, max(_DEEPEST - reach, _SHALLOWEST + reach + 8))
        center = (float(np.clip(x, -_ASIDE, _ASIDE)), float(y), float(rng.normal() * 5))
        lesion = Lesion(center=center, **shape)
        if all(_gap(lesion, other) > 4 for other in others):
            return lesion
    return None


def _gap(one: Lesion, other: Lesion) -> float:
    apart = np.hypot(one.center[0] - other.center[0], one.center[1] - other.center[1])
    return float(apart - 1.08 * (max(one.axes) + max(other.axes)))


def _cyst_look(rng: np.random.Generator) -> dict[str, float]:
    return {
        'clutter': rng.uniform(8, 22),
        'wall': rng.uniform(1.5, 4),
        'septum': float(rng.random() < 0.12),
        'enhancement': rng.uniform(5, 10),
        'edge_shadow': rng.uniform(0, 5),
    }


def _hemangioma_look(rng: np.random.Generator) -> dict[str, float]:
    return {
        'level': rng.uniform(5.5, 10.5),
        'core': rng.uniform(-5, -2) if rng.random() < 0.15 else 0.0,
        'enhancement': rng.uniform(0, 3),
    }


def _hcc_look(rng: np.random.Generator) -> dict[str, float]:
    return {
        'halo': rng.uniform(-15, -9),
        'halo_mm': rng.uniform(1.8, 3.2),
        'septa': rng.uniform(3, 9),
        'enhancement': rng.uniform(0, 4),
        'edge_shadow': rng.uniform(6, 14),
    }


def _nodules(rng: np.random.Generator) -> tuple[tuple[float, float, float], ...]:
    """Mosaic of several nodules, or one bright nodule within a darker one."""
    if rng.random() < 0.3:
        angle, level = rng.uniform(0, 6.28), rng.uniform(3, 7)
        inner = (0.35 * np.cos(angle), 0.35 * np.sin(angle), level)
        ring = [(1.0 * np.cos(a), 1.0 * np.sin(a), -5.0) for a in angle + np.arange(1, 6) * 1.05]
        return (inner, *ring)
    found: list[tuple[float, float, float]] = []
    for _ in range(rng.integers(20, 45)):
        x, y = rng.uniform(-0.9, 0.9, 2)
        if np.hypot(x, y) < 0.95 and all(np.hypot(x - a, y - b) > 0.48 for a, b, _ in found):
            found.append((x, y, rng.choice((-1, 1)) * rng.uniform(3, 8) - 2))
    return tuple(found)


def _meta_look(rng: np.random.Generator) -> dict[str, float]:
    return {
        'rim': rng.uniform(-14, -9),
        'core': rng.uniform(1.5, 6),
        'core_share': rng.uniform(0.5, 0.68),
        'necrosis': rng.uniform(0.15, 0.25) if rng.random() < 0.2 else 0.0,
    }


def _alike(rng: np.random.Generator, look: dict[str, float]) -> dict[str, float]:
    """The patient's common look with a little variation; what is absent stays absent."""
    return {name: value * rng.uniform(0.92, 1.08) for name, value in look.items()}


_LOOKS = {
    'cyst': _cyst_look,
    'HCC': _hcc_look,
    'hemangioma': _hemangioma_look,
    'Meta': _meta_look,
}
