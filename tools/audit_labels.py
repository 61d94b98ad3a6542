"""Find labels that may be missing or wrong, hand them to a reviewer, merge the review back.

    audit_labels.py GT.json RESULTS.json [RESULTS2.json ...] --out-dir DIR --image-root IMAGES
    audit_labels.py GT.json --merge REVIEWED.json --out NEW.json --reviewer NAME

The first ranks predictions of high score that belong to no lesion, lesions that no model finds,
and lesions that every model calls another class. It writes review_list.csv, label_studio/
(tasks.json, config.xml), cvat/ (instances.json, labels.json, images.txt) and, with
--image-root, contact sheets.

The results should be those of models that were not trained on these images (cross-validation):
a model learns that an unlabelled lesion is background, and then says nothing about it.

The second takes a JSON export of Label Studio or a COCO export of CVAT. On each reviewed image
the reviewed boxes are the truth; each annotation that changed says what was done to it.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.coco_files import read_coco
from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.auditing.handing_out.folder import write_review_folder
from mmdet_liver.evaluation.auditing.handing_out.label_studio import LOCAL_FILES
from mmdet_liver.evaluation.auditing.merging.files import merge_files
from mmdet_liver.evaluation.auditing.ranking.review_list import KINDS, Rules, review_list
from mmdet_liver.evaluation.detection_files import read_detections, read_truth


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.merge is None:
        if not args.results or args.out_dir is None:
            parser.error('give RESULTS and --out-dir, or --merge and --out')
        _hand_out(args)
    else:
        if args.results or args.out is None:
            parser.error('--merge takes --out, and no RESULTS')
        _merge(args)


def _hand_out(args: argparse.Namespace) -> None:
    _require_different(args.results)
    truth = read_truth(args.ground_truth)
    predictions = [read_detections(path, truth) for path in args.results]
    rules = Rules(
        iou_thr=args.iou_thr,
        min_score=args.min_score,
        floor=args.floor,
        most=args.most,
        skip_fully_annotated=args.skip_fully_annotated,
    )
    listed = review_list(truth, predictions, rules)
    images = write_review_folder(
        args.out_dir,
        truth,
        read_coco(args.ground_truth),
        listed,
        where=args.ground_truth,
        image_root=args.image_root,
        image_url=args.image_url,
    )
    for kind in KINDS:
        shown = sum(item.kind == kind for item in listed.items)
        print(f'{kind}: {listed.found[kind]} found, {shown} on the list')
    print(f'{images} images to review, written to {args.out_dir}')


def _require_different(paths: list[Path]) -> None:
    """InputError if a results file is given twice: it would agree with itself."""
    for i, path in enumerate(paths):
        if path.resolve() in [other.resolve() for other in paths[:i]]:
            raise input_error(path, 'the same results again', 'one file a model', 'give it once')


def _merge(args: argparse.Namespace) -> None:
    merged = merge_files(
        args.ground_truth,
        args.merge,
        args.out,
        reviewer=args.reviewer,
        fully_annotated=not args.not_fully_annotated,
        handed_out=args.handed_out,
    )
    counts = ', '.join(f'{count} {action}' for action, count in merged.actions.items())
    images = merged.content['reviews'][-1]['images']
    print(f'{images} reviewed images: {counts}; written to {args.out}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('ground_truth', type=Path, metavar='GT', help='COCO annotation file')
    parser.add_argument(
        'results',
        type=Path,
        nargs='*',
        metavar='RESULTS',
        help='COCO results files, one a model: [{image_id, category_id, bbox, score}, ...]',
    )
    group = parser.add_argument_group('to make a review list')
    _add_folder_options(group)
    _add_rule_options(group)
    _add_merge_options(parser.add_argument_group('to merge a review'))
    return parser


def _add_folder_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--out-dir', type=Path, metavar='DIR', help='folder for the review')
    group.add_argument(
        '--image-root',
        type=Path,
        metavar='DIR',
        help='folder that file_name of GT starts from: adds contact sheets',
    )
    group.add_argument(
        '--image-url',
        default=LOCAL_FILES,
        metavar='PREFIX',
        help="what comes before file_name in Label Studio's image addresses (default: %(default)s)",
    )


def _add_rule_options(group: argparse._ArgumentGroup) -> None:
    rules = Rules()
    group.add_argument(
        '--min-score',
        type=float,
        default=rules.min_score,
        help='least score of a suggestion, and of a prediction that contradicts a diagnosis; the '
        "model's own working threshold is a good choice (default: %(default)s)",
    )
    group.add_argument(
        '--floor',
        type=float,
        default=rules.floor,
        help='a lesion found only below this score counts as never found (default: %(default)s)',
    )
    group.add_argument(
        '--most',
        type=whole_number(1),
        default=rules.most,
        metavar='N',
        help='at most so many of each kind, the most doubtful (default: %(default)s)',
    )
    group.add_argument(
        '--iou-thr',
        type=float,
        default=rules.iou_thr,
        help='least IoU by which a prediction belongs to a lesion (default: %(default)s)',
    )
    group.add_argument(
        '--skip-fully-annotated',
        action='store_true',
        help='suggest nothing on images marked fully_annotated; otherwise they come last, as '
        'somebody has said that every lesion there is annotated',
    )


def _add_merge_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--merge',
        type=Path,
        metavar='REVIEWED',
        help='JSON export of Label Studio, or COCO export of CVAT',
    )
    group.add_argument('--out', type=Path, metavar='NEW', help='ground-truth file to write')
    group.add_argument('--reviewer', metavar='NAME', help='who reviewed, kept with each change')
    group.add_argument(
        '--handed-out',
        type=Path,
        metavar='FILE',
        help='cvat/instances.json of the review; other images of REVIEWED are left alone',
    )
    group.add_argument(
        '--not-fully-annotated',
        action='store_true',
        help='do not mark the reviewed images fully_annotated',
    )


if __name__ == '__main__':
    run_tool(main)
