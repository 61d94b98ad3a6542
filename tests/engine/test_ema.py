"""MMEngine's EMAHook, as the configs set it, beside StepwiseUnfreezeHook."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from stepwise_unfreeze_toys import (
    BATCHES_PER_EPOCH,
    Recorder,
    changed,
    detector,
    stage_of,
    tensors,
    toy_runner,
)

from mmdet_liver.paths import config_root

EMA = Config.fromfile(config_root() / '_base_/schedules/ema.py').ema.to_dict()
SCHEDULE = [(0, 4), (2, 3), (3, -1)]
EPOCHS = 4
SAVE_BEST = {'type': 'CheckpointHook', 'interval': 1, 'save_best': 'score', 'rule': 'greater'}


def stages_of(names):
    return {stage_of(name) for name in names}


class Validated(Hook):
    """The weights that validation ran on."""

    def __init__(self) -> None:
        self.epochs: list[dict] = []

    def before_val_iter(self, runner, batch_idx, data_batch=None) -> None:
        if batch_idx == 0:
            self.epochs.append(tensors(runner))


class RisesThenFalls(BaseMetric):
    def __init__(self) -> None:
        super().__init__()
        self.scores = iter([0.1, 0.2, 0.9, 0.3])

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {'score': next(self.scores)}


@pytest.fixture
def trained(tmp_path):
    recorder, validated = Recorder(), Validated()
    options = {
        'hooks': (copy.deepcopy(EMA), recorder, validated),
        'val': RisesThenFalls(),
        'default_hooks': {'checkpoint': SAVE_BEST},
    }
    runner = toy_runner(tmp_path, SCHEDULE, epochs=EPOCHS, **options)
    runner.train()
    return runner, recorder, validated


def load(runner, name):
    (path,) = Path(runner.work_dir).glob(name)
    return torch.load(path, weights_only=False)['state_dict']


def test_validation_and_best_checkpoint_have_the_averaged_weights(trained):
    runner, recorder, validated = trained
    best = load(runner, 'best_score_epoch_3.pth')
    assert changed(best, validated.epochs[2]) == set()
    assert changed(load(runner, 'epoch_3.pth'), best) == set()
    # And training goes on from its own weights, not from the average.
    assert stages_of(changed(best, recorder.epochs[2])) >= {4, 5}


def test_what_is_frozen_is_not_averaged_away(trained):
    runner, recorder, validated = trained
    for epoch, frozen in enumerate(({0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {0, 1, 2, 3})):
        assert not stages_of(changed(recorder.first, validated.epochs[epoch])) & frozen
    # Thawed at last: the average has left its first value, statistics included.
    thawed = changed(recorder.first, validated.epochs[3])
    assert 'backbone.bn1.running_mean' in thawed
    assert stages_of(thawed) == {0, 1, 2, 3, 4, 5}


def test_average_by_hand(trained):
    runner, recorder, _ = trained
    momentum, gamma = EMA['momentum'], EMA['gamma']
    names = [n for n, t in recorder.first.items() if t.is_floating_point()]
    average = {name: recorder.iterations[0][name] for name in names}  # step 0 copies
    for step in range(1, EPOCHS * BATCHES_PER_EPOCH):
        # As ExpMomentumEMA defines it.
        weight = (1 - momentum) * torch.exp(torch.tensor(-(1 + step) / gamma)).item() + momentum
        now = recorder.iterations[step]
        average = {n: a + weight * (now[n] - a) for n, a in average.items()}
    saved = load(runner, f'epoch_{EPOCHS}.pth')
    for name in names:
        torch.testing.assert_close(saved[name], average[name], rtol=1e-4, atol=1e-6)
    assert set(saved) == set(detector(runner).state_dict())
