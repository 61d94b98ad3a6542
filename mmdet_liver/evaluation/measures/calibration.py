"""Does a score say how often it is right: reliability by score bin, and its summary, the ECE.

What is judged are the outcomes that the study's metric counts: found lesions (with their
one best prediction) and over-detections. An outcome is right if the lesion is there and
its class is the predicted one. So this is precision against score, the confidence-only
form of Kueppers et al. ("Multivariate Confidence Calibration for Object Detection", CVPR
Workshops 2020) with the study's matching in place of theirs; lesions that are missed have
no score and play no part. Equal-width bins and ECE as Guo et al. (ICML 2017, section 2),
after Naeini et al. (AAAI 2015).
"""

from dataclasses import dataclass

import numpy as np

from mmdet_liver.evaluation.confusion import Outcomes


@dataclass(frozen=True)
class Calibration:
    """Reliability in B bins; a bin holds its upper edge, not its lower one."""

    edges: np.ndarray  # (B + 1,) from 0 to 1
    count: np.ndarray  # (B,) outcomes
    confidence: np.ndarray  # (B,) mean score, NaN in an empty bin
    accuracy: np.ndarray  # (B,) share of right outcomes, NaN in an empty bin
    ece: float  # mean of |accuracy - confidence| over outcomes; NaN if there are none


def calibration(
    outcomes: Outcomes, score_thr: float = 0.0, bins: int = 10, column: int | None = None
) -> Calibration:
    """Compare scores with how often they are right.

    Args:
        score_thr: outcomes with a lower score are left out. A detector that gives many
            boxes with scores near 0 has a small ECE at 0.0 whatever its other scores say:
            look at it at the threshold in use as well.
        column: outcomes of this predicted class (1..C) alone; None takes all.
    """
    kept = (outcomes.score >= score_thr) & (outcomes.score > 0)
    if column is not None:
        kept &= outcomes.column == column
    score = outcomes.score[kept]
    right = (outcomes.row == outcomes.column)[kept]
    edges = np.arange(bins + 1) / bins
    bin_of = np.searchsorted(edges, score, side='left') - 1
    count, scores, rights = (
        np.bincount(bin_of, weights, minlength=bins) for weights in (None, score, right)
    )
    gap = np.abs(rights - scores).sum()
    return Calibration(
        edges=edges,
        count=count,
        confidence=_mean(scores, count),
        accuracy=_mean(rights, count),
        ece=float(gap / len(score)) if len(score) else float('nan'),
    )


def _mean(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
