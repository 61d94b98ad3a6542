"""Thin adaptors of the evaluation for MMEngine's test loop."""

from mmdet_liver.evaluation.metrics.lesion_f1_metric import LesionF1Metric

__all__ = ['LesionF1Metric']
