"""Hide a random share of a COCO file's labels, to measure what missing labels cost.

Only for training files: val and test keep theirs. What was hidden stands in the new file,
under info.hidden_labels.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.coco_files import read_coco, read_json, require_unique_ids
from mmdet_liver.errors import input_error
from mmdet_liver.files import write_json
from mmdet_liver.preparation.hiding import hide_labels


def main(argv: list[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    if args.out.resolve() == args.annotations.resolve():
        raise input_error(args.out, 'the input as --out', 'a new name', 'give another --out')
    lists = read_coco(args.annotations)
    require_unique_ids(lists['annotations'], f'{args.annotations}, annotations')
    content = {**read_json(args.annotations, 'a COCO annotation file'), **lists}
    thinned = hide_labels(content, args.share, args.seed, mark_ignored=args.mark_ignored)
    write_json(args.out, thinned)
    before, after = len(content['annotations']), len(thinned['annotations'])
    hidden = len(thinned['info']['hidden_labels']['annotation_ids'])
    what = 'marked ignored' if args.mark_ignored else 'hidden'
    print(f'{hidden} of {before} labels {what}; {after} written to {args.out}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations', type=Path, metavar='TRAIN.json', help='COCO file to read')
    parser.add_argument(
        '--share', type=float, required=True, help='of the labels to hide, 0 to 1, as 0.3'
    )
    parser.add_argument(
        '--seed', type=whole_number(0), default=0, help='of the choice (default: %(default)s)'
    )
    parser.add_argument(
        '--mark-ignored',
        action='store_true',
        help='keep them, marked `ignore`: what is lost if every missing label is found',
    )
    parser.add_argument('--out', type=Path, required=True, help='COCO file to write')
    return parser


if __name__ == '__main__':
    run_tool(main)
