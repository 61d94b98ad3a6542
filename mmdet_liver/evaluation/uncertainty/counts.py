"""Confusion matrices of resamples at every threshold of a grid, as one sparse product.

What happens in an image does not depend on the other images: a resample's matrix is the sum
over images of how often each was drawn times what it adds. What it adds is counted once.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mmdet_liver.evaluation.scoring import Evaluation


@dataclass(frozen=True)
class GridCounts:
    """What each of N images adds to the matrices at T thresholds."""

    # A row is (threshold, true class, predicted class); it holds what counts at that
    # threshold and not at the next.
    events: sparse.csr_array  # (T * (C+1)^2, N)
    lesions: sparse.csr_array  # (C+1, N) lesions by class
    num_thrs: int

    def matrices(self, weights: np.ndarray) -> np.ndarray:
        """Confusion matrices (R, T, C+1, C+1) of resamples with image weights (R, N).

        They are those of `confusion_matrices` on a data set in which every image is
        repeated as often as its weight says.
        """
        size = self.lesions.shape[0]
        weights = np.ascontiguousarray(weights.T, np.float64)  # (N, R)
        added = (self.events @ weights).reshape(self.num_thrs, size, size, -1)
        matrices = added[::-1].cumsum(axis=0)[::-1]  # (T, C+1, C+1, R)
        missed = self.lesions @ weights - matrices.sum(axis=2)  # (T, C+1, R)
        missed[:, 0] = 0
        matrices[:, :, 0] = missed
        return np.moveaxis(matrices, -1, 0)


def grid_counts(evaluation: Evaluation, score_thrs: np.ndarray) -> GridCounts:
    """Count what each image adds at the ascending thresholds (T,)."""
    outcomes, lesions = evaluation.outcomes, evaluation.truth.lesions
    size, num_images = len(outcomes.lesions), len(evaluation.truth.images)
    level = np.searchsorted(score_thrs, outcomes.score, side='right') - 1  # the last it counts at
    kept = level >= 0
    cell = (level * size + outcomes.row) * size + outcomes.column
    return GridCounts(
        events=_histogram(
            cell[kept], outcomes.image[kept], len(score_thrs) * size * size, num_images
        ),
        lesions=_histogram(lesions.classes, lesions.image, size, num_images),
        num_thrs=len(score_thrs),
    )


def _histogram(
    row: np.ndarray, column: np.ndarray, num_rows: int, num_columns: int
) -> sparse.csr_array:
    ones = np.ones(len(row))
    # coo to csr adds up what falls on the same place.
    return sparse.coo_array(
        (ones, (row.astype(np.int32), column.astype(np.int32))), shape=(num_rows, num_columns)
    ).tocsr()
