"""Area under the ROC curve of weighted cases, for many sets of weights at once.

It is the probability that a positive case drawn at random scores higher than a negative
one, ties counting half (Mann and Whitney, 1947; Hanley and McNeil, Radiology 143, 1982).
"""

import numpy as np

from mmdet_liver.evaluation.measures.rates import rate


def auc(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUC of each set of weights; NaN where one side has no weight.

    Args:
        scores: (n,) of the cases, higher is more positive.
        positive: (n,) bool.
        weights: (R, n) how often each case was drawn, 0 or more.
    Returns:
        (R,) float64.
    """
    negatives = np.flatnonzero(~positive)
    negatives = negatives[np.argsort(scores[negatives])]
    positives = np.flatnonzero(positive)
    below = np.zeros((len(weights), len(negatives) + 1))  # weight of the lowest 0, 1, ... of them
    np.cumsum(weights.take(negatives, axis=1), axis=1, out=below[:, 1:])
    # A positive is above the negatives before `first`, and level with those up to `last`.
    first, last = (
        np.searchsorted(scores[negatives], scores[positives], side) for side in ('left', 'right')
    )
    drawn = weights.take(positives, axis=1).astype(np.float64)  # (R, P)
    wins = np.einsum('rp,rp->r', drawn, below.take(first, axis=1))
    wins += np.einsum('rp,rp->r', drawn, below.take(last, axis=1))
    return rate(wins / 2, drawn.sum(axis=1) * below[:, -1])
