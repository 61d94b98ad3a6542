"""Supervised contrastive pretraining: backbone, projector and the loss between crops.

MMPretrain has no such model. It builds on MMEngine's `BaseModel`, so that a detector's
process does not need MMPretrain; backbone and neck are MMPretrain's, found by the scope of
the pretraining run. All registers in MMEngine's root registry.
"""

import torch
from mmengine.model import BaseModel, BaseModule
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmdet_liver.models.selfsup.supervised_contrast import (
    contrasted_pairs,
    supervised_contrastive_loss,
)


@MODELS.register_module()
class SupConHead(BaseModule):
    """The supervised contrastive loss, with positives from other patients preferred.

    Args:
        temperature: what cosines are divided by, above 0; the paper's is 0.1.
        prefer_other_patients: see `contrasted_pairs`; False is the paper's loss.
    """

    def __init__(
        self,
        temperature: float = 0.1,
        prefer_other_patients: bool = True,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if temperature <= 0:
            raise ValueError(
                f'SupConHead: found temperature {temperature}; expected one above 0; '
                "the paper's is 0.1"
            )
        self.temperature = temperature
        self.prefer_other_patients = prefer_other_patients

    def loss(self, z: Tensor, labels: Tensor, patients: Tensor) -> Tensor:
        """Scalar loss of (N, D) projections, their (N,) classes and (N,) patients."""
        pairs = contrasted_pairs(labels, patients, self.prefer_other_patients)
        return supervised_contrastive_loss(z, *pairs, self.temperature)


@MODELS.register_module()
class SupCon(BaseModel):
    """Supervised contrastive learning (Khosla et al., arXiv:2004.11362), first stage.

    The data samples hold `gt_label` and, as meta data, the number `patient`; `LesionCrops`
    and a `PackInputs` whose `meta_keys` name `patient` give both. With several processes
    each contrasts its own part of the batch.

    Args:
        backbone: gives a tuple with one (N, C, H, W) map.
        neck: projector, from that tuple to a tuple with one (N, D).
        head: gives the loss, see `SupConHead`.
        data_preprocessor: MMPretrain's `SelfSupDataPreprocessor`, for lists of views.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        head: dict,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        self.head = MODELS.build(head)

    def forward(
        self,
        inputs: Tensor | list[Tensor],
        data_samples: list[BaseDataElement] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | tuple[Tensor, ...]:
        """Losses for `mode='loss'`, the backbone's maps for `mode='tensor'`.

        Args:
            inputs: for a loss a list of views, each (B, 3, H, W); else one such tensor.
            data_samples: B of them, of which a loss needs class and patient.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'tensor':
            return self.extract_feat(inputs)
        raise ValueError(
            f"SupCon: found mode {mode!r}; expected 'loss' or 'tensor'; it cannot predict"
        )

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """The backbone's maps of (B, 3, H, W) images."""
        return self.backbone(inputs)

    def loss(self, inputs: list[Tensor], data_samples: list[BaseDataElement]) -> dict[str, Tensor]:
        """`{'loss': scalar}` of V views of B crops, contrasted all with all."""
        z = self.neck(self.backbone(torch.cat(inputs)))[0]  # (V * B, D)
        labels = torch.cat([sample.gt_label for sample in data_samples])
        patients = labels.new_tensor([sample.patient for sample in data_samples])
        views = len(inputs)
        return {'loss': self.head.loss(z, labels.repeat(views), patients.repeat(views))}
