"""Penalty-reduced focal loss for heat maps, with a weight for every pixel and missing labels."""

import torch
from mmdet.models.losses import weight_reduce_loss
from mmdet.registry import MODELS
from torch import Tensor, nn

from mmdet_liver.models.losses.missing_labels import (
    check_share,
    confident_background,
    run_past_warmup,
)


@MODELS.register_module()
class LesionHeatmapFocalLoss(nn.Module):
    """Focal loss in which a cell near a centre counts less as background.

    With p the prediction and y the target, a cell with y = 1 costs
    -pos_weight (1 - p)^alpha log(p), any other -neg_weight (1 - y)^gamma p^alpha log(1 - p).
    Computed in float32 at least, whatever the prediction comes in, so it stays finite under
    autocast.

    With `ignore_thr` it bears missing labels: once the warm-up is over, a cell far from every
    label that the network gives more than `ignore_thr` costs nothing as background, since it
    may be a lesion that nobody labelled.

    Args:
        alpha: power of the prediction.
        gamma: power of the target for background cells.
        reduction: 'none', 'mean' or 'sum'.
        loss_weight: factor on the result.
        pos_weight: factor on centre cells.
        neg_weight: factor on all other cells.
        ignore_thr: probability, in [0, 1], above which a background cell is left out; None:
            none is. The lower, the more real mistakes are left out, too.
        ignore_max_target: only where the target of every class is below; 0.01 is just under
            the edge of a wide Gaussian.
        ignore_warmup: share of the run's iterations, in [0, 1], without leaving out.
    Raises:
        InputError: for an `ignore_` option outside its range.
    Source: Law and Deng, CornerNet, arXiv:1808.01244, equation 1 (alpha, gamma: its
    alpha, beta); names and defaults as MMDetection's `GaussianFocalLoss`. `ignore_thr`:
    Zhang et al., arXiv:2002.05274, background recalibration with lambda = 0 (confident
    background is ignored, not turned into foreground) and 1 - t for `ignore_thr`.
    """

    def __init__(
        self,
        alpha: float = 2.0,
        gamma: float = 4.0,
        reduction: str = 'mean',
        loss_weight: float = 1.0,
        pos_weight: float = 1.0,
        neg_weight: float = 1.0,
        ignore_thr: float | None = None,
        ignore_max_target: float = 0.01,
        ignore_warmup: float = 0.3,
    ) -> None:
        super().__init__()
        options = {'ignore_max_target': ignore_max_target, 'ignore_warmup': ignore_warmup}
        if ignore_thr is not None:
            options['ignore_thr'] = ignore_thr
        for name, value in options.items():
            check_share('LesionHeatmapFocalLoss', name, value)
        self.alpha = alpha
        self.gamma = gamma
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.pos_weight = pos_weight
        self.neg_weight = neg_weight
        self.ignore_thr = ignore_thr
        self.ignore_max_target = ignore_max_target
        self.ignore_warmup = ignore_warmup

    def left_out(self, pred: Tensor, target: Tensor) -> Tensor | None:
        """Cells (B, C, H, W) that are left out now, if labels may lack everywhere.

        None while nothing is: without `ignore_thr`, and in the warm-up of the run.
        """
        if self.ignore_thr is None or not run_past_warmup(self.ignore_warmup):
            return None
        return confident_background(pred, target, self.ignore_thr, self.ignore_max_target)

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        *,
        weight: Tensor | None = None,
        left_out: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
        reduction_override: str | None = None,
    ) -> Tensor:
        """Return the loss, a scalar unless the reduction is 'none'.

        Args:
            pred: (B, C, H, W) probabilities in [0, 1], after the sigmoid.
            target: the same shape, in [0, 1], exactly 1 at centres.
            weight: broadcasts against `pred`; 0 takes a cell out of the loss.
            left_out: bool, broadcasts against `pred`: cells that cost nothing as background;
                None: those of the method `left_out`, so a head that knows nothing of missing
                labels takes every image as perhaps lacking some.
            avg_factor: what 'mean' divides the sum by, instead of the number of cells.
            reduction_override: used in place of `reduction`.
        """
        prob = _at_least_float32(pred)
        target = target.to(prob.dtype)
        # Small enough to change nothing else, large enough to keep log(0) away in float32.
        log_prob, log_rest = (prob + 1e-12).log(), (1 - prob + 1e-12).log()
        centre = self.pos_weight * target.eq(1) * (1 - prob).pow(self.alpha) * log_prob
        around = self.neg_weight * (1 - target).pow(self.gamma) * prob.pow(self.alpha) * log_rest
        left_out = self.left_out(prob, target) if left_out is None else left_out
        if left_out is not None:
            around = around.masked_fill(left_out, 0)
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
