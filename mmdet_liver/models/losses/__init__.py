"""Losses; importing this registers them into MODELS."""

from mmdet_liver.models.losses.lesion_heatmap_focal_loss import LesionHeatmapFocalLoss

__all__ = ['LesionHeatmapFocalLoss']
