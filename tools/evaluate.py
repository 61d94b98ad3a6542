"""Score any detector's COCO results with the study's metric, without a model.

Prints the table and writes metrics.json, per_class.csv, confusion_matrix.png and
f1_by_threshold.png; with --image-root also contact_sheet.png.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool
from mmdet_liver.evaluation.arrays import merge_classes
from mmdet_liver.evaluation.detection_files import read_detections, read_truth
from mmdet_liver.evaluation.matching import IOU_THR
from mmdet_liver.evaluation.report.folder import write_report
from mmdet_liver.evaluation.report.study_table import table_text
from mmdet_liver.evaluation.scoring import evaluate
from mmdet_liver.taxonomy import TUMOR


def main(argv: list[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    truth = read_truth(args.ground_truth)
    if args.single_class:
        truth = merge_classes(truth, TUMOR)
    detections = read_detections(args.results, truth)
    score_thr = args.score_thr_from if args.score_thr_from is not None else args.score_thr
    evaluation = evaluate(truth, detections, args.iou_thr, score_thr)
    print(table_text(evaluation))
    root = args.image_root
    write_report(evaluation, args.out_dir, root and [root / name for name in truth.file_names])
    print(f'report written to {args.out_dir}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('ground_truth', type=Path, help='COCO annotation file')
    parser.add_argument(
        'results', type=Path, help='COCO results file: [{image_id, category_id, bbox, score}, ...]'
    )
    parser.add_argument('--out-dir', type=Path, required=True, help='folder for the report')
    parser.add_argument(
        '--iou-thr',
        type=float,
        default=IOU_THR,
        help='least IoU by which a prediction belongs to a lesion (default: %(default)s)',
    )
    threshold = parser.add_mutually_exclusive_group()
    threshold.add_argument(
        '--score-thr', type=float, help='score threshold, 0 to 1 (default: the best on this data)'
    )
    threshold.add_argument(
        '--score-thr-from',
        metavar='METRICS.JSON',
        help='take the score threshold from this file, for example one chosen on val',
    )
    parser.add_argument(
        '--single-class',
        action='store_true',
        help=f'merge all categories, of truth and results, into {TUMOR!r}',
    )
    parser.add_argument(
        '--image-root',
        type=Path,
        help='folder that file_name of the ground truth starts from: adds contact_sheet.png',
    )
    return parser


if __name__ == '__main__':
    run_tool(main)
