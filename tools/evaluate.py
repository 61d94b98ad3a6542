"""Score any detector's COCO results with the study's metric and more, without a model.

Prints the table and writes report.html (one page with all figures), metrics.json (every
number), per_class.csv and the figures as PNG; with --image-root also sheets of images.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.evaluation.arrays import Truth, merge_classes
from mmdet_liver.evaluation.detection_files import read_detections, read_truth
from mmdet_liver.evaluation.matching import IOU_THR
from mmdet_liver.evaluation.report.assessment import Options, assess
from mmdet_liver.evaluation.report.content import content
from mmdet_liver.evaluation.report.folder import PAGE, write_report
from mmdet_liver.evaluation.report.inputs import Inputs
from mmdet_liver.evaluation.report.summary import summary_text
from mmdet_liver.evaluation.scoring import ChosenOn, evaluate
from mmdet_liver.evaluation.uncertainty.intervals import RESAMPLES
from mmdet_liver.evaluation.uncertainty.units import PATIENT_KEY
from mmdet_liver.taxonomy import TUMOR


def main(argv: list[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    truth = _read_truth(args.ground_truth, args)
    detections = read_detections(args.results, truth)
    other = args.compare and read_detections(args.compare, truth)
    evaluation = evaluate(truth, detections, args.iou_thr, _score_thr(args))
    options = Options(args.group_by, tuple(args.strata), args.resamples, args.seed)
    assessment = assess(evaluation, options, other)
    m = content(assessment, Inputs(args.ground_truth, args.results, args.compare))
    print(summary_text(evaluation, m))
    root = args.image_root
    write_report(assessment, m, args.out_dir, root and [root / n for n in truth.file_names])
    print(f'report written to {args.out_dir / PAGE}')


def _read_truth(path: Path, args: argparse.Namespace) -> Truth:
    truth = read_truth(path)
    return merge_classes(truth, TUMOR) if args.single_class else truth


def _score_thr(args: argparse.Namespace) -> float | str | ChosenOn | None:
    if args.choose_thr_on is not None:
        truth_path, results_path = map(Path, args.choose_thr_on)
        truth = _read_truth(truth_path, args)
        chosen = evaluate(truth, read_detections(results_path, truth), args.iou_thr)
        return ChosenOn(chosen, args.choose_thr_on[1])
    return args.score_thr_from if args.score_thr_from is not None else args.score_thr


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
    threshold.add_argument(
        '--choose-thr-on',
        nargs=2,
        metavar=('VAL_GT.JSON', 'VAL_RESULTS.JSON'),
        help='take the threshold that is best on these; intervals then know of the choice',
    )
    parser.add_argument(
        '--compare',
        type=Path,
        metavar='OTHER_RESULTS.JSON',
        help='results of another detector on the same images: adds RESULTS minus these',
    )
    _add_report_options(parser)
    return parser


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--group-by',
        default=PATIENT_KEY,
        metavar='KEY',
        help='key of the images that names the patient, for intervals and the patient level '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--strata',
        action='append',
        default=[],
        metavar='KEY',
        help='also give the numbers by the values of this key of the images (sex, scanner, ...); '
        'may be given several times',
    )
    parser.add_argument(
        '--single-class',
        action='store_true',
        help=f'merge all categories, of truth and results, into {TUMOR!r}',
    )
    parser.add_argument(
        '--image-root',
        type=Path,
        help='folder that file_name of the ground truth starts from: adds sheets of images',
    )
    parser.add_argument(
        '--resamples',
        type=whole_number(0),
        default=RESAMPLES,
        help='of the bootstrap that the 95%% intervals come from; 0: none (default: %(default)s)',
    )
    parser.add_argument(
        '--seed', type=whole_number(0), default=0, help='of the bootstrap (default: %(default)s)'
    )


if __name__ == '__main__':
    run_tool(main)
