"""Make a COCO data set with a patient-level split out of a manifest or the BUSI set."""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.preparation.build import BuildOptions, Built, build_dataset
from mmdet_liver.preparation.importers.busi import import_busi
from mmdet_liver.preparation.manifest import read_manifest
from mmdet_liver.preparation.parallel import cores
from mmdet_liver.preparation.splitting import SPLITS


def main(argv: list[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    options = BuildOptions(
        seed=args.seed,
        ratios=tuple(args.ratios),
        max_side=args.max_side,
        clip_boxes=args.clip_boxes,
        indent=2 if args.indent else None,
        workers=args.workers,
    )
    truth = None
    if args.importer == 'busi':
        root = args.source
        records = import_busi(root, args.min_area, workers=args.workers)
    else:
        root = args.source.parent
        records = read_manifest(args.source)
        truth = read_manifest(args.truth) if args.truth else None
    built = build_dataset(records, root, args.out, truth=truth, source=args.source, options=options)
    print('\n'.join(_table(built)))
    if built.clipped_boxes:
        print(f"{built.clipped_boxes} boxes were cut at the image's edge")
    print(f'written to {args.out}')


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('--out', type=Path, required=True, help='folder to write the data set to')
    common.add_argument('--seed', type=int, default=0, help='another seed, another split (0)')
    common.add_argument(
        '--ratios',
        type=float,
        nargs=3,
        default=(8, 1, 1),
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='parts of the patients of each split; 0 leaves one out (8 1 1)',
    )
    common.add_argument(
        '--max-side',
        type=whole_number(1),
        metavar='PX',
        help='shrink larger images to this longer side, boxes with them (copied as they are)',
    )
    common.add_argument(
        '--clip-boxes',
        action='store_true',
        help='cut boxes at the edge however far they are outside (an error beyond 1 px)',
    )
    common.add_argument('--indent', action='store_true', help='JSON for reading (compact)')
    common.add_argument(
        '--workers',
        type=whole_number(1),
        default=cores(),
        help='processes (all cores: %(default)s)',
    )
    parser = argparse.ArgumentParser(description=__doc__)
    importers = parser.add_subparsers(dest='importer', required=True)
    manifest = importers.add_parser('manifest', parents=[common], help='from a manifest.csv')
    manifest.add_argument('source', type=Path, help='manifest.csv beside its images')
    manifest.add_argument(
        '--truth', type=Path, help='manifest of every lesion, for annotations/*_truth.json'
    )
    busi = importers.add_parser('busi', parents=[common], help="from BUSI's original layout")
    busi.add_argument('source', type=Path, help='folder of benign/, malignant/ and normal/')
    busi.add_argument(
        '--min-area',
        type=whole_number(1),
        default=25,
        metavar='PX2',
        help='smallest connected part of a mask that is a lesion (%(default)s pixels)',
    )
    return parser


def _table(built: Built) -> list[str]:
    """Lines of the summary; `6/8` is 6 annotated of 8 in the truth."""

    def lesions(split: str, name: str) -> str:
        count = str(built.lesions[split, name])
        truth = built.truth_lesions
        return count if truth is None else f'{count}/{truth[split, name]}'

    head = ['split', 'patients', 'images', 'lesion-free', *built.classes]
    rows = [
        [
            split,
            *(str(c[split]) for c in (built.patients, built.images, built.lesion_free)),
            *(lesions(split, name) for name in built.classes),
        ]
        for split in SPLITS
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return [
        '  '.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in [head, *rows]
    ]


if __name__ == '__main__':
    run_tool(main)
