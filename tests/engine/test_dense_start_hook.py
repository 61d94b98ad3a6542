import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmdet_liver import compat

compat.install()

import mmpretrain.engine  # noqa: E402, F401

from mmdet_liver.engine.hooks.dense_start_hook import (  # noqa: E402
    DenseStartHook,
    dense_start,
)
from mmdet_liver.errors import InputError  # noqa: E402


@pytest.mark.parametrize(
    'wanted, share, iterations, expected',
    [
        pytest.param(1000, 0.1, 60000, 1000, id='long run: as wanted'),
        pytest.param(1000, 0.1, 1000, 100, id='BUSI: 200 epochs of 5 steps'),
        pytest.param(1000, 0.1, 1009, 100, id='whole steps'),
        pytest.param(1000, 0.1, 9, 0, id='from the first step'),
        pytest.param(40, 0.8, 52, 40, id='just as long'),
    ],
)
def test_dense_start(wanted, share, iterations, expected):
    assert dense_start(wanted, share, iterations) == expected


class Toy(BaseModel):
    """What DenseCLHook sets, noted at each step."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.loss_lambda = 0.5
        self.seen = []

    def forward(self, inputs, mode='loss'):
        self.seen.append(self.loss_lambda)
        return dict(loss=self.weight.sum())


DENSE = dict(type='mmpretrain.DenseCLHook', start_iters=1000)


def seen_in(work_dir, hooks, by_epoch=True):
    loop = dict(by_epoch=True, max_epochs=2) if by_epoch else dict(by_epoch=False, max_iters=20)
    runner = Runner(
        model=Toy(),
        work_dir=str(work_dir),
        train_dataloader=DataLoader([dict(inputs=torch.ones(1))] * 10, batch_size=1),
        train_cfg=loop,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=hooks,
        experiment_name=work_dir.name,
    )
    runner.train()
    return runner.model.seen


@pytest.mark.parametrize('by_epoch', [True, False])
@pytest.mark.parametrize('first', [True, False], ids=['before the other', 'after it'])
def test_short_run_trains_the_dense_loss(tmp_path, by_epoch, first):
    ours = dict(type='DenseStartHook', max_share=0.3)
    hooks = [ours, DENSE] if first else [DENSE, ours]
    assert seen_in(tmp_path, hooks, by_epoch) == [0] * 6 + [0.5] * 14


def test_warmup_that_is_short_enough_stays(tmp_path):
    hooks = [dict(DENSE, start_iters=2), dict(type='DenseStartHook', max_share=0.3)]
    assert seen_in(tmp_path, hooks) == [0] * 2 + [0.5] * 18


def test_without_the_hook_that_it_sets(tmp_path):
    with pytest.raises(InputError, match='found no DenseCLHook'):
        seen_in(tmp_path, [dict(type='DenseStartHook')])


@pytest.mark.parametrize('share', [-0.1, 1])
def test_share_out_of_range(share):
    with pytest.raises(InputError, match='expected 0 to below 1'):
        DenseStartHook(share)
