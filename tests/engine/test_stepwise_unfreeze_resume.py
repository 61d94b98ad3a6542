"""A run killed and resumed across an unfreezing is bit-equal to the uninterrupted one."""

import copy

import pytest
import torch
from stepwise_unfreeze_toys import (
    ADAM,
    LAYER4_SLOWER,
    Recorder,
    by_iterations,
    log_text,
    optim,
    tensors,
    toy_runner,
)


class KilledError(Exception):
    """Stands for the end of a process."""


class KillAt(Recorder):
    def __init__(self, **at):
        super().__init__()
        self.at = at

    def before_train_epoch(self, runner):
        if runner.epoch == self.at.get('epoch'):
            raise KilledError

    def before_train_iter(self, runner, *args, **kwargs):
        if runner.iter == self.at.get('iteration'):
            raise KilledError


def assert_same(left, right):
    """Bit-equal through all levels of a state dict."""
    assert type(left) is type(right)
    if isinstance(left, torch.Tensor):
        assert torch.equal(left, right)
    elif isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, list):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    else:
        assert left == right


RISING = {'fresh_lr_factor': 0.1, 'lr_rise': 2}
RESUMED = {
    'optim_wrapper': optim(ADAM, paramwise_cfg=LAYER4_SLOWER),
    'param_scheduler': [{'type': 'CosineAnnealingLR', 'T_max': 5, 'by_epoch': True}],
}


@pytest.mark.parametrize(
    ('killed_before', 'latest', 'unfreezing'),
    [
        pytest.param(1, True, {}, id='while frozen, on to the thaw'),
        pytest.param(2, True, {}, id='at the thaw'),
        pytest.param(3, False, {}, id='between thaws, checkpoint named'),
        pytest.param(4, True, {}, id='at the last thaw'),
        pytest.param(3, True, RISING, id='while a learning rate rises'),
        pytest.param(1, True, {'norm_stats': 'always'}, id='frozen, statistics follow'),
    ],
)
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, killed_before, latest, unfreezing):
    def run(folder, *hooks, **kwargs):
        runner = toy_runner(
            tmp_path / folder,
            [(0, 4), (2, 3), (4, -1)],
            epochs=5,
            hooks=({'type': 'EMAHook', 'momentum': 0.3, 'update_buffers': True}, *hooks),
            val=True,
            unfreezing=unfreezing,
            **copy.deepcopy({**RESUMED, **kwargs}),
        )
        runner.train()
        return runner

    whole = run('whole')
    with pytest.raises(KilledError):
        run('killed', KillAt(epoch=killed_before))
    recorder = Recorder()
    named = {} if latest else {'load_from': f'{tmp_path}/killed/epoch_{killed_before}.pth'}
    resumed = run('killed', recorder, resume=True, **named)

    assert len(recorder.epochs) == 5 - killed_before
    assert_same(tensors(whole), tensors(resumed))
    assert_same(whole.optim_wrapper.state_dict(), resumed.optim_wrapper.state_dict())
    assert f'epoch {killed_before} of 5 (0-based), frozen_stages' in log_text(resumed)
    saved = [
        torch.load(f'{tmp_path}/{name}/epoch_5.pth', weights_only=False)
        for name in ('whole', 'killed')
    ]
    assert_same(saved[0]['state_dict'], saved[1]['state_dict'])  # what EMA averaged


@pytest.mark.parametrize('killed_before', [2, 3, 4])
def test_resumed_run_by_iterations(tmp_path, killed_before):
    whole = by_iterations(tmp_path / 'whole')
    whole.train()
    with pytest.raises(KilledError):
        by_iterations(tmp_path / 'killed', KillAt(iteration=killed_before)).train()
    recorder = Recorder()
    resumed = by_iterations(tmp_path / 'killed', recorder, resume=True)
    resumed.train()
    assert len(recorder.iterations) == 6 - killed_before
    assert_same(tensors(whole), tensors(resumed))
    assert_same(whole.optim_wrapper.state_dict(), resumed.optim_wrapper.state_dict())
