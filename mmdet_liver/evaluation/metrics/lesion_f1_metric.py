"""The study's metric in MMDetection's validation and test loops."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Truth, merge_classes
from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.matching import IOU_THR
from mmdet_liver.evaluation.report.assessment import Options, assess
from mmdet_liver.evaluation.report.content import content
from mmdet_liver.evaluation.report.folder import write_report
from mmdet_liver.evaluation.report.inputs import Inputs
from mmdet_liver.evaluation.report.study_table import table_text
from mmdet_liver.evaluation.scoring import (
    Evaluation,
    check_iou_thr,
    check_score_thr,
    evaluate,
    read_score_thr,
)
from mmdet_liver.evaluation.uncertainty.intervals import RESAMPLES
from mmdet_liver.evaluation.uncertainty.units import PATIENT_KEY
from mmdet_liver.files import write_json
from mmdet_liver.taxonomy import TUMOR


@dataclass(frozen=True)  # MMEngine would turn a named tuple into a plain one
class ImagePredictions:
    """What one image gave; boxes are (N, 4) xyxy in original-image pixels."""

    image_id: Any
    image_path: str | None
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


@METRICS.register_module()
class LesionF1Metric(BaseMetric):
    """F1 of detection and diagnosis at IoU 0.25 and the best score threshold.

    Every lesion of `ann_file` counts, so the loop must have run over all its images. The
    model's classes are matched to the file's categories by name; a model of the one class
    'tumor' is scored with all categories merged. Sizes below 0 and boxes that are not
    finite, which an untrained head may give, are scored as boxes without area, so as
    over-detections.

    Args:
        ann_file: COCO ground truth; it may know more lesions than the data set that the
            loop runs on, its image ids must be the same.
        iou_thr: least IoU by which a prediction belongs to a lesion.
        score_thr: None for the best on this data, a number, or the path of a
            `metrics.json` whose threshold is taken.
        out_dir: folder for `results.json` and all that `tools/evaluate.py` writes.
        group_by: key of the images of `ann_file` that names the patient, for the report.
        strata: keys of the images by whose values the report parts the data.
        resamples: of the bootstrap in the report; 0 for none.
    """

    default_prefix = 'lesion'

    def __init__(
        self,
        ann_file: str,
        iou_thr: float = IOU_THR,
        score_thr: float | str | None = None,
        out_dir: str | None = None,
        group_by: str = PATIENT_KEY,
        strata: Sequence[str] = (),
        resamples: int = RESAMPLES,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        # Wrong arguments end the run here, not after hours of inference.
        check_iou_thr(iou_thr)
        if isinstance(score_thr, str):
            read_score_thr(score_thr, iou_thr=iou_thr)
        elif score_thr is not None:
            check_score_thr(score_thr, 'score_thr')
        self.ann_file = ann_file
        self.truth = read_truth(ann_file)
        self.iou_thr = iou_thr
        self.score_thr = score_thr
        self.options = Options(group_by, tuple(strata), resamples)
        self.out_dir = None if out_dir is None else Path(out_dir)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the predictions of a batch, one entry an image, found or not."""
        for sample in data_samples:
            found = sample['pred_instances']
            boxes = getattr(found['bboxes'], 'tensor', found['bboxes'])  # unwrap a BaseBoxes
            entry = ImagePredictions(
                image_id=sample['img_id'],
                image_path=sample.get('img_path'),
                boxes=_to_numpy(boxes).reshape(-1, 4),
                scores=_to_numpy(found['scores']),
                labels=_to_numpy(found['labels']).astype(np.int64),
            )
            self.results.append(entry)

    def compute_metrics(self, results: list[ImagePredictions]) -> dict[str, float]:
        """Score all images, log the table, and write the report if there is a folder for it."""
        truth, categories = self._truth_as_classes()
        # A distributed sampler repeats images to even out the ranks.
        by_image = {entry.image_id: entry for entry in reversed(results)}
        ordered = self._all_images(by_image)
        entries = [e for image in ordered for e in to_coco(image, categories)]
        where = f"{self.__class__.__name__}'s predictions"
        detections = to_detections(entries, truth, where)
        evaluation = evaluate(truth, detections, self.iou_thr, self.score_thr)
        MMLogger.get_current_instance().info('\n' + table_text(evaluation))
        if self.out_dir is not None:
            results = self.out_dir / 'results.json'
            write_json(results, entries)
            assessment = assess(evaluation, self.options)
            m = content(assessment, Inputs(self.ann_file, results))
            write_report(assessment, m, self.out_dir, _reachable(ordered))
        return _summary(evaluation)

    def _truth_as_classes(self) -> tuple[Truth, list]:
        # The ground truth as the model's task sees it, and the category id of each label.
        classes = (self.dataset_meta or {}).get('classes')
        classes = (classes,) if isinstance(classes, str) else tuple(classes or ())
        if classes == (TUMOR,):
            return merge_classes(self.truth, TUMOR), [next(iter(self.truth.class_of))]
        names = self.truth.labels[1:]
        if set(classes) != set(names) or len(classes) != len(names):
            raise input_error(
                self.ann_file,
                f'the categories {", ".join(names)}',
                f"the data set's {len(classes)} classes ({', '.join(classes)})",
                'give the ann_file of this data set, or set its metainfo to these names',
            )
        id_of = dict(zip(names, self.truth.class_of, strict=True))
        return self.truth, [id_of[name] for name in classes]

    def _all_images(self, by_image: dict) -> list[ImagePredictions]:
        # In the order of the ground truth, so that ranks and samplers leave no trace.
        wanted = self.truth.number_of_image()
        unknown = [image_id for image_id in by_image if image_id not in wanted]
        if unknown:
            raise input_error(
                self.ann_file,
                f'no image with id {unknown[0]!r} (nor {len(unknown) - 1} others)',
                'the ids of the data set that was predicted',
                'give its own ann_file, or one with the same image ids',
            )
        if len(by_image) < len(wanted):
            raise input_error(
                self.ann_file,
                f'{len(wanted)} images, of which only {len(by_image)} were predicted',
                'predictions for all, since every lesion counts',
                "drop the data set's `indices` and filters, or give an ann_file of these images",
            )
        # The file's own ids, since a loader may give them as numpy numbers, which JSON lacks.
        return [replace(by_image[i], image_id=i) for i in self.truth.image_ids]


def to_coco(image: ImagePredictions, categories: list) -> list[dict]:
    """COCO result entries of one image, in its own order; `categories[label]` is the id."""
    outside = image.labels[(image.labels < 0) | (image.labels >= len(categories))]
    if len(outside):
        raise input_error(
            f'predictions for image {image.image_id!r}',
            f'label {outside[0]}',
            f'0 to {len(categories) - 1}',
            "set the head's num_classes to the number of classes of the data set",
        )
    finite = np.isfinite(image.boxes).all(axis=1, keepdims=True)
    xywh = np.where(finite, image.boxes, 0.0)
    xywh[:, 2:] = np.maximum(xywh[:, 2:] - xywh[:, :2], 0)
    return [
        {'image_id': image.image_id, 'category_id': categories[label], 'bbox': box, 'score': score}
        for label, box, score in zip(
            image.labels, xywh.tolist(), image.scores.tolist(), strict=True
        )
    ]


def _summary(evaluation: Evaluation) -> dict[str, float]:
    precision, recall, f1 = map(float, evaluation.mean.as_tuple())
    names = evaluation.truth.labels[1:]
    return {
        'f1_mean': f1,
        'precision_mean': precision,
        'recall_mean': recall,
        'score_thr': evaluation.score_thr,
        **{f'f1_{n}': float(v) for n, v in zip(names, evaluation.per_class.f1, strict=True)},
    }


def _reachable(images: list[ImagePredictions]) -> list[Path] | None:
    # Images read from an archive or a store have no file to draw on.
    if any(image.image_path is None or not Path(image.image_path).is_file() for image in images):
        return None
    return [Path(image.image_path) for image in images]


def _to_numpy(values: Any) -> np.ndarray:
    # double() before numpy(): bfloat16 has no numpy type.
    tensor = values.detach().cpu().double().numpy() if hasattr(values, 'detach') else values
    return np.asarray(tensor, np.float64)
