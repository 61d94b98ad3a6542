"""Check COCO files, ours or another's: leaks between them, boxes, classes, image files.

All problems are listed, not only the first. Exit status 0 if there is no error (warnings may
be there), 1 if there are errors, 2 if the input cannot be checked at all.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.checking.findings import (
    ERROR,
    WARNING,
    count_by_severity,
    table_text,
    write_findings,
)
from mmdet_liver.preparation.checking.run import SURE_DISTANCE, check_files
from mmdet_liver.preparation.parallel import cores


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    if args.report and args.report.resolve() in [path.resolve() for path in args.annotations]:
        raise input_error(
            args.report, 'an annotation file as --report', 'a new name', 'give another --report'
        )
    checked = check_files(
        args.annotations,
        image_root=args.image_root,
        pixels=not args.no_pixels,
        max_distance=args.max_distance,
        workers=args.workers,
    )
    if checked.findings:
        print(table_text(checked.findings) + '\n')
    found = count_by_severity(checked.findings)
    opened = 'not opened' if args.no_pixels else f'{checked.opened} files opened'
    print(
        f'{checked.files} annotation files, {checked.images} images ({opened}), '
        f'{checked.annotations} annotations; errors: {found[ERROR]}, warnings: {found[WARNING]}'
    )
    if args.report:
        write_findings(args.report, checked.findings)
        print(f'all of them written to {args.report}')
    return 1 if found[ERROR] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'annotations', type=Path, nargs='+', metavar='ANN', help='COCO annotation file'
    )
    parser.add_argument(
        '--image-root',
        type=Path,
        metavar='DIR',
        help='folder that file_name starts from (../images, seen from each ANN)',
    )
    parser.add_argument(
        '--report', type=Path, metavar='FILE.csv', help='write every finding to this table'
    )
    parser.add_argument(
        '--max-distance',
        type=whole_number(0),
        default=SURE_DISTANCE,
        metavar='BITS',
        help='images whose 64-bit hashes differ in no more bits look alike (%(default)s)',
    )
    parser.add_argument(
        '--no-pixels',
        action='store_true',
        help='do not open the images: quick, but finds neither copies nor look-alikes',
    )
    parser.add_argument(
        '--workers',
        type=whole_number(1),
        default=cores(),
        help='processes (all cores: %(default)s)',
    )
    return parser


if __name__ == '__main__':
    run_tool(main)
