"""A teacher that finds unlabelled lesions, so that the loss does not call them background."""

from typing import Any

import torch
from mmdet.models.detectors import BaseDetector
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import BaseBoxes, HorizontalBoxes, bbox_overlaps, get_box_tensor
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from torch import Tensor

from mmdet_liver.errors import input_error
from mmdet_liver.models.losses.missing_labels import check_share, may_lack_labels, past_warmup


@HOOKS.register_module()
class TeacherIgnoreHook(Hook):
    """Make what the averaged model is sure of, and no label explains, ignored instances.

    The teacher is the model that an `EMAHook` averages. Once the warm-up is over it predicts,
    before each iteration, on the very images that the network is about to train on, and its
    confident boxes, with the classes it gives them, join `ignored_instances` of their data
    sample, of which the heat map learns nothing: with `class_aware_ignore` of
    `LesionCenterNetHead`, which pays (docs/missing_labels.md), that of their class, else that
    of all. Sizes and offsets are learned at labelled centres only. Images marked
    `fully_annotated` are left as they are. `train/teacher_regions`, the mean number an
    image, is logged.

    Nothing else changes: any detector that heeds ignored instances will do. What happens
    follows from the iteration and the EMA weights, which the checkpoint holds, so a resumed
    run goes on as it was. Costs a forward pass an iteration.

    Args:
        score_thr: least score of a box, in [0, 1].
        iou_thr: least IoU, in [0, 1], by which a label (or an ignored annotation) explains a
            box; it also explains those whose centre it holds.
        warmup: share of the run's iterations, in [0, 1], without a teacher.
    Raises:
        InputError: for an option outside its range; when training starts, without `EMAHook`.
    Source: simplified from pseudo-labels of Wang et al., Co-mining, arXiv:2012.01950, and
    mean teachers, Tarvainen and Valpola, arXiv:1703.01780: regions are ignored, never
    taught, so a wrong one costs some background and nothing else.
    """

    def __init__(self, score_thr: float = 0.3, iou_thr: float = 0.25, warmup: float = 0.3) -> None:
        options = {'score_thr': score_thr, 'iou_thr': iou_thr, 'warmup': warmup}
        for name, value in options.items():
            check_share('TeacherIgnoreHook', name, value)
        self.score_thr = score_thr
        self.iou_thr = iou_thr
        self.warmup = warmup

    def before_train(self, runner: Runner) -> None:
        """Check that there is a teacher."""
        self._teacher(runner)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        if not past_warmup(runner.iter, runner.max_iters, self.warmup):
            return
        samples = data_batch['data_samples']
        lacking = may_lack_labels([sample.metainfo for sample in samples])
        asked = [i for i, lacks in enumerate(lacking) if lacks]
        found = 0
        if asked:
            part = {key: [values[i] for i in asked] for key, values in data_batch.items()}
            # Under AMP the teacher runs in the student's precision.
            with torch.no_grad(), runner.optim_wrapper.optim_context(runner.model):
                predicted = predict(self._teacher(runner), part)
            for sample, instances in zip(part['data_samples'], predicted, strict=True):
                found += self._ignore(sample, instances)
        runner.message_hub.update_scalar('train/teacher_regions', found / len(samples))

    def _ignore(self, sample: DetDataSample, predicted: InstanceData) -> int:
        """Add the boxes of one image that no label explains; return how many they are."""
        known = _boxes(sample.gt_instances)
        if 'ignored_instances' in sample:
            known = torch.cat([known, _boxes(sample.ignored_instances)])
        boxes = get_box_tensor(predicted.bboxes).float().to(known.device)
        sure = predicted.scores.to(known.device) >= self.score_thr
        chosen = sure & ~explained(boxes, known, self.iou_thr)
        add_ignored(sample, boxes[chosen], predicted.labels.to(known.device)[chosen])
        return int(chosen.sum())

    @staticmethod
    def _teacher(runner: Runner) -> BaseDetector:
        for hook in runner.hooks:
            if isinstance(hook, EMAHook):
                return hook.ema_model.module
        raise input_error(
            'TeacherIgnoreHook',
            'no EMAHook in custom_hooks',
            'one, whose averaged model is the teacher',
            "add dict(type='EMAHook', momentum=...) to custom_hooks",
        )


def predict(teacher: BaseDetector, data_batch: dict[str, Any]) -> list[InstanceData]:
    """What `teacher` sees in a batch of the training loader, xyxy in pixels of its images.

    The batch stays as it is: the preprocessor works on copies of the data samples.
    """
    teacher.eval()
    data = teacher.data_preprocessor(data_batch, False)
    results = teacher.predict(data['inputs'], data['data_samples'], rescale=False)
    return [result.pred_instances for result in results]


def explained(boxes: Tensor, known: Tensor, iou_thr: float) -> Tensor:
    """Which of `boxes` (N, 4) a box of `known` (K, 4) explains: (N,) bool.

    By an IoU of at least `iou_thr`, or by holding the box's centre, which a part of a large
    lesion has too. Boxes are xyxy.
    """
    centre = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2  # (N, 1, 2)
    holds = (centre >= known[:, :2]) & (centre <= known[:, 2:])  # (N, K, 2)
    return (holds.all(2) | (bbox_overlaps(boxes, known) >= iou_thr)).any(1)


def add_ignored(sample: DetDataSample, boxes: Tensor, labels: Tensor) -> None:
    """Append `boxes` (N, 4) and `labels` (N,) to the sample's ignored instances."""
    ignored = sample.get('ignored_instances', None)
    if ignored is None or 'bboxes' not in ignored:
        ignored = InstanceData(bboxes=boxes[:0], labels=labels[:0])
    joined = torch.cat([_boxes(ignored), boxes])
    if isinstance(ignored.bboxes, BaseBoxes):
        joined = HorizontalBoxes(joined)
    sample.ignored_instances = InstanceData(
        bboxes=joined, labels=torch.cat([ignored.labels, labels])
    )


def _boxes(instances: InstanceData) -> Tensor:
    return get_box_tensor(instances.bboxes).float()
