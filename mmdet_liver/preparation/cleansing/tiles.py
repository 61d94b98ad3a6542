"""The second look at two images: small pictures of the tissue, correlated.

A hash says where the image is bright, in 64 bits; unlike images share it by chance. A tile says
where there are edges and texture, and those agree only in pictures of the same frame.
"""

import base64
from collections.abc import Sequence

import cv2
import numpy as np

SIDE = 32  # pixels
# The slow change of brightness is taken out, and the rest brought to one local strength, each
# over this many pixels (a standard deviation): or the outline of one large cyst would be most
# of the tile. With SIDE / 6 instead of SIDE / 8, tiles of strangers correlate better by 0.07.
_LOCAL = SIDE / 8
_LEAST_LOCAL = 0.1  # of the whole tile's strength; noise of flat parts is not brought up
_NOTHING = 0.1  # grey levels; rounding errors are not brought up either
_LEVELS = 32  # of a standard deviation; finer ones change a correlation by less than 0.01
_MIDDLE = 128
_BLOCK = 2048  # pairs at a time, some 16 MB of temporaries


def make_tile(gray: np.ndarray) -> np.ndarray:
    """Edges and texture of a picture: brightness minus its neighbourhood's, locally normalised.

    Args:
        gray: (H, W) uint8, larger than SIDE.
    Returns:
        (SIDE, SIDE) uint8, 128 for the neighbourhood's mean; 128 throughout if all is flat.
    """
    small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    detail = small - cv2.GaussianBlur(small, (0, 0), _LOCAL)
    strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _LOCAL))
    detail /= strength + _LEAST_LOCAL * detail.std() + _NOTHING
    scaled = _MIDDLE + _LEVELS / (detail.std() + _NOTHING) * detail
    return np.clip(np.rint(scaled), 1, 255).astype(np.uint8)


def tile_text(tile: np.ndarray) -> str:
    """(SIDE, SIDE) uint8 as text that JSON can hold."""
    return base64.b64encode(tile.tobytes()).decode()


class Tiles:
    """The tiles of many images, a kilobyte each.

    Args:
        texts: (N) tiles from `tile_text`; an empty one is like no other.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._values = np.zeros((len(texts), SIDE * SIDE), np.int8)
        for row, text in zip(self._values, texts, strict=True):
            if text:
                row[:] = np.frombuffer(base64.b64decode(text), np.uint8).astype(int) - _MIDDLE

    def __len__(self) -> int:
        return len(self._values)

    def correlations(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Pearson correlation of tiles: indexes (P,), (P,) -> (P,) in -1..1; 0 if one is flat."""
        found = np.zeros(len(i), np.float32)
        for start in range(0, len(i), _BLOCK):
            part = slice(start, start + _BLOCK)
            a, b = self._standard(i[part]), self._standard(j[part])
            found[part] = np.einsum('pk,pk->p', a, b)
        return found

    def _standard(self, rows: np.ndarray) -> np.ndarray:
        # (P, SIDE * SIDE) float32 of mean 0 and length 1.
        values = self._values[rows].astype(np.float32)
        values -= values.mean(axis=1, keepdims=True)
        length = np.sqrt(np.einsum('pk,pk->p', values, values))
        return values / np.maximum(length, 1)[:, None]
