"""Training in channels-last memory: the same results, whatever is loaded, copied or resumed."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import EMAHook, Hook
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from mmdet_liver import compat

compat.install()

from mmengine.registry import HOOKS  # noqa: E402

from mmdet_liver.engine.hooks import ChannelsLastHook  # noqa: E402
from mmdet_liver.engine.hooks.channels_last_hook import channels_last  # noqa: E402


def is_channels_last(tensor):
    return tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()


class Images(Dataset):
    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randn(8, 3, 16, 16, generator=generator)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return {'inputs': self.images[i]}


class Net(BaseModel):
    """Two convolutions, BatchNorm and a transposed one; notes how its inputs lie in memory."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__(ImgDataPreprocessor())
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, stride=2), nn.ConvTranspose2d(8, 4, 4, stride=2),
        )  # fmt: skip
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.seen.append(is_channels_last(inputs))
        out = self.layers(inputs)
        return {'loss': out.square().mean()} if mode == 'loss' else [out]


class Counts(BaseMetric):
    """The number of batches."""

    def process(self, data_batch, data_samples):
        self.results.append(1)

    def compute_metrics(self, results):
        return {'batches': len(results)}


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


class Layouts(Hook):
    """Whether each 4-axis weight and momentum is in channels-last memory after an iteration."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.after = []

    def after_train_iter(self, runner, *args, **kwargs):
        state = runner.optim_wrapper.optimizer.state.values()
        tensors = [*runner.model.parameters(), *(s['momentum_buffer'] for s in state)]
        self.after.append({is_channels_last(t) for t in tensors if t.ndim == 4})


names = iter(range(1000))


def train(folder, epochs, hooks=(), **kwargs):
    runner = Runner(
        model=Net(),
        work_dir=str(folder),
        train_dataloader={
            'dataset': Images(), 'batch_size': 4,
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
        },
        train_cfg={'by_epoch': True, 'max_epochs': epochs},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.05, 'momentum': 0.9}},
        default_hooks={'logger': None, 'checkpoint': {'type': 'CheckpointHook', 'interval': 1}},
        custom_hooks=list(hooks),
        experiment_name=f'channels_last_{next(names)}',
        log_level='ERROR',
        **kwargs,
    )  # fmt: skip
    runner.train()
    return runner.model


def close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    """A run of three epochs without the hook: its folder and its weights."""
    folder = tmp_path_factory.mktemp('plain')
    model = train(folder, 3)
    assert not any(model.seen)
    return folder, weights(model)


def test_the_result_is_the_same_up_to_rounding(tmp_path, plain):
    layouts = Layouts()
    model = train(tmp_path, 3, [ChannelsLastHook(), layouts])
    close(weights(model), plain[1])
    assert all(model.seen) and len(model.seen) == 6
    assert layouts.after == [{True}] * 6


@pytest.mark.parametrize('hooks', [[], [ChannelsLastHook()]], ids=['without', 'with'])
@pytest.mark.parametrize('first', [[], [ChannelsLastHook()]], ids=['after plain', 'after its own'])
def test_resumed_from_either_layout(tmp_path, plain, first, hooks):
    train(tmp_path, 1, first)
    layouts = Layouts()
    model = train(
        tmp_path, 3, [*hooks, layouts], load_from=str(tmp_path / 'epoch_1.pth'), resume=True
    )
    close(weights(model), plain[1])
    assert all(model.seen) == bool(hooks)
    if hooks:
        assert layouts.after == [{True}] * 4  # momenta included


def test_the_averaged_model_is_the_same_too(tmp_path):
    averaged = []
    for name, hooks in (('plain', []), ('ours', [ChannelsLastHook()])):
        ema = EMAHook(momentum=0.3)
        train(tmp_path / name, 2, [ema, *hooks])
        averaged.append(weights(ema.ema_model.module))
        if hooks:
            assert is_channels_last(ema.ema_model.module.layers[0].weight)
    close(averaged[1], averaged[0])


@pytest.mark.parametrize('training_only', [True, False])
def test_validation_in_the_usual_layout(tmp_path, plain, training_only):
    model = train(
        tmp_path, 3, [ChannelsLastHook(training_only=training_only)],
        val_dataloader={'dataset': Images(), 'sampler': {'type': 'DefaultSampler'}},
        val_cfg={}, val_evaluator=[Counts()],
    )  # fmt: skip
    close(weights(model), plain[1])
    # Two steps of training and eight images of validation, three times.
    assert model.seen == ([True] * 2 + [not training_only] * 8) * 3


def test_testing_in_the_usual_layout():
    hook, runner = ChannelsLastHook(training_only=True), SimpleNamespace(model=Net())
    hook.before_run(runner)
    assert is_channels_last(runner.model.layers[0].weight)
    hook.before_test_epoch(runner)
    assert not is_channels_last(runner.model.layers[0].weight)
    assert not runner.model.data_preprocessor._forward_hooks


def test_once_the_run_is_over_inputs_are_left_alone():
    hook, runner = ChannelsLastHook(), SimpleNamespace(model=Net())
    for _ in range(2):  # train, then test
        hook.before_run(runner)
    assert len(runner.model.data_preprocessor._forward_hooks) == 1
    hook.after_run(runner)
    assert not runner.model.data_preprocessor._forward_hooks


def test_several_optimizers():
    model = Net()
    parameters = list(model.parameters())
    optimizers = [torch.optim.Adam(parameters[:1]), torch.optim.Adam(parameters[1:])]
    model(Images().images, mode='loss')['loss'].backward()
    for optimizer in optimizers:
        optimizer.step()
    wrappers = {str(i): SimpleNamespace(optimizer=o) for i, o in enumerate(optimizers)}
    runner = SimpleNamespace(model=model, optim_wrapper=SimpleNamespace(optim_wrappers=wrappers))
    ChannelsLastHook().before_train(runner)
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            if parameter.ndim == 4:
                assert is_channels_last(parameter) and is_channels_last(state['exp_avg'])
            assert state['step'].ndim == 0


@pytest.mark.parametrize(
    'value, converted',
    [
        pytest.param(torch.rand(2, 3, 4, 4), [True], id='images'),
        pytest.param([torch.rand(2, 3, 4, 4)] * 2, [True, True], id='views'),
        pytest.param(torch.rand(2, 3), [False], id='no images'),
    ],
)
def test_channels_last(value, converted):
    found = channels_last(value)
    pairs = zip(found, value, strict=True) if isinstance(value, list) else [(found, value)]
    for (now, before), expected in zip(pairs, converted, strict=True):
        assert is_channels_last(now) == expected and torch.equal(now, before)


def test_a_model_without_preprocessor_is_refused():
    with pytest.raises(ValueError, match='Linear without a data_preprocessor'):
        ChannelsLastHook().before_run(SimpleNamespace(model=nn.Linear(1, 1)))


def test_mmdetection_and_mmpretrain_find_it():
    pytest.importorskip('mmpretrain')
    from mmdet.registry import HOOKS as DETECTION  # noqa: N811
    from mmpretrain.registry import HOOKS as PRETRAINING  # noqa: N811

    for registry in (HOOKS, DETECTION, PRETRAINING):
        assert registry.get('ChannelsLastHook') is ChannelsLastHook
