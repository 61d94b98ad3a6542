"""Shares that are NaN, not 0, where nothing was there to share in."""

import numpy as np


def rate(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole` in float64, of one shape (...); NaN where `whole` is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
