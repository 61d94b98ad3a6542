"""Make a clean COCO data set with a leak-free split out of a manifest.csv and its images.

The manifest is what tools/import_data.py writes. Every image that is left out or changed is
a row in OUT/cleansing.csv; OUT/review/index.html shows them. Killed, the same command goes
on where it was.
"""

import argparse
from collections import Counter
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.preparation.build import BuildOptions, Built, build_dataset
from mmdet_liver.preparation.cleansing.options import (
    CONTRADICTING,
    OF_A_CLUSTER,
    SIZE_RULES,
    SKIPPABLE,
    CleansingOptions,
)
from mmdet_liver.preparation.cleansing.review_file import read_review
from mmdet_liver.preparation.decisions import FILE_NAME, read_decisions
from mmdet_liver.preparation.manifest import read_manifest
from mmdet_liver.preparation.parallel import cores
from mmdet_liver.preparation.splitting import SPLITS

DEFAULTS = CleansingOptions()


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    if args.by_image != args.allow_leak:
        parser.error(
            '--by-image puts frames of one patient into train and test, and every score it '
            'gives is too good; add --allow-leak if that is what you want'
            if args.by_image
            else '--allow-leak only goes with --by-image'
        )
    decided = args.manifest.parent / FILE_NAME
    built = build_dataset(
        read_manifest(args.manifest),
        args.manifest.parent,
        args.out,
        truth=read_manifest(args.truth) if args.truth else None,
        earlier=read_decisions(decided) if decided.exists() else (),
        source=args.manifest,
        options=_options(args),
    )
    print('\n'.join([*_table(built), *_steps(built), *built.warnings]))
    if built.clipped_boxes:
        print(f"{built.clipped_boxes} boxes were cut at the image's edge")
    review = f'; look at {args.out / "review/index.html"}' if args.max_pages else ''
    print(f'written to {args.out}{review}')


def _options(args: argparse.Namespace) -> BuildOptions:
    return BuildOptions(
        seed=args.seed,
        ratios=tuple(args.ratios),
        by_image=args.by_image,
        max_side=args.max_side,
        clip_boxes=args.clip_boxes,
        cleansing=CleansingOptions(
            skip=frozenset(args.skip),
            min_side=args.min_side,
            size_rule=args.size_rule,
            max_distance=args.max_distance,
            of_a_cluster=args.of_a_cluster,
            contradicting=args.contradicting,
            skip_unreadable=args.skip_unreadable,
        ),
        review=read_review(args.review) if args.review else {},
        max_pages=args.max_pages,
        link=args.link,
        indent=2 if args.indent else None,
        workers=args.workers,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('manifest', type=Path, help='manifest.csv beside its images')
    parser.add_argument('--out', type=Path, required=True, help='folder to write the data set to')
    parser.add_argument(
        '--truth', type=Path, help='manifest of every lesion, for annotations/*_truth.json'
    )
    parser.add_argument(
        '--max-side',
        type=whole_number(1),
        metavar='PX',
        help='shrink larger images to this longer side, boxes with them (left as they are)',
    )
    parser.add_argument(
        '--clip-boxes',
        action='store_true',
        help='cut boxes at the edge however far they are outside (an error beyond 1 px)',
    )
    parser.add_argument('--indent', action='store_true', help='JSON for reading (compact)')
    parser.add_argument(
        '--link', action='store_true', help='hard-link images that stay as they are (copied)'
    )
    parser.add_argument(
        '--workers',
        type=whole_number(1),
        default=cores(),
        help='processes (all cores: %(default)s)',
    )
    _add_cleansing(parser.add_argument_group('cleansing'))
    _add_split(parser.add_argument_group('split'))
    return parser


def _add_cleansing(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--skip', nargs='+', choices=SKIPPABLE, default=(), help='steps to turn off (none)'
    )
    group.add_argument(
        '--min-side',
        type=whole_number(0),
        default=DEFAULTS.min_side,
        metavar='PX',
        help='images not above this are left out (%(default)s)',
    )
    group.add_argument(
        '--size-rule',
        choices=SIZE_RULES,
        default=DEFAULTS.size_rule,
        help='whether both sides must be too small, or either (%(default)s)',
    )
    group.add_argument(
        '--max-distance',
        type=whole_number(0),
        default=DEFAULTS.max_distance,
        metavar='BITS',
        help='Hamming distance up to which two images look alike (%(default)s of 64)',
    )
    group.add_argument(
        '--of-a-cluster',
        choices=OF_A_CLUSTER,
        default=DEFAULTS.of_a_cluster,
        help='what stays of look-alikes; all that stay are in one split (%(default)s)',
    )
    group.add_argument(
        '--contradicting',
        choices=CONTRADICTING,
        default=DEFAULTS.contradicting,
        help='clusters that contradict each other in diagnosis (%(default)s: not in val or test)',
    )
    group.add_argument(
        '--skip-unreadable',
        action='store_true',
        help='leave damaged files out (they end the run, all listed in OUT/unreadable.csv)',
    )
    group.add_argument(
        '--review',
        type=Path,
        metavar='CSV',
        help="a person's decisions: columns image_path and decision (keep, leave out, keep marks)",
    )
    group.add_argument(
        '--max-pages',
        type=whole_number(0),
        default=BuildOptions.max_pages,
        metavar='N',
        help='contact sheets of each kind; 0 for none (%(default)s)',
    )


def _add_split(group: argparse._ArgumentGroup) -> None:
    group.add_argument('--seed', type=int, default=0, help='another seed, another split (0)')
    group.add_argument(
        '--ratios',
        type=float,
        nargs=3,
        default=(8, 1, 1),
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='parts of the groups of each split; 0 leaves one out (8 1 1)',
    )
    group.add_argument(
        '--by-image', action='store_true', help='split image by image, which leaks (by patient)'
    )
    group.add_argument('--allow-leak', action='store_true', help='needed for --by-image')


def _table(built: Built) -> list[str]:
    """Lines of the summary; `6/8` is 6 annotated of 8 in the truth."""

    def lesions(split: str, name: str) -> str:
        count = str(built.lesions[split, name])
        truth = built.truth_lesions
        return count if truth is None else f'{count}/{truth[split, name]}'

    columns = ('groups', 'patients', 'images', 'lesion_free')
    head = ['split', *(name.replace('_', '-') for name in columns), *built.classes]
    rows = [
        [
            split,
            *(str(getattr(built, name)[split]) for name in columns),
            *(lesions(split, name) for name in built.classes),
        ]
        for split in SPLITS
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return [
        '  '.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in [head, *rows]
    ]


def _steps(built: Built) -> list[str]:
    steps: dict[str, Counter] = {}
    for (step, action), count in built.steps.items():
        steps.setdefault(step, Counter())[action] += count
    return [
        f'{step}: ' + ', '.join(f'{count} {action}' for action, count in sorted(counts.items()))
        for step, counts in steps.items()
    ]


if __name__ == '__main__':
    run_tool(main)
