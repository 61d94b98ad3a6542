"""`LesionCenterNetHead`: MMDetection's CenterNet head with targets, loss and decoding of ours."""

from typing import Any

from mmcv.ops import batched_nms
from mmdet.models.dense_heads import CenterNetHead
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.utils import ConfigType, InstanceList, OptInstanceList
from mmengine.model import kaiming_init
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmdet_liver.models.dense_heads.peak_options import PeakOptions
from mmdet_liver.models.losses.missing_labels import may_lack_labels

DEFAULT_CODER = {'type': 'CenterPointCoder'}


@MODELS.register_module()
class LesionCenterNetHead(CenterNetHead):
    """CenterNet head that needs no `border`, heeds ignored regions and can give one class a place.

    All other arguments, the state dict and the maps are those of `CenterNetHead`; a config
    made for it works when `type` is changed. Its weights start otherwise (`init_weights`).

    Args:
        bbox_coder: encodes the targets and decodes the maps.
        class_aware_ignore: an ignored region has no loss in the heat map of its own class
            alone, and is background to the others; else in none. To be had where the classes
            of ignored regions can be trusted: from lesions that are none of its own a class
            learns what it is not, and without them classes are told apart late
            (docs/missing_labels.md).
        test_cfg: the fields of `PeakOptions`; an unknown one is an error.
    Raises:
        InputError: for an unknown key or an impossible value in `test_cfg`.
    """

    def __init__(
        self,
        *args: Any,
        bbox_coder: ConfigType = DEFAULT_CODER,
        class_aware_ignore: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.class_aware_ignore = class_aware_ignore
        self.bbox_coder = TASK_UTILS.build(bbox_coder)
        PeakOptions.read(self.test_cfg)  # an error now rather than after the first epoch

    def init_weights(self) -> None:
        """As `CenterNetHead`, but for width, height and offset with weights of usual size.

        It draws them with a deviation of 0.001. From so small a start the hidden units of a
        branch grow alike (the condensed regime of Luo et al., arXiv:2007.07497): a short
        training ends with one feature for width and height, so that all boxes have one
        aspect ratio (docs/results.md). Here hidden layers start as by He et al.,
        arXiv:1502.01852, last layers as torch starts them, biases at 0.
        """
        super().init_weights()
        for branch in (self.wh_head, self.offset_head):
            kaiming_init(branch[0])
            branch[-1].reset_parameters()
            nn.init.zeros_(branch[-1].bias)

    def forward_single(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, in_channels, H, W) -> probabilities (B, C, H, W), wh and offset (B, 2, H, W).

        In float32 under autocast as well: half precision cannot hold a probability near 1.
        """
        heatmap = self.heatmap_head(x).float().sigmoid()
        return heatmap, self.wh_head(x).float(), self.offset_head(x).float()

    def loss_by_feat(
        self,
        center_heatmap_preds: list[Tensor],
        wh_preds: list[Tensor],
        offset_preds: list[Tensor],
        batch_gt_instances: InstanceList,
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: OptInstanceList = None,
    ) -> dict[str, Tensor]:
        """Return `loss_center_heatmap`, `loss_wh` and `loss_offset`, scalars.

        They are divided by the number of centres in this process's batch, as in
        `CenterNetHead`. Without any box the heat map still learns, and the other two are 0
        but keep their graph, which DistributedDataParallel asks for.

        A heat-map loss that leaves out confident background (`left_out`) does so outside of
        labelled boxes, on images that are not `fully_annotated`; `left_out_cells`, the mean
        number an image, is then among the results, for the log alone.

        Args:
            center_heatmap_preds: one level, (B, C, H, W) probabilities.
            wh_preds: one level, (B, 2, H, W) in cells.
            offset_preds: one level, (B, 2, H, W) in cells.
            batch_gt_instances: `bboxes` xyxy in input pixels and `labels` of each image.
            batch_img_metas: `batch_input_shape` (height, width), `fully_annotated`.
            batch_gt_instances_ignore: `bboxes` of regions without heat-map loss, and
                `labels` with `class_aware_ignore`.
        """
        (heatmap,), (wh,), (offset,) = center_heatmap_preds, wh_preds, offset_preds
        input_size = tuple(batch_img_metas[0]['batch_input_shape'])
        targets, avg_factor = self.get_targets(
            [gt.bboxes for gt in batch_gt_instances],
            [gt.labels for gt in batch_gt_instances],
            heatmap.shape,
            input_size,
        )
        target, weight = targets['center_heatmap_target'], targets['wh_offset_target_weight']
        weighting = {}
        ignored = _values_of('bboxes', batch_gt_instances_ignore, heatmap.new_zeros(0, 4))
        if any(map(len, ignored)):
            labels = None
            if self.class_aware_ignore:
                labels = _values_of('labels', batch_gt_instances_ignore, heatmap.new_zeros(0))
            weighting['weight'] = self.bbox_coder.heatmap_weight(
                target, ignored, input_size=input_size, labels=labels
            )
        left_out = self._left_out(heatmap, target, batch_gt_instances, batch_img_metas)
        if left_out is not None:
            weighting['left_out'] = left_out
        # avg_factor * 2: width and height (x and y) are two channels of one centre.
        losses = {
            'loss_center_heatmap': self.loss_center_heatmap(
                heatmap, target, avg_factor=avg_factor, **weighting
            ),
            'loss_wh': self.loss_wh(
                wh.float(), targets['wh_target'], weight, avg_factor=avg_factor * 2
            ),
            'loss_offset': self.loss_offset(
                offset.float(), targets['offset_target'], weight, avg_factor=avg_factor * 2
            ),
        }
        if left_out is not None:
            # Not a loss: MMEngine adds up what has "loss" in its name and logs the rest.
            losses['left_out_cells'] = left_out.sum() / len(left_out)
        return losses

    def _left_out(
        self, heatmap: Tensor, target: Tensor, gt_instances: InstanceList, img_metas: list[dict]
    ) -> Tensor | None:
        """Background cells (B, C, H, W) that may be unlabelled lesions; None: not asked for."""
        if getattr(self.loss_center_heatmap, 'ignore_thr', None) is None:
            return None
        left_out = self.loss_center_heatmap.left_out(heatmap, target)
        if left_out is None:  # in the warm-up
            return None
        # Within a labelled box a second peak is a mistake, not another lesion.
        outside = self.bbox_coder.heatmap_weight(
            target,
            [gt.bboxes for gt in gt_instances],
            input_size=tuple(img_metas[0]['batch_input_shape']),
        )
        lacking = outside.new_tensor(may_lack_labels(img_metas)).view(-1, 1, 1, 1)
        return left_out & (outside * lacking > 0)

    def get_targets(
        self,
        gt_bboxes: list[Tensor],
        gt_labels: list[Tensor],
        feat_shape: tuple[int, int, int, int],
        img_shape: tuple[int, int],
    ) -> tuple[dict[str, Tensor], Tensor]:
        """`CenterPointCoder.encode` under the names that `CenterNetHead` gives its targets.

        Returns:
            `center_heatmap_target` (B, C, H, W), `wh_target`, `offset_target` and
            `wh_offset_target_weight` (B, 2, H, W); and the number of centres, at least 1.
        """
        targets = self.bbox_coder.encode(
            gt_bboxes,
            gt_labels,
            num_classes=self.num_classes,
            map_size=tuple(feat_shape[-2:]),
            input_size=tuple(img_shape[:2]),
        )
        maps = {
            'center_heatmap_target': targets.heatmap,
            'wh_target': targets.wh,
            'offset_target': targets.offset,
            'wh_offset_target_weight': targets.weight,
        }
        return maps, targets.num_centers.clamp(min=1)

    def predict_by_feat(
        self,
        center_heatmap_preds: list[Tensor],
        wh_preds: list[Tensor],
        offset_preds: list[Tensor],
        batch_img_metas: list[dict],
        rescale: bool = True,
        with_nms: bool = True,
    ) -> InstanceList:
        """Return each image's boxes by descending score.

        Args:
            center_heatmap_preds: one level, (B, C, H, W) probabilities.
            wh_preds: one level, (B, 2, H, W) in cells.
            offset_preds: one level, (B, 2, H, W) in cells.
            batch_img_metas: `batch_input_shape` (height, width); `border` (top, bottom, left,
                right; 0 where absent); `scale_factor` (width, height) for `rescale`.
            rescale: boxes in pixels of the original image instead of the input.
            with_nms: apply `nms` of the test_cfg, if it has one.
        Returns:
            `bboxes` (N, 4) xyxy, not clipped, `scores` (N,) above 0, `labels` (N,), and with
            cross-class suppression `class_scores` (N, C).
        """
        options = PeakOptions.read(self.test_cfg)
        (heatmap,), (wh,), (offset,) = center_heatmap_preds, wh_preds, offset_preds
        decoded = self.bbox_coder.decode(
            heatmap.float(),
            wh.float(),
            offset.float(),
            input_size=tuple(batch_img_metas[0]['batch_input_shape']),
            topk=options.topk,
            local_maximum_kernel=options.local_maximum_kernel,
            cross_class_kernel=options.cross_class_kernel,
        )
        boxes = _to_image(decoded.boxes, batch_img_metas, rescale)
        results = []
        # Scores descend, so the first `count` are kept, and the GPU is waited for once.
        for i, count in enumerate((decoded.scores > options.score_thr).sum(1).tolist()):
            instances = InstanceData(
                bboxes=boxes[i, :count],
                scores=decoded.scores[i, :count],
                labels=decoded.labels[i, :count],
            )
            if options.cross_class_kernel:
                instances.class_scores = decoded.class_scores[i, :count]
            if with_nms and options.nms:
                instances = _suppress(instances, options.nms)
            results.append(instances[: options.limit])
        return results


def _values_of(name: str, instances: OptInstanceList, none: Tensor) -> list[Tensor]:
    """A field of each image's instances; `none` where there are no instances."""
    return [gt[name] if gt is not None and 'bboxes' in gt else none for gt in instances or ()]


def _to_image(boxes: Tensor, img_metas: list[dict], rescale: bool) -> Tensor:
    """(B, K, 4) in input pixels -> without the border, and in original pixels if asked."""
    borders = [meta.get('border') for meta in img_metas]
    if any(border is not None for border in borders):
        shift = [(0, 0) if b is None else (b[2], b[0]) for b in borders]  # left, top
        boxes = boxes - boxes.new_tensor(shift).repeat(1, 2)[:, None]
    if rescale:
        scale = [tuple(meta.get('scale_factor', (1, 1))) for meta in img_metas]
        boxes = boxes / boxes.new_tensor(scale).repeat(1, 2)[:, None]
    return boxes


def _suppress(instances: InstanceData, nms: ConfigType) -> InstanceData:
    """Non-maximum suppression within each class, or over all with `class_agnostic`."""
    if not len(instances):
        return instances
    # batched_nms parts the classes by shifting them beyond the largest coordinate, which
    # only works for boxes that start at 0; ours may hang over the image's border.
    shifted = instances.bboxes - instances.bboxes.min()
    kept_boxes, keep = batched_nms(shifted, instances.scores, instances.labels, dict(nms))
    instances = instances[keep]
    instances.scores = kept_boxes[:, -1]  # soft-NMS lowers them
    return instances
