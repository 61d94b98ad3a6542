"""The supervised contrastive loss, as pure functions (Khosla et al., arXiv:2004.11362).

N is the number of views in the batch, all views of all crops in one row.
"""

import torch
from torch import Tensor
from torch.nn import functional


def contrasted_pairs(
    labels: Tensor, patients: Tensor, prefer_other_patients: bool = True
) -> tuple[Tensor, Tensor]:
    """Which views each view is pulled to, and which it is compared with at all.

    Args:
        labels: (N,) class of each view.
        patients: (N,) number of each view's patient.
        prefer_other_patients: positives are views of the class from other patients, and
            views of the same patient only where the batch has no others. Those that are
            thereby no positives are not compared either, or two views of one lesion
            would push each other away. False: the paper's, every view of the class.
    Returns:
        positives and compared, (N, N) bool each: row i holds P(i) and A(i) of the paper.
    """
    same = labels[:, None] == labels[None]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positives = same & ~itself
    if prefer_other_patients:
        others = positives & (patients[:, None] != patients[None])
        positives = torch.where(others.any(dim=1, keepdim=True), others, positives)
    return positives, positives | ~same


def supervised_contrastive_loss(
    z: Tensor, positives: Tensor, compared: Tensor, temperature: float
) -> Tensor:
    """Mean over the views that have positives; 0, with a gradient of 0, if none has.

    Args:
        z: (N, D) outputs of the projector, of any length.
        positives: (N, N) bool, see `contrasted_pairs`.
        compared: (N, N) bool, `positives` among them.
        temperature: what cosines are divided by, above 0.
    Returns:
        Scalar, 0 or more.
    Source: section 3.2.2, L_out (the sum over positives outside the logarithm), as a
        mean over anchors.
    """
    anchors = positives.any(dim=1)  # the log of an empty sum has no finite gradient
    if not anchors.any():
        return z.float().sum() * 0
    with torch.autocast(z.device.type, enabled=False):  # half precision rounds the exponents
        unit = functional.normalize(z.float(), dim=1)
        logits = unit[anchors] @ unit.T / temperature  # (anchors, N)
    total = logits.masked_fill(~compared[anchors], -torch.inf).logsumexp(dim=1, keepdim=True)
    mask = positives[anchors]
    return ((total - logits) * mask).sum(dim=1).div(mask.sum(dim=1)).mean()
