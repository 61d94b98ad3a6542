"""Report on a data set: statistics, figures, a gallery, suspicious records, and one page of it all.

Open OUT/index.html: it holds its pictures and needs no network, so it can be sent as it is.
Beside it lie the figures as PNG, statistics.csv and suspicious.csv. docs/data.md tells what is
in them.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.preparation.statistics.report import GALLERY, PAGE, write_report


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'annotations', type=Path, nargs='+', metavar='ANN.json', help='COCO files, one a split'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder to write the report to')
    parser.add_argument(
        '--image-root',
        type=Path,
        metavar='DIR',
        help='folder that file_name starts from (default: ../images beside the file, if there)',
    )
    parser.add_argument(
        '--gallery',
        type=whole_number(0),
        default=GALLERY,
        metavar='N',
        help='lesions to show of each class; 0 opens no image (default: %(default)s)',
    )
    parser.add_argument(
        '--seed', type=whole_number(0), default=0, help='another seed, other lesions (default: 0)'
    )
    args = parser.parse_args(argv)
    done = write_report(
        args.annotations, args.out, image_root=args.image_root, gallery=args.gallery, seed=args.seed
    )
    print(
        f'{done.images} images, {done.lesions} lesions, {done.suspicious} suspicious records'
        + ('' if done.images_found else '; no images found, so no gallery')
    )
    print(f'report written to {args.out / PAGE}')


if __name__ == '__main__':
    run_tool(main)
