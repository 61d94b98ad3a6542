"""A sheet of test images with predictions over the ground truth, of every kind of outcome."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.sheets.page import draw_page, thresholds, write_caption
from mmdet_liver.evaluation.sheets.picture import MOST_BOXES, draw_picture, shown_detections
from mmdet_liver.evaluation.sheets.tiles import KINDS, choose_tiles, image_tallies
from mmdet_liver.images import read_image


def draw_contact_sheet(
    evaluation: Evaluation, image_paths: list[Path], path: str | Path, tiles: int = 16
) -> None:
    """Draw up to `tiles` images with boxes at the evaluation's score threshold.

    Args:
        image_paths: one path an image of the ground truth, in its order.
    Raises:
        InputError: names an image that is missing or damaged.
    """
    tallies = image_tallies(evaluation)
    chosen = choose_tiles(tallies, tiles)

    def draw_tile(axes: Axes, place: int) -> None:
        number, kind = chosen[place]
        draw_picture(axes, read_image(image_paths[number]), evaluation, number)
        text = _caption(evaluation, number, kind, tallies[number])
        write_caption(axes, text, evaluation.truth.file_names[number])

    draw_page(evaluation, thresholds(evaluation), len(chosen), draw_tile, path)


def _caption(evaluation: Evaluation, number: int, kind: str, tally: np.ndarray) -> str:
    counts = [f'{n} {word}' for n, word in zip(tally, KINDS, strict=False) if n]
    text = ', '.join(counts) if counts else kind
    if len(shown_detections(evaluation, number)) > MOST_BOXES:
        text += f' (best {MOST_BOXES} drawn)'
    return text
