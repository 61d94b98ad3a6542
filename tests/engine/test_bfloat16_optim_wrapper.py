"""A step in bfloat16 is that of a loop written by hand; everything that is kept is float32."""

import copy

import pytest
import torch
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmengine.optim import build_optim_wrapper
from torch import nn

from mmdet_liver import compat

compat.install()

import mmdet_liver.plugin  # noqa: E402, F401

OPTIMIZER = dict(type='AdamW', lr=1e-2)


class Net(BaseModel):
    """Notes the precision of its features."""

    def __init__(self):
        super().__init__(ImgDataPreprocessor())
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 2, 3))
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        out = self.layers(inputs)
        self.seen.append(out.dtype)
        return {'loss': out.float().square().mean()} if mode == 'loss' else [out]


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


def batches():
    generator = torch.Generator().manual_seed(0)
    return [{'inputs': torch.randn(2, 3, 16, 16, generator=generator)} for _ in range(4)]


def by_hand(net, counts):
    """Autocast, backward, and a step every `counts` batches."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for i, batch in enumerate(batches(), 1):
        with torch.autocast('cpu', torch.bfloat16):
            loss = net(**batch, mode='loss')['loss'] / counts
        loss.backward()
        if i % counts == 0:
            optimizer.step()
            optimizer.zero_grad()
    return net.state_dict()


@pytest.mark.parametrize('counts', [1, 2])
def test_steps_are_those_written_by_hand(net, counts):
    expected = by_hand(copy.deepcopy(net), counts)
    plain = copy.deepcopy(net)
    settings = dict(optimizer=OPTIMIZER, accumulative_counts=counts)
    wrapper = build_optim_wrapper(net, dict(type='BFloat16OptimWrapper', **settings))
    wrapper.initialize_count_status(net, 0, 4)
    for batch in batches():
        net.train_step(batch, wrapper)
    assert net.seen == [torch.bfloat16] * 4
    torch.testing.assert_close(dict(net.state_dict()), dict(expected), rtol=0, atol=0)
    plain_wrapper = build_optim_wrapper(plain, dict(type='OptimWrapper', **settings))
    plain_wrapper.initialize_count_status(plain, 0, 4)
    for batch in batches():
        plain.train_step(batch, plain_wrapper)
    assert not torch.equal(plain.layers[0].weight, net.layers[0].weight)


def test_what_is_kept_is_float32(net):
    wrapper = build_optim_wrapper(
        net, dict(type='BFloat16OptimWrapper', optimizer=OPTIMIZER, clip_grad=dict(max_norm=1))
    )
    net.train_step(batches()[0], wrapper)
    state = wrapper.optimizer.state[net.layers[0].weight]
    kept = [*net.parameters(), net.layers[1].running_var, state['exp_avg'], state['exp_avg_sq']]
    assert {tensor.dtype for tensor in kept} == {torch.float32}
    net.val_step(batches()[0])
    assert net.seen[-1] == torch.float32
