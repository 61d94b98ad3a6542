"""Penalty-reduced focal loss for heat maps, with a weight for every pixel."""

import torch
from mmdet.models.losses import weight_reduce_loss
from mmdet.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class LesionHeatmapFocalLoss(nn.Module):
    """Focal loss in which a cell near a centre counts less as background.

    With p the prediction and y the target, a cell with y = 1 costs
    -pos_weight (1 - p)^alpha log(p), any other -neg_weight (1 - y)^gamma p^alpha log(1 - p).
    Computed in float32 at least, whatever the prediction comes in, so it stays finite under
    autocast.

    Args:
        alpha: power of the prediction.
        gamma: power of the target for background cells.
        reduction: 'none', 'mean' or 'sum'.
        loss_weight: factor on the result.
        pos_weight: factor on centre cells.
        neg_weight: factor on all other cells.
    Source: Law and Deng, CornerNet, arXiv:1808.01244, equation 1 (alpha, gamma: its
    alpha, beta); names and defaults as MMDetection's `GaussianFocalLoss`.
    """

    def __init__(
        self,
        alpha: float = 2.0,
        gamma: float = 4.0,
        reduction: str = 'mean',
        loss_weight: float = 1.0,
        pos_weight: float = 1.0,
        neg_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.pos_weight = pos_weight
        self.neg_weight = neg_weight

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        *,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Return the loss, a scalar unless the reduction is 'none'.

        Args:
            pred: (B, C, H, W) probabilities in [0, 1], after the sigmoid.
            target: the same shape, in [0, 1], exactly 1 at centres.
            weight: broadcasts against `pred`; 0 takes a cell out of the loss.
            avg_factor: what 'mean' divides the sum by, instead of the number of cells.
            reduction_override: used in place of `reduction`.
        """
        prob = _at_least_float32(pred)
        target = target.to(prob.dtype)
        # Small enough to change nothing else, large enough to keep log(0) away in float32.
        log_prob, log_rest = (prob + 1e-12).log(), (1 - prob + 1e-12).log()
        centre = self.pos_weight * target.eq(1) * (1 - prob).pow(self.alpha) * log_prob
        around = self.neg_weight * (1 - target).pow(self.gamma) * prob.pow(self.alpha) * log_rest
        reduction = reduction_override or self.reduction
        loss = weight_reduce_loss(-(centre + around), weight, reduction, avg_factor)
        return self.loss_weight * loss


def _at_least_float32(pred: Tensor) -> Tensor:
    if pred.dtype not in (torch.float16, torch.bfloat16):
        return pred
    # Half precision rounds 0.999 to 1, whose slope (1e12) has no place in float16 and would
    # come back as inf * 0; a saturated cell gets no gradient instead.
    info = torch.finfo(pred.dtype)
    return pred.float().clamp(info.tiny, 1 - info.eps / 2)
