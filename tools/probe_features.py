"""Tell what a backbone's features are worth, before any detector is trained on them.

Cuts the lesions out, gives each val lesion the diagnosis of its nearest train lesions, and
counts how often that is right; beside it random weights, the pixels alone and the most
frequent class. Writes probe.json, probe.csv, probe.md, a map of the lesions coloured by
diagnosis (map_*.png) and some lesions with their neighbours (neighbours_*.png).
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.probing.protocol import Protocol


def main(argv: list[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    # Here, so that --help needs no torch.
    from mmdet_liver.probing.network_arms import NetworkOptions
    from mmdet_liver.probing.networks import default_device, quiet
    from mmdet_liver.probing.probe import run_probe
    from mmdet_liver.probing.report import MARKDOWN, summary_line

    protocol = Protocol(
        train=args.train,
        val=args.val,
        image_root=args.image_root,
        crop_size=args.crop_size,
        context=args.context,
        k=args.k,
        temperature=args.temperature,
        resamples=args.resamples,
        seed=args.seed,
    )
    options = NetworkOptions(
        stage=args.stage,
        random_seeds=args.random,
        batch_size=args.batch_size,
        device=args.device or default_device(),
        cfg=args.cfg,
        prefix=args.prefix,
    )
    with quiet():
        assessment = run_probe(
            args.checkpoints, protocol, options, args.out_dir, maps=not args.no_maps
        )
    print(f'{summary_line(assessment)}; written to {args.out_dir / MARKDOWN}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'checkpoints',
        nargs='+',
        metavar='[NAME=]CHECKPOINT',
        help='of pretraining or of a detector, or its work folder; every tensor of the backbone '
        'must fit. NAME stands in the tables',
    )
    parser.add_argument(
        '--train', type=Path, required=True, help='COCO file of the lesions that are neighbours'
    )
    parser.add_argument(
        '--val', type=Path, required=True, help='COCO file of the lesions to be diagnosed'
    )
    parser.add_argument(
        '--image-root',
        type=Path,
        required=True,
        help='folder that file_name of both files starts from',
    )
    parser.add_argument('--out-dir', type=Path, required=True, help='folder for the results')
    _add_lesion_options(parser)
    _add_network_options(parser)
    _add_report_options(parser)
    return parser


def _add_lesion_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--k',
        type=whole_number(1),
        default=Protocol.k,
        help='neighbours that vote (default: %(default)s)',
    )
    parser.add_argument(
        '--temperature',
        type=_positive,
        default=Protocol.temperature,
        help='a vote weighs exp(cosine / temperature) (default: %(default)s)',
    )
    parser.add_argument(
        '--crop-size',
        type=whole_number(32),
        default=Protocol.crop_size,
        help='side of the crops in pixels (default: %(default)s)',
    )
    parser.add_argument(
        '--context',
        type=_positive,
        default=Protocol.context,
        help='side of what is cut out, in longer sides of the lesion (default: %(default)s)',
    )


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--stage',
        type=int,
        choices=(1, 2, 3, 4),
        default=4,
        help='ResNet stage whose map is averaged (default: %(default)s, the last)',
    )
    parser.add_argument(
        '--random',
        type=whole_number(0),
        default=3,
        metavar='SEEDS',
        help='networks with random weights, averaged, of each architecture; 0: none '
        '(default: %(default)s)',
    )
    parser.add_argument(
        '--cfg',
        help="config with the backbone (default: the checkpoint's own, or a ResNet that fits)",
    )
    parser.add_argument(
        '--prefix',
        help="start of the backbone's tensors (default: 'backbone.', or none if none start so)",
    )
    parser.add_argument('--batch-size', type=whole_number(1), default=64, help='crops at a time')
    parser.add_argument('--device', help='cpu, cuda, ... (default: cuda where there is one)')


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--no-maps', action='store_true', help='do without scikit-learn')
    parser.add_argument(
        '--resamples',
        type=whole_number(0),
        default=Protocol.resamples,
        help='of the bootstrap over val patients; 0: no intervals (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=whole_number(0),
        default=Protocol.seed,
        help='of the bootstrap (default: %(default)s)',
    )


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} is not a number above 0')
    return value


if __name__ == '__main__':
    run_tool(main)
