"""Make a phantom: simulated liver ultrasound as a raw hospital export, with known truth.

OUT gets images/, manifest.csv (some lesions left out, as in a hospital) and truth.csv
(every lesion). The same seed and number of patients give the same bytes. docs/phantom.md
says what is modelled and what is not.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.preparation.parallel import cores
from mmdet_liver.preparation.phantom.export import make_phantom


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path, help='folder to write, new or empty')
    parser.add_argument(
        '--patients', type=whole_number(1), default=200, help='about 7 images each (default: 200)'
    )
    parser.add_argument('--seed', type=whole_number(0), default=0, help='0 or more (default: 0)')
    parser.add_argument(
        '--workers', type=whole_number(1), default=cores(), help='processes (default: cores)'
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='write into a folder that is not empty; files of the same names are replaced, '
        'others stay',
    )
    args = parser.parse_args(argv)
    done = make_phantom(
        args.out, args.patients, args.seed, workers=args.workers, overwrite=args.overwrite
    )
    print(
        f'{done.images} images ({done.lesion_free} without lesions) with {done.lesions} lesions, '
        f'{done.left_out} of them left out of the manifest, written to {args.out}'
    )


if __name__ == '__main__':
    run_tool(main)
