"""How much faster our targets and decoding are than MMDetection's, in one run.

Batch 16, 4 lesion-sized boxes an image (10 to 35% of its side), 4 classes, 128x128 maps,
one thread. The two take turns, and the shortest of 25 calls counts. Prints milliseconds and
ratios: `python benchmarks/head.py`; with `--cold` in a process that has allocated nothing yet.
"""

import sys
import time
from collections.abc import Callable

import torch
from mmengine.config import ConfigDict

from mmdet_liver import compat

compat.install()

from mmdet.models.dense_heads import CenterNetHead  # noqa: E402

from mmdet_liver.models.dense_heads import LesionCenterNetHead  # noqa: E402

BATCH, BOXES, CLASSES, MAP, INPUT = 16, 4, 4, 128, 512
ROUNDS = 25


def shortest(ours: Callable[[], object], peer: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the fastest call of each, taking turns so that both meet the same load."""
    times = {ours: [], peer: []}
    for _ in range(ROUNDS):
        for call in (peer, ours):
            start = time.perf_counter()
            call()
            times[call].append(time.perf_counter() - start)
    return min(times[ours]), min(times[peer])


def lesions(generator: torch.Generator) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Boxes xyxy in pixels and labels of every image, each box inside the image."""
    side = INPUT * (0.1 + 0.25 * torch.rand(BATCH, BOXES, 2, generator=generator))
    corner = (INPUT - side) * torch.rand(BATCH, BOXES, 2, generator=generator)
    labels = torch.randint(CLASSES, (BATCH, BOXES), generator=generator)
    return list(torch.cat([corner, corner + side], 2)), list(labels)


def main() -> None:
    torch.set_num_threads(1)
    if '--cold' not in sys.argv[1:]:
        # A training step frees maps of this size, after which glibc's malloc keeps memory
        # instead of fetching fresh pages for every call, in which both heads wait for the kernel.
        freed = torch.empty(30 * 2**20, dtype=torch.uint8)
        del freed
    generator = torch.Generator().manual_seed(0)
    args = {'in_channels': 4, 'feat_channels': 4, 'num_classes': CLASSES}
    args['test_cfg'] = ConfigDict(topk=100, local_maximum_kernel=3, max_per_img=100)
    peer, ours = CenterNetHead(**args), LesionCenterNetHead(**args)
    boxes, labels = lesions(generator)
    maps = [torch.rand(BATCH, d, MAP, MAP, generator=generator) for d in (CLASSES, 2, 2)]
    metas = [{'batch_input_shape': (INPUT, INPUT), 'border': (0, 0, 0, 0)}] * BATCH

    def targets(head: CenterNetHead) -> Callable[[], object]:
        return lambda: head.get_targets(boxes, labels, maps[0].shape, (INPUT, INPUT))

    def decoding(head: CenterNetHead) -> Callable[[], object]:
        return lambda: head.predict_by_feat(*([m] for m in maps), batch_img_metas=metas)

    for name, work, goal in (('targets', targets, 10), ('decoding', decoding, 3)):
        mine, theirs = shortest(work(ours), work(peer))
        print(
            f'{name:8s}  CenterNetHead {theirs * 1e3:7.2f} ms  LesionCenterNetHead '
            f'{mine * 1e3:6.2f} ms  ratio {theirs / mine:5.1f} (goal {goal})'
        )


if __name__ == '__main__':
    main()
