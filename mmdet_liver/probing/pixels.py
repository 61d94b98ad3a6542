"""What the pixels alone can do, without a network: the least that features must beat."""

import cv2
import numpy as np

_SIDE = 32  # pixels; finer than this, two lesions never match


def pixel_features(crops: np.ndarray) -> np.ndarray:
    """(L, 1024) grey values of (L, S, S, 3) BGR crops at 32 x 32 px, less their own mean.

    Without their means, the cosine of two is their correlation: gain does not matter.
    """
    grey = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in crops]
    small = [cv2.resize(g, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for g in grey]
    flat = np.reshape(small, (len(small), -1)).astype(np.float32)
    return flat - flat.mean(axis=1, keepdims=True)
