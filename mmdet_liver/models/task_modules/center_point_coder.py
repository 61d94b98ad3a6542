"""`CenterPointCoder`: boxes to CenterNet's maps and back, for a whole batch at once."""

from typing import NamedTuple

import torch
from mmdet.models.task_modules.coders import BaseBBoxCoder
from mmdet.registry import TASK_UTILS
from torch import Tensor

from mmdet_liver.errors import input_error
from mmdet_liver.models.task_modules import gaussian_targets, peak_decoding


class CenterTargets(NamedTuple):
    """Training maps; sizes and offsets are in cells and 0 where `weight` is."""

    heatmap: Tensor  # (B, C, H, W), 1 at a lesion's centre cell
    wh: Tensor  # (B, 2, H, W)
    offset: Tensor  # (B, 2, H, W)
    weight: Tensor  # (B, 2, H, W), 1 at centre cells, for `wh` and `offset`
    num_centers: Tensor  # 0-dim integer, cells of `heatmap` that are 1


class DecodedBoxes(NamedTuple):
    """K boxes an image, by descending score; a score of 0 means there was no further peak."""

    boxes: Tensor  # (B, K, 4) xyxy in input pixels, not clipped
    scores: Tensor  # (B, K)
    labels: Tensor  # (B, K)
    class_scores: Tensor  # (B, K, C) the heat map's values at the box's centre cell


@TASK_UTILS.register_module()
class CenterPointCoder(BaseBBoxCoder):
    """A box is a peak of its class's heat map, a size and the centre's offset in its cell.

    Args:
        min_overlap: IoU that a box moved by the Gaussian's radius still has with the
            lesion, in (0, 1); larger means narrower peaks.
    Source: Zhou et al., Objects as Points, arXiv:1904.07850, sections 3 and 4.
    """

    def __init__(self, min_overlap: float = 0.3) -> None:
        super().__init__()
        if not 0 < min_overlap < 1:
            raise input_error(
                'CenterPointCoder', f'min_overlap={min_overlap}', 'between 0 and 1', 'correct it'
            )
        self.min_overlap = min_overlap

    def encode(
        self,
        gt_bboxes: list[Tensor],
        gt_labels: list[Tensor],
        *,
        num_classes: int,
        map_size: tuple[int, int],
        input_size: tuple[int, int],
    ) -> CenterTargets:
        """Draw the training maps; waits for the GPU once.

        Where two boxes share a cell, size and offset are those of the later one. A box whose
        centre lies outside the input draws nothing: no cell could predict it.

        Args:
            gt_bboxes: for each image (N, 4) xyxy in input pixels; N may be 0.
            gt_labels: for each image (N,) class indices.
            num_classes: C.
            map_size: height and width of the maps.
            input_size: height and width of the padded input in pixels.
        Raises:
            InputError: if a label is not in 0..C-1.
        """
        batch = len(gt_bboxes)
        boxes, image = _joined(gt_bboxes)
        labels = torch.cat(list(gt_labels)).long()
        height, width = map_size
        # One allocation: glibc's malloc hands several such back to the system at every call,
        # and touching fresh pages takes longer than all the rest.
        planes = boxes.new_zeros(batch * (num_classes + 5), height, width)
        heatmap, regression = planes.split([batch * num_classes, batch * 5])
        heatmap = heatmap.view(batch, num_classes, height, width)
        regression = regression.view(batch, 5, height, width)
        if not len(boxes):
            return _targets(heatmap, regression, labels.new_zeros(()))
        # In this order, as elsewhere, because a last bit may move a centre to the next cell.
        scale = boxes.new_tensor([width / input_size[1], height / input_size[0]])
        center = (boxes[:, :2] + boxes[:, 2:]) * scale / 2  # (N, 2)
        size = (boxes[:, 2:] - boxes[:, :2]) * scale
        cell = center.long()
        valid = ((cell >= 0) & (cell < cell.new_tensor([width, height]))).all(1)
        radius = gaussian_targets.gaussian_radius(size, self.min_overlap).long().clamp(min=0)
        radius = torch.where(valid, radius, -1)
        # A Gaussian wider than the map is not computed beyond it.
        reach = min(_checked_reach(radius, labels, num_classes), max(map_size) - 1)
        plane = image * num_classes + labels
        gaussian_targets.draw_gaussians(planes, plane, cell, radius, reach)
        inside = torch.minimum(cell.clamp(min=0), cell.new_tensor([width - 1, height - 1]))
        values = torch.cat([size, center - cell, torch.ones_like(size[:, :1])], 1)  # (N, 5)
        gaussian_targets.write_last(regression, image, inside, values, valid)
        index = (plane * height + inside[:, 1]) * width + inside[:, 0]
        return _targets(heatmap, regression, _count_distinct(index, valid))

    def heatmap_weight(
        self,
        heatmap: Tensor,
        ignored: list[Tensor],
        *,
        input_size: tuple[int, int],
        labels: list[Tensor] | None = None,
    ) -> Tensor:
        """Weight of the heat map's loss: 0 in ignored regions, 1 elsewhere, (B, C, H, W).

        A cell counts as ignored as soon as a region touches it. The centre cell of an
        annotated lesion keeps its weight: that lesion is known, whatever surrounds it.

        Args:
            heatmap: (B, C, H, W) target from `encode`.
            ignored: for each image (N, 4) xyxy in input pixels; N may be 0.
            input_size: height and width of the padded input in pixels.
            labels: for each image (N,) class indices: a region is ignored in the map of its
                class alone; None: in all.
        Raises:
            InputError: if a label is not in 0..C-1.
        """
        boxes, plane = _joined(ignored)
        height, width = heatmap.shape[-2:]
        planes_per_image = 1
        if labels is not None:
            planes_per_image = heatmap.shape[1]
            label = torch.cat(list(labels)).long()
            if len(label):
                _check_labels(*torch.stack([label.min(), label.max()]).tolist(), planes_per_image)
            plane = plane * planes_per_image + label
        covered = gaussian_targets.cells_covered(
            boxes,
            plane,
            batch=len(ignored) * planes_per_image,
            map_size=(height, width),
            cell_wh=(input_size[1] / width, input_size[0] / height),
        )
        covered = covered.view(len(ignored), planes_per_image, height, width)
        return (~covered | heatmap.eq(1)).to(heatmap.dtype)

    @torch.no_grad()
    def decode(
        self,
        heatmap: Tensor,
        wh: Tensor,
        offset: Tensor,
        *,
        input_size: tuple[int, int],
        topk: int = 100,
        local_maximum_kernel: int = 3,
        cross_class_kernel: int | None = None,
    ) -> DecodedBoxes:
        """Return the `topk` highest peaks of each image as boxes.

        Args:
            heatmap: (B, C, H, W) class probabilities in [0, 1], after the sigmoid.
            wh: (B, 2, H, W) box width and height, in cells.
            offset: (B, 2, H, W) shift of the centre (x, y) inside its cell, in cells.
            input_size: height and width of the padded input in pixels.
            topk: boxes per image; fewer when the maps have fewer cells.
            local_maximum_kernel: side of the window, in cells, in which a peak must be the
                highest of its class; odd.
            cross_class_kernel: side of the window in which no other class may be likelier;
                odd; None lets each class have its own peaks.
        """
        height, width = heatmap.shape[-2:]
        peaks = peak_decoding.keep_peaks(heatmap, local_maximum_kernel)
        if cross_class_kernel:
            peaks = peak_decoding.keep_likeliest_class(peaks, heatmap, cross_class_kernel)
        flat = peaks.flatten(1)
        scores, index = peak_decoding.highest(flat, min(topk, flat.shape[1]))
        cell = index % (height * width)
        cell_wh = (input_size[1] / width, input_size[0] / height)
        return DecodedBoxes(
            boxes=peak_decoding.boxes_at(cell, wh, offset, cell_wh),
            scores=scores,
            labels=torch.div(index, height * width, rounding_mode='floor'),
            class_scores=peak_decoding.at_cells(heatmap, cell).transpose(1, 2),
        )


def _joined(per_image: list[Tensor]) -> tuple[Tensor, Tensor]:
    """All boxes of the batch (N, 4), and the image (N,) that each belongs to."""
    counts = [len(boxes) for boxes in per_image]
    boxes = torch.cat(list(per_image))
    image = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    return boxes.float(), image.to(boxes.device)


def _targets(heatmap: Tensor, regression: Tensor, num_centers: Tensor) -> CenterTargets:
    weight = regression[:, 4:].expand(-1, 2, -1, -1)
    return CenterTargets(heatmap, regression[:, :2], regression[:, 2:4], weight, num_centers)


def _checked_reach(radius: Tensor, labels: Tensor, num_classes: int) -> int:
    """The largest radius, at least 0. The one wait for the GPU, so labels are checked in it."""
    extremes = torch.stack([radius.max(), labels.min(), labels.max()])
    reach, lowest, top = extremes.tolist()
    _check_labels(lowest, top, num_classes)
    return max(reach, 0)


def _check_labels(lowest: int, top: int, num_classes: int) -> None:
    if lowest < 0 or top >= num_classes:
        raise input_error(
            "the head's targets",
            f'label {top if top >= num_classes else lowest}',
            f'0 to {num_classes - 1}',
            'set num_classes of the head to the number of classes of the data set',
        )


def _count_distinct(index: Tensor, valid: Tensor) -> Tensor:
    """How many different values the valid entries of (N,) `index` have, N > 0."""
    ordered = torch.where(valid, index, -1).sort().values
    first = ordered.diff(prepend=ordered.new_tensor([-1])) != 0
    return first.sum()
