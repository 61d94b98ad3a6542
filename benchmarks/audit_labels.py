"""How many labels known to be missing or wrong the review list of audit_labels.py holds.

Without --given, a share of the lesions is taken out, or moved elsewhere in its image, or given
another class, and the list is made from the rest; repeated with other seeds. With --given FILE
the missing labels are those that COMPLETE has and FILE lacks.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from mmdet_liver.cli import run_tool
from mmdet_liver.coco_files import read_json
from mmdet_liver.evaluation.auditing.merging.comparing import pairwise_iou
from mmdet_liver.evaluation.auditing.ranking.review_list import (
    NEVER_FOUND,
    OTHER_CLASS,
    SUGGESTED,
    Rules,
    review_list,
)
from mmdet_liver.evaluation.detection_files import read_detections, read_truth
from mmdet_liver.evaluation.matching import IOU_THR

_KINDS = {'missing': SUGGESTED, 'moved': NEVER_FOUND, 'other class': OTHER_CLASS}


def main(argv: list[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    complete = read_json(args.complete, 'a COCO annotation file')
    for image in complete['images']:
        image.pop('fully_annotated', None)  # all alike, so that the scores alone rank
    if args.given is not None:
        given = read_json(args.given, 'a COCO annotation file')
        known = {(a['image_id'], *a['bbox']) for a in given['annotations']}
        gone = [a for a in complete['annotations'] if (a['image_id'], *a['bbox']) not in known]
        _print('as given', [_hits(given, gone, SUGGESTED, args)], len(gone))
        return
    for fault, kind in _KINDS.items():
        for share in (0.1, 0.3, 0.5) if fault == 'missing' else (0.1,):
            count = round(share * len(complete['annotations']))
            runs = []
            for seed in range(args.seeds):
                spoilt, faults = spoil(complete, fault, count, np.random.default_rng(seed))
                runs.append(_hits(spoilt, faults, kind, args))
            _print(f'{share:.0%} {fault}', runs, count)


def spoil(
    complete: dict, fault: str, count: int, random: np.random.Generator
) -> tuple[dict, list[dict]]:
    """The content with `count` annotations made wrong, and what the list should name."""
    annotations = [dict(a) for a in complete['annotations']]
    chosen = random.choice(len(annotations), count, replace=False)
    faults = [annotations[i] for i in chosen]
    if fault == 'missing':
        kept = [a for a in annotations if all(a is not f for f in faults)]
        return complete | {'annotations': kept}, faults
    sizes = {image['id']: (image['width'], image['height']) for image in complete['images']}
    ids = [category['id'] for category in complete['categories']]
    for annotation in faults:
        if fault == 'moved':
            _, _, width, height = annotation['bbox']
            room = np.maximum(np.subtract(sizes[annotation['image_id']], (width, height)), 0)
            annotation['bbox'] = [*(random.random(2) * room).tolist(), width, height]
        else:
            others = [i for i in ids if i != annotation['category_id']]
            annotation['category_id'] = int(random.choice(others))
    return complete | {'annotations': annotations}, faults


def _hits(content: dict, faults: list[dict], kind: str, args: argparse.Namespace) -> list[bool]:
    # For each item of the list whether it names a fault that no item before it has named.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'truth.json'
        path.write_text(json.dumps(content))
        truth = read_truth(path)
    found = [read_detections(results, truth) for results in args.results]
    listed = review_list(truth, found, Rules(min_score=args.min_score, most=10**6))
    number, named, hits = truth.number_of_image(), set(), []
    for item in listed.items:
        if item.kind != kind:
            continue
        x_min, y_min, x_max, y_max = item.box
        box = np.array([(x_min, y_min, x_max - x_min, y_max - y_min)])
        near = {
            i
            for i, fault in enumerate(faults)
            if number[fault['image_id']] == item.image and i not in named
            if pairwise_iou(box, np.array([fault['bbox']]))[0, 0] >= IOU_THR
        }
        hits.append(bool(near))
        named |= set(sorted(near)[:1])
    return hits


def _print(name: str, runs: list[list[bool]], count: int) -> None:
    # At half, once and twice as many items as there are faults; then of the whole list.
    print(f'\n{name}: {count} faults, {len(runs)} runs')
    print(f'{"items":>8} {"precision":>10} {"recall":>8}')
    for most in (count // 2, count, 2 * count, None):
        right = [sum(hits[:most]) for hits in runs]
        looked = [len(hits[:most]) for hits in runs]
        shown = f'{most or f"all {np.mean(looked):.0f}"}'
        precision = sum(right) / max(sum(looked), 1)
        print(f'{shown:>8} {precision:>10.3f} {np.mean(right) / max(count, 1):>8.3f}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('complete', type=Path, help='COCO file in which every lesion is annotated')
    parser.add_argument('results', type=Path, nargs='+', help='COCO results, one file a model')
    parser.add_argument('--given', type=Path, help='the same images with missing labels')
    parser.add_argument('--seeds', type=int, default=10, help='runs (default: %(default)s)')
    parser.add_argument('--min-score', type=float, default=0.2, help='(default: %(default)s)')
    return parser


if __name__ == '__main__':
    run_tool(main)
