"""Draw the ground-truth and the predicted heat maps of a CenterNet on a few val images.

Prints the numbers of each image and writes heatmaps_CHECKPOINT.png. For images of the train
set: --cfg-options val_dataloader.dataset.ann_file=annotations/train.json
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number


def main(argv: list[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    from mmdet_liver import compat

    compat.install()
    from mmdet_liver.heatmaps.checkpoint import checkpoint_heatmaps, read_config
    from mmdet_liver.heatmaps.maps import caption
    from mmdet_liver.heatmaps.sheet import draw_sheet, write_sheet

    images, classes = checkpoint_heatmaps(
        read_config(args.config, args.cfg_options),
        args.checkpoint,
        num_images=args.num_images,
        images=args.images,
        max_peaks=args.max_peaks,
        device=args.device,
    )
    name = Path(args.checkpoint).stem
    target = args.out_dir / f'heatmaps_{name}.png'
    write_sheet(target, draw_sheet(images, classes, name))
    for maps in images:
        print(f'{maps.name}: {caption(maps)}')
    print(f'heat maps written to {target}')


def _parser() -> argparse.ArgumentParser:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', type=Path, help='config that the checkpoint was trained with')
    parser.add_argument('checkpoint', help='checkpoint file of a training')
    parser.add_argument('--out-dir', type=Path, required=True, help='folder of the picture')
    parser.add_argument(
        '--num-images',
        type=whole_number(1),
        default=6,
        metavar='N',
        help='images, spread over the classes and the lesion-free ones (default: %(default)s)',
    )
    parser.add_argument(
        '--images',
        nargs='+',
        metavar='FILE',
        help='show these instead: file names, or the last parts of paths (P00007/0003.png)',
    )
    parser.add_argument(
        '--max-peaks',
        type=whole_number(0),
        default=5,
        metavar='N',
        help='highest predictions drawn on an image (default: %(default)s)',
    )
    parser.add_argument('--device', default='cpu', help='as torch names it (default: %(default)s)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help="changes of the config, as in MMDetection's test.py",
    )
    return parser


if __name__ == '__main__':
    run_tool(main)
