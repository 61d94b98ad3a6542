"""A heat map laid over the image so that both can be read."""

import cv2
import matplotlib
import numpy as np

# Perceptually uniform, and coloured at its low end as well: a haze of 0.1 over the whole image
# has to show on black and on grey.
COLORMAP = 'plasma'
# The colour covers at most this much, and as the root of the value, so that low values show.
OPACITY = 0.75
_LEGEND_GREY = 70  # about the mean of tissue in B-mode


def blend_heatmap(image: np.ndarray, heatmap: np.ndarray) -> np.ndarray:
    """Colour the image by the heat map; 0 leaves a pixel as it is.

    Args:
        image: (H, W, 3) uint8 RGB.
        heatmap: (h, w) values in [0, 1]; what lies outside is clipped, NaN counts as 0.
            Each cell becomes a block of pixels, so that the map's resolution is seen.
    Returns:
        (H, W, 3) uint8 RGB.
    """
    values = np.clip(np.nan_to_num(heatmap, nan=0.0).astype(np.float32), 0, 1)
    values = cv2.resize(values, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    color = matplotlib.colormaps[COLORMAP](values)[..., :3] * 255
    alpha = OPACITY * np.sqrt(values)[..., None]
    return ((1 - alpha) * image + alpha * color).round().astype(np.uint8)


def legend_strip(width: int = 256, height: int = 12) -> np.ndarray:
    """(height, width, 3) uint8 RGB: the values 0 to 1, left to right, over a tissue's grey."""
    ground = np.full((height, width, 3), _LEGEND_GREY, np.uint8)
    return blend_heatmap(ground, np.linspace(0, 1, width)[None])
