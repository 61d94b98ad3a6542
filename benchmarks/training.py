"""Images a second in training, ours against MMDetection's own CenterNet, in one run.

Both are ResNet18 without deformable convolutions, 4 classes, AdamW with clipping, the same
images and boxes; the arms take turns, and the median of `--rounds` counts. Then the loading of
data alone, of made-up images on disk, and the share of the training that waits for it, each
without and with the cache of decoded images.

    python benchmarks/training.py
    python benchmarks/training.py --device cuda --size 512 --batch 16 --steps 20 --workers 8

On a machine that others use as well, `--clock cpu` counts processor time instead.
"""

import argparse
import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import cv2
import torch
from made_images import write_images
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from mmdet_liver import compat, config_path

compat.install()

import mmdet  # noqa: E402
from mmdet.registry import DATASETS, MODELS  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401
from mmdet_liver.engine.hooks import ChannelsLastHook  # noqa: E402

OURS = 'centernet_r18_flex_1xb16-300e_liver4-512'
STOCK = Path(mmdet.__file__).parent / (
    '.mim/configs/centernet/centernet_r18_8xb16-crop512-140e_coco.py'
)
GOALS = {'cpu': ('ours', 0.97), 'cuda': ('ours, channels-last, AMP', 1.5)}
HALF = {
    'cpu': ('bfloat16', {'type': 'BFloat16OptimWrapper'}),
    'cuda': ('AMP', {'type': 'AmpOptimWrapper', 'loss_scale': 'dynamic', 'dtype': 'float16'}),
}
CLOCKS = {'wall': time.perf_counter, 'cpu': time.process_time}


def models() -> dict[str, Config]:
    """Model configs of both, without pretrained weights."""
    stock = Config.fromfile(STOCK).model
    stock.backbone.init_cfg = None
    stock.bbox_head.num_classes = 4
    return {'stock': stock, 'ours': Config.fromfile(config_path(OURS)).model}


class Arm:
    """A model, its optimizer and the step that MMEngine's loop takes."""

    def __init__(self, model: Config, device: str, channels_last: bool, precision: dict) -> None:
        torch.manual_seed(0)
        self.model = MODELS.build(model)
        self.model.init_weights()
        self.model.to(device).train()
        optimizer = Config.fromfile(config_path(OURS)).optim_wrapper
        optimizer.update(precision)
        self.optim_wrapper = build_optim_wrapper(self.model, optimizer)
        if channels_last:
            ChannelsLastHook().before_run(SimpleNamespace(model=self.model))

    def step(self, batch: dict) -> None:
        self.model.train_step(batch, self.optim_wrapper)


def arms(device: str) -> dict[str, Arm]:
    half, wrapper = HALF[device]
    settings = {'': (False, {}), ', channels-last': (True, {})}
    settings |= {f', {half}': (False, wrapper), f', channels-last, {half}': (True, wrapper)}
    return {
        f'{name}{suffix}': Arm(model, device, *setting)
        for name, model in models().items()
        for suffix, setting in settings.items()
    }


def made_batch(size: int, batch: int) -> dict:
    """Random images with two lesion-sized boxes each (10 to 35% of the side)."""
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in range(batch):
        side = size * (0.1 + 0.25 * torch.rand(2, 2, generator=generator))
        corner = (size - side) * torch.rand(2, 2, generator=generator)
        boxes = torch.cat([corner, corner + side], 1)
        labels = torch.randint(4, (2,), generator=generator)
        sample = DetDataSample(metainfo={'img_shape': (size, size)})
        sample.gt_instances = InstanceData(bboxes=boxes, labels=labels)
        sample.ignored_instances = InstanceData(bboxes=boxes[:0], labels=labels[:0])
        samples.append(sample)
    images = torch.randint(256, (batch, 3, size, size), generator=generator, dtype=torch.uint8)
    return {'inputs': list(images), 'data_samples': samples}


def seconds(work: Callable[[], object], args: argparse.Namespace) -> float:
    if args.device == 'cuda':
        torch.cuda.synchronize()
    clock = CLOCKS[args.clock]
    start = clock()
    work()
    if args.device == 'cuda':
        torch.cuda.synchronize()
    return clock() - start


def in_turn(works: dict[str, Callable[[], object]], args: argparse.Namespace) -> dict:
    """Seconds of each work in every round, after one call to warm up; starts with another each
    round, so that no work always follows the same one."""
    times = {name: [] for name in works}
    for work in works.values():
        work()
    names = list(works)
    for turn in range(args.rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(seconds(works[name], args))
    return times


def steps(args: argparse.Namespace) -> None:
    batch = made_batch(args.size, args.batch)

    def training(arm: Arm) -> Callable[[], object]:
        return lambda: [arm.step(batch) for _ in range(args.steps)]

    times = in_turn({name: training(arm) for name, arm in arms(args.device).items()}, args)
    goal_arm, goal = GOALS[args.device]
    for name, taken in times.items():
        rate = args.batch * args.steps / median(taken)
        ratios = [peer / own for peer, own in zip(times['stock'], taken, strict=True)]
        ratio = median(times['stock']) / median(taken)
        ending = f' (goal {goal}: {"met" if ratio >= goal else "missed"})' * (name == goal_arm)
        print(
            f'step  {name:30s} {rate:8.2f} images/s  ratio {ratio:.3f}, '
            f'by round {min(ratios):.3f} to {max(ratios):.3f}{ending}'
        )


def pipelines(cache_dir: str, size: int) -> dict[str, list[dict]]:
    """MMDetection's train pipeline of CenterNet and ours, without and with the cache."""
    # Behind RepeatDataset in MMDetection's config.
    stock = Config.fromfile(STOCK).train_dataloader.dataset.dataset.pipeline
    _, *rest = Config.fromfile(config_path(OURS)).train_dataloader.dataset.pipeline
    load = {'type': 'LoadCachedImage'}
    ways = {
        "MMDetection's": stock,
        'ours': [load, *rest],
        'ours, cached': [{**load, 'cache_dir': cache_dir}, *rest],
    }
    sized = ('scale', 'crop_size', 'size')
    return {
        name: [{k: (size, size) if k in sized else v for k, v in step.items()} for step in steps]
        for name, steps in ways.items()
    }


def datasets(folder: Path, size: int) -> dict[tuple[str, str], Any]:
    """Of each pipeline the loading of the image alone, and the whole."""
    dataset = Config.fromfile(config_path(OURS)).train_dataloader.dataset
    dataset.update(data_root=str(folder), ann_file='train.json')
    parts = {'loading alone': slice(1), 'whole pipeline': slice(None)}
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools tells of every index
        return {
            (name, part): DATASETS.build({**dataset, 'pipeline': pipeline[steps]})
            for name, pipeline in pipelines(str(folder / 'cache'), size).items()
            for part, steps in parts.items()
        }


def loading(data: dict[tuple[str, str], Any], args: argparse.Namespace) -> None:
    """Images a second of one worker."""
    works = {key: lambda d=dataset: [d[i] for i in range(len(d))] for key, dataset in data.items()}
    times = in_turn(works, args)
    for (name, part), taken in times.items():
        ratio = median(times["MMDetection's", part]) / median(taken)
        rate = args.images / median(taken)
        print(f'data  {name:13s} {part:14s} {rate:8.0f} images/s a worker  ratio {ratio:5.2f}')


def waiting(data: dict[tuple[str, str], Any], args: argparse.Namespace) -> None:
    """Share of the wall time in which our training waits for its next batch."""
    name = GOALS[args.device][0]
    arm = arms(args.device)[name]
    for way in ('ours', 'ours, cached'):
        dataset = data[way, 'whole pipeline']
        settings = {'batch_size': args.batch, 'num_workers': args.workers, 'drop_last': True}
        settings |= {'persistent_workers': args.workers > 0, 'dataset': dataset}
        loader = Runner.build_dataloader({**settings, 'sampler': {'type': 'DefaultSampler'}})
        batches: Iterator[dict] = chain.from_iterable(repeat(loader))
        arm.step(next(batches))  # the workers start
        waits, total = 0.0, time.perf_counter()
        for _ in range(args.steps * args.rounds):
            start = time.perf_counter()
            batch = next(batches)
            waits += time.perf_counter() - start
            arm.step(batch)
            if args.device == 'cuda':
                torch.cuda.synchronize()
        total = time.perf_counter() - total
        rate = args.batch * args.steps * args.rounds / total
        print(
            f'wait  {way:13s} {args.workers} workers: {waits / total:6.1%} of the time '
            f'({name}, {rate:.1f} images/s)'
        )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--device', choices=('cpu', 'cuda'), default='cpu')
    parser.add_argument('--size', type=int, default=256, help='side of the input, in pixels')
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--steps', type=int, default=2, help='training steps of a round')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=1, help="torch's, on the CPU")
    parser.add_argument('--workers', type=int, default=1, help='processes that load data')
    parser.add_argument('--images', type=int, default=96, help='made-up images on disk')
    parser.add_argument('--clock', choices=sorted(CLOCKS), default='wall')
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(0)
    MMLogger.get_current_instance().setLevel('ERROR')
    register_all_modules()
    steps(args)
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), args.images, args.size)
        data = datasets(Path(folder), args.size)
        loading(data, args)
        waiting(data, args)


if __name__ == '__main__':
    main()
