"""Draw what the ultrasound augmentations do to some images, weak and strong, on one sheet.

What of it a training uses, and how often, stands in the config
_base_/datasets/ultrasound_augmentation.py; docs/augmentation.md tells about each.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('images', type=Path, nargs='+', metavar='IMAGE', help='image file')
    parser.add_argument('--out', type=Path, required=True, help='PNG file to write')
    parser.add_argument(
        '--seed', type=whole_number(0), default=0, help='another seed, other places (default: 0)'
    )
    args = parser.parse_args(argv)
    from mmdet_liver import compat

    compat.install()  # before MMEngine's registries are filled; --help needs neither
    from mmdet_liver import plugin  # noqa: F401
    from mmdet_liver.datasets.augmentation_sheet import draw_augmentations

    count = draw_augmentations(args.images, args.out, seed=args.seed)
    print(f'{count} pictures written to {args.out}')


if __name__ == '__main__':
    run_tool(main)
