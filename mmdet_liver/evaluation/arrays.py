"""A data set's ground truth and predictions as concatenated arrays, one block per image.

Boxes are xyxy in original-image pixels, float64. Images are numbered 0.. in the order of
the ground-truth file, classes 1..C by category id; class 0 stands for "None".
"""

from dataclasses import dataclass, replace

import numpy as np

NONE = 'None'
# A float32 0.3 must be the 0.3 of the thresholds.
SCORE_DECIMALS = 6


@dataclass(frozen=True)
class Annotations:
    """Boxes sorted by image; those of image i are `offsets[i]` to `offsets[i + 1]`."""

    boxes: np.ndarray  # (G, 4)
    classes: np.ndarray  # (G,) 1..C
    offsets: np.ndarray  # (images + 1,)
    source: np.ndarray  # (G,) index of each in the file's list of annotations

    @property
    def image(self) -> np.ndarray:
        """(G,) image number of each box."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


@dataclass(frozen=True)
class Truth:
    """What a ground-truth file says; `ignored` and `crowds` are no lesions."""

    labels: tuple[str, ...]  # 'None', then the class names
    malignancy: tuple[str | None, ...]  # by class: BENIGN, MALIGNANT or None; [0] is None
    class_of: dict[int, int]  # category id -> class
    images: tuple[dict, ...]  # the file's own entries, each with its 'id'
    lesions: Annotations
    ignored: Annotations
    crowds: Annotations
    any_category: bool = False  # a prediction's category does not matter

    @property
    def image_ids(self) -> tuple:
        return tuple(image['id'] for image in self.images)

    @property
    def file_names(self) -> tuple[str, ...]:
        return tuple(str(image.get('file_name', image['id'])) for image in self.images)

    def image_values(self, key: str) -> list:
        """What each image's entry says under `key`; None where it says nothing."""
        values = [image.get(key) for image in self.images]
        return [None if value == '' else value for value in values]

    def number_of_image(self) -> dict:
        """Image id -> image number."""
        return {image_id: number for number, image_id in enumerate(self.image_ids)}


@dataclass(frozen=True)
class Detections:
    """Predictions in the order of their list; `scores` are rounded on construction."""

    image: np.ndarray  # (P,)
    boxes: np.ndarray  # (P, 4)
    classes: np.ndarray  # (P,) 1..C
    scores: np.ndarray  # (P,) 0..1

    def __post_init__(self) -> None:
        object.__setattr__(self, 'scores', round_scores(self.scores))


def round_scores(scores: np.ndarray) -> np.ndarray:
    """Scores as float64, rounded to SCORE_DECIMALS as Python's `round` does."""
    scores = np.asarray(scores, np.float64)
    rounded = np.round(scores, SCORE_DECIMALS)
    # numpy scales first, so that what lies just beside a half may go to the wrong side of it.
    half = 0.5 * 10**-SCORE_DECIMALS
    doubtful = np.flatnonzero(np.abs(np.abs(scores - rounded) - half) < 1e-12)
    rounded[doubtful] = [round(score, SCORE_DECIMALS) for score in scores[doubtful].tolist()]
    return rounded


def group_by_image(
    image: np.ndarray,
    boxes: np.ndarray,
    classes: np.ndarray,
    source: np.ndarray,
    num_images: int,
) -> Annotations:
    """Sort annotations by image, keeping the order within an image.

    Args:
        image: (G,) image number of each box.
        boxes: (G, 4) xyxy.
        classes: (G,) 1..C.
        source: (G,) index of each in its list.
    """
    order = np.argsort(image, kind='stable')
    counts = np.bincount(image, minlength=num_images)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Annotations(boxes[order], classes[order], offsets, source[order])


def merge_classes(truth: Truth, name: str) -> Truth:
    """The same lesions as one class `name`, whatever category a prediction then gives."""

    def merged(annotations: Annotations) -> Annotations:
        return replace(annotations, classes=np.ones_like(annotations.classes))

    return replace(
        truth,
        labels=(NONE, name),
        malignancy=(None, None),
        class_of=dict.fromkeys(truth.class_of, 1),
        lesions=merged(truth.lesions),
        ignored=merged(truth.ignored),
        crowds=merged(truth.crowds),
        any_category=True,
    )
