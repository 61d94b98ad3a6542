"""A toy detector, data and runner for the tests of StepwiseUnfreezeHook, on one or two ranks."""

from pathlib import Path

import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from mmdet_liver import compat

compat.install()

from mmdet.models.backbones import ResNet  # noqa: E402

import mmdet_liver.engine.hooks  # noqa: E402, F401

BATCHES_PER_EPOCH = 2
ADAM = {'type': 'AdamW', 'lr': 0.001, 'weight_decay': 0.05}
PLAIN = {'type': 'SGD', 'lr': 0.01}
LAYER4_SLOWER = {'custom_keys': {'backbone.layer4': {'lr_mult': 0.1}}}
_names = iter(range(10**6))


class ToyData(Dataset):
    """Eight random images per rank with a target each; the same in every process."""

    def __init__(self, ranks: int = 1) -> None:
        generator = torch.Generator().manual_seed(7)
        self.images = torch.randn(8 * ranks, 3, 32, 32, generator=generator)
        self.targets = torch.randn(8 * ranks, generator=generator)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        return {'images': self.images[index], 'targets': self.targets[index]}


class ToyDetector(BaseModel):
    """A narrow MMDetection ResNet18 below one linear layer, the head."""

    def __init__(self, backbone: nn.Module | None = None, **kwargs: object) -> None:
        super().__init__()
        self.backbone = toy_resnet(**kwargs) if backbone is None else backbone
        self.head = nn.Linear(32, 1)  # both kinds of backbone in these tests end in 32 channels

    def forward(self, images: torch.Tensor, targets: torch.Tensor, mode: str) -> object:
        features = self.backbone(images)[-1].mean(dim=(2, 3))  # (N, 32)
        found = self.head(features).squeeze(1)
        return {'loss': (found - targets).square().mean()} if mode == 'loss' else [found]


class Recorder(Hook):
    """Copies of all tensors and of what trains: at first, after each iteration and epoch."""

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.first: dict = {}
        self.iterations: list[dict] = []
        self.epochs: list[dict] = []
        self.trains: list[set[str]] = []

    def before_train(self, runner: Runner) -> None:
        self.first = tensors(runner)

    def after_train_iter(self, runner: Runner, *args: object, **kwargs: object) -> None:
        self.iterations.append(tensors(runner))
        named = detector(runner).named_parameters()
        self.trains.append({name for name, parameter in named if parameter.requires_grad})

    def after_train_epoch(self, runner: Runner) -> None:
        self.epochs.append(tensors(runner))


class ToyMetric(BaseMetric):
    def process(self, data_batch: object, data_samples: object) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        return {'count': len(results)}


def toy_resnet(**kwargs: object) -> ResNet:
    # Without zero_init_residual: a zero scale would keep whole blocks from a first gradient.
    options = {'depth': 18, 'base_channels': 4, 'norm_eval': False, 'zero_init_residual': False}
    return ResNet(**{**options, **kwargs})


def toy_detector(**kwargs: object) -> ToyDetector:
    torch.manual_seed(3)
    return ToyDetector(**kwargs)


def toy_runner(
    work_dir: Path,
    schedule: list,
    *,
    epochs: int = 3,
    model: nn.Module | None = None,
    unit: str = 'epoch',
    unfreezing: dict | None = None,
    hooks: tuple = (),
    ranks: int = 1,
    val: bool | BaseMetric = False,
    sampler: str = 'DefaultSampler',
    **kwargs: object,
) -> Runner:
    """A runner of MMDetection's scope, as its train.py would build one; it saves each epoch."""
    if val:
        kwargs |= {
            'val_dataloader': _loader(ToyData()),
            'val_cfg': {},
            'val_evaluator': [ToyMetric() if val is True else val],
        }
    hook = {'type': 'StepwiseUnfreezeHook', 'schedule': schedule, 'unit': unit}
    hook |= unfreezing or {}
    options = {
        'train_dataloader': _loader(ToyData(ranks), sampler),
        'train_cfg': {'by_epoch': True, 'max_epochs': epochs},
        'optim_wrapper': optim({**PLAIN, 'momentum': 0.9, 'weight_decay': 0.01}),
        'default_hooks': {'checkpoint': {'type': 'CheckpointHook', 'interval': 1}},
        'custom_hooks': [hook, *hooks],
        'default_scope': 'mmdet',
        'randomness': {'seed': 0},
        'experiment_name': f'toy{next(_names)}',
        'log_level': 'INFO',
    }
    model = model or toy_detector()
    return Runner(model=model, work_dir=str(work_dir), **{**options, **kwargs})


def optim(optimizer: dict | None = None, **kwargs: object) -> dict:
    return {'type': 'OptimWrapper', 'optimizer': optimizer or dict(PLAIN), **kwargs}


def by_iterations(work_dir: Path, *hooks: Hook, **kwargs: object) -> Runner:
    """Six iterations, of which three train the head alone, two layer4 as well, one all."""
    return toy_runner(
        work_dir,
        [(0, 4), (0.5, 3), (0.75, -1)],
        unit='fraction',
        hooks=hooks,
        val=True,
        train_cfg={'by_epoch': False, 'max_iters': 6, 'val_interval': 2},
        default_hooks={'checkpoint': {'type': 'CheckpointHook', 'interval': 1, 'by_epoch': False}},
        sampler='InfiniteSampler',
        **kwargs,
    )


def _loader(data: Dataset, sampler: str = 'DefaultSampler') -> dict:
    return {
        'batch_size': 8 // BATCHES_PER_EPOCH,
        'num_workers': 0,
        'sampler': {'type': sampler, 'shuffle': True},
        'collate_fn': {'type': 'default_collate'},
        'dataset': data,
    }


def detector(runner: Runner) -> nn.Module:
    return getattr(runner.model, 'module', runner.model)


def tensors(runner: Runner) -> dict[str, torch.Tensor]:
    return {name: t.detach().clone() for name, t in detector(runner).state_dict().items()}


def changed(before: dict, after: dict) -> set[str]:
    """Names of the tensors that are not bit-equal."""
    return {name for name in before if not torch.equal(before[name], after[name])}


def stage_of(name: str) -> int:
    """0 for the stem, 1 to 4 for layer1 to layer4, 5 for the head."""
    if not name.startswith('backbone.'):
        return 5
    part = name.split('.')[1]
    return int(part.removeprefix('layer')) if part.startswith('layer') else 0


def log_text(runner: Runner) -> str:
    return '\n'.join(path.read_text() for path in Path(runner.log_dir).glob('*.log'))
