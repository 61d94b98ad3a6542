import math

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmdet_liver.engine.hooks.collapse_monitor_hook import (
    CollapseMonitorHook,
    effective_rank,
    output_std,
)

torch.manual_seed(0)
GAUSSIAN = torch.randn(512, 64)


@pytest.mark.parametrize(
    'z, std, rank',
    [
        pytest.param(torch.ones(8, 5), 0, 1, id='one point'),
        pytest.param(torch.arange(1.0, 9)[:, None] * torch.ones(5), 0, 1, id='one direction'),
        # each dimension: three 0 and one 1, variance 1/4 - 1/16
        pytest.param(torch.eye(4), math.sqrt(3) / 4, 4, id='one-hot'),
        # half of the batch +1, half -1 in the first dimension: std 1, 0, mean 1/2
        pytest.param(torch.tensor([[1.0, 0], [-1, 0]]), 0.5, 1, id='two poles'),
        # singular values sqrt(3), 1: shares 0.634, 0.366
        pytest.param(
            torch.eye(2)[[0, 0, 0, 1]], math.sqrt(3) / 4, 1.9283, id='unequally strong directions'
        ),
        pytest.param(torch.zeros(4, 3), 0, 1, id='all zero'),
    ],
)
def test_by_hand(z, std, rank):
    assert output_std(z) == pytest.approx(std, abs=1e-7)
    assert effective_rank(z) == pytest.approx(rank, abs=1e-3)


def test_isotropic_outputs_are_healthy():
    assert output_std(GAUSSIAN) == pytest.approx(1 / 8, rel=0.01)
    assert 60 < effective_rank(GAUSSIAN) <= 64
    assert output_std(10 * GAUSSIAN) == pytest.approx(output_std(GAUSSIAN))


def test_not_finite_is_nan():
    assert math.isnan(effective_rank(torch.full((4, 3), math.nan)))


class Toy(BaseModel):
    """A model whose neck gives `outputs` in a tuple, as MMPretrain's necks do."""

    def __init__(self, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.outputs = outputs
        self.neck = nn.Module()
        self.neck.forward = lambda: (self.outputs,)

    def forward(self, inputs, mode='loss'):
        self.neck()
        return dict(loss=self.weight.sum())


def run_toy(tmp_path, model, iters=12, **options):
    runner = Runner(
        model=model,
        work_dir=str(tmp_path),
        train_dataloader=DataLoader([dict(inputs=torch.ones(1))] * iters),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=None),
        custom_hooks=[dict(type='CollapseMonitorHook', interval=2, **options)],
        experiment_name=tmp_path.name,
    )
    runner.train()
    return runner


def scalars(runner, name):
    return runner.message_hub.get_scalar(f'train/selfsup/{name}')


def test_values_reach_the_log(tmp_path):
    runner = run_toy(tmp_path, Toy(torch.eye(4)))
    history, _ = scalars(runner, 'output_std').data
    assert len(history) == 6  # every second of 12 iterations
    assert scalars(runner, 'output_std').current() == pytest.approx(math.sqrt(3) / 4)
    assert scalars(runner, 'output_std_ratio').current() == pytest.approx(math.sqrt(3) / 2)
    assert scalars(runner, 'effective_rank').current() == pytest.approx(4)
    assert not runner.model.neck._forward_hooks


@pytest.mark.parametrize(
    'outputs, patience, warnings',
    [
        pytest.param(torch.ones(8, 5), 3, 1, id='collapsed: once'),
        pytest.param(torch.ones(8, 5), 7, 0, id='collapsed, fewer checks than patience'),
        pytest.param(torch.full((8, 5), math.nan), 3, 1, id='not finite'),
        pytest.param(GAUSSIAN, 3, 0, id='healthy'),
    ],
)
def test_warning(tmp_path, outputs, patience, warnings):
    run_toy(tmp_path, Toy(outputs), patience=patience)
    log = ''.join(path.read_text() for path in tmp_path.rglob('*.log'))
    assert log.count('has collapsed') == warnings


@pytest.mark.parametrize('option', ['interval', 'patience'])
def test_wrong_options(option):
    with pytest.raises(ValueError, match='1 or more'):
        CollapseMonitorHook(**{option: 0})


def test_model_without_neck(tmp_path):
    model = Toy(GAUSSIAN)
    model.neck = None
    with pytest.raises(ValueError, match='has none'):
        run_toy(tmp_path, model)
