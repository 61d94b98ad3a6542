"""StepwiseUnfreezeHook on two ranks: two real processes, gloo, MMEngine's own model wrapper."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from stepwise_unfreeze_toys import Recorder, changed, detector, stage_of, toy_runner

from mmdet_liver.errors import InputError

RANKS = 2
SCHEDULE = [(0, 4), (1, 3), (2, -1), (4, 2)]  # thaws twice, freezes again at last
TRAINING = [{5}, {4, 5}, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}, {3, 4, 5}]
BUFFERS = ('running_mean', 'running_var', 'num_batches_tracked')
OPTIMIZERS = {
    'sgd': {'optimizer': {'type': 'SGD', 'lr': 0.01, 'momentum': 0.9, 'weight_decay': 0.01}},
    'adam': {
        'optimizer': {'type': 'AdamW', 'lr': 0.001},
        'paramwise_cfg': {'custom_keys': {'backbone.layer4': {'lr_mult': 0.1}}},
    },
}


def run_rank(rank: int, folder: str) -> None:
    """All runs of one process; what was recorded is saved for the tests to compare."""
    torch.set_num_threads(1)
    os.environ['LOCAL_RANK'] = f'{rank}'  # MMEngine reads it when it wraps the model
    torch.distributed.init_process_group(
        'gloo',
        init_method=f'file://{folder}/meeting',
        rank=rank,
        world_size=RANKS,
        timeout=timedelta(seconds=120),
    )
    for name in OPTIMIZERS:
        _train(folder, f'{name}-{rank}', rank, optim_wrapper=OPTIMIZERS[name])
    sync = ({'type': 'SyncBuffersHook'},)
    _train(folder, f'synced-{rank}', rank, optim_wrapper=OPTIMIZERS['sgd'], hooks=sync)
    refused = {name: _refusal(folder, **options) for name, options in REFUSED.items()}
    never_freezes = toy_runner(Path(folder, 'free'), [(0, -1)], epochs=1, **_wrapped(False))
    never_freezes.train()
    torch.save(
        {**refused, 'epochs without freezing': never_freezes.epoch}, f'{folder}/refused-{rank}.pth'
    )
    torch.distributed.destroy_process_group()


REFUSED = {
    'find_unused_parameters off': {'find': False},
    'static graph': {'find': True, 'static_graph': True},
}


def _wrapped(find: bool, **kwargs: object) -> dict:
    wrapper = {'broadcast_buffers': False, 'find_unused_parameters': find, **kwargs}
    # MMEngine's default but for device_ids, which are for GPUs
    cfg = {'model_wrapper_cfg': {**wrapper, 'device_ids': None}}
    return {'launcher': 'pytorch', 'cfg': cfg, 'ranks': RANKS}


def _train(folder: str, name: str, rank: int, hooks: tuple = (), **kwargs: object) -> None:
    recorder = Recorder()
    runner = toy_runner(
        Path(folder, name[:-2]),
        SCHEDULE,
        epochs=len(TRAINING),
        hooks=(*hooks, recorder),
        **_wrapped(True),
        **kwargs,
    )
    runner.train()
    assert type(runner.model).__name__ == 'MMDistributedDataParallel'
    assert detector(runner) is runner.model.module
    record = {'first': recorder.first, 'epochs': recorder.epochs, 'trains': recorder.trains}
    torch.save(record, f'{folder}/{name}.pth')


def _refusal(folder: str, find: bool, **kwargs: object) -> str:
    runner = toy_runner(Path(folder, 'refused'), SCHEDULE, **_wrapped(find, **kwargs))
    try:
        runner.train()
    except InputError as error:
        return str(error)
    return ''


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp('ranks')
    torch.multiprocessing.spawn(run_rank, args=(f'{path}',), nprocs=RANKS)
    return path


def load(folder, name):
    return [torch.load(folder / f'{name}-{rank}.pth') for rank in range(RANKS)]


def is_buffer(name):
    return name.endswith(BUFFERS)


@pytest.mark.parametrize('name', [*OPTIMIZERS, 'synced'])
def test_parameters_are_bit_equal_over_ranks_after_each_epoch(folder, name):
    left, right = load(folder, name)
    assert len(left['epochs']) == len(TRAINING)
    for one, other in zip(left['epochs'], right['epochs'], strict=True):
        assert {n for n in changed(one, other) if not is_buffer(n)} == set()


@pytest.mark.parametrize('rank', range(RANKS))
@pytest.mark.parametrize('name', [*OPTIMIZERS, 'synced'])
def test_frozen_is_bit_equal_and_thawed_learns_on_each_rank(folder, name, rank):
    record = load(folder, name)[rank]
    before = record['first']
    for epoch, stages in enumerate(TRAINING):
        after = record['epochs'][epoch]
        assert changed(before, after) == {n for n in before if stage_of(n) in stages}
        before = after
    assert [{stage_of(n) for n in trains} for trains in record['trains'][::2]] == TRAINING


@pytest.mark.parametrize('name', OPTIMIZERS)
def test_running_means_of_thawed_stages_part(folder, name):
    left, right = load(folder, name)
    statistics = {n for n in left['first'] if n.endswith(('running_mean', 'running_var'))}
    for epoch, stages in enumerate(([], [4], [0, 1, 2, 3, 4])):
        parted = changed(left['epochs'][epoch], right['epochs'][epoch])
        assert parted == {n for n in statistics if stage_of(n) in stages}


def test_sync_buffers_hook_keeps_running_means_equal(folder):
    left, right = load(folder, 'synced')
    for one, other in zip(left['epochs'], right['epochs'], strict=True):
        assert changed(one, other) == set()


@pytest.mark.parametrize('name', REFUSED)
def test_wrapper_that_would_fail_at_the_second_step_is_refused(folder, name):
    for said in load(folder, 'refused'):
        assert 'put find_unused_parameters = True into the config' in said[name]


def test_wrapper_does_not_matter_where_nothing_freezes(folder):
    assert [said['epochs without freezing'] for said in load(folder, 'refused')] == [1, 1]
