"""StepwiseUnfreezeHook in real runs of a toy detector, one process."""

import pytest
import torch
from stepwise_unfreeze_toys import (
    ADAM,
    BATCHES_PER_EPOCH,
    LAYER4_SLOWER,
    PLAIN,
    Recorder,
    ToyDetector,
    by_iterations,
    changed,
    detector,
    log_text,
    optim,
    stage_of,
    toy_detector,
    toy_runner,
)

# Epoch by epoch, written out: the stages (0 the stem, 5 the head) that train.
ONE_BY_ONE = [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0), (5, -1)]
TRAINING = [{5}, {4, 5}, {3, 4, 5}, {2, 3, 4, 5}, {1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}]


def assert_followed(recorder, training_by_iteration):
    """In each iteration exactly the tensors of these stages changed, buffers included."""
    before = recorder.first
    for after, stages, trains in zip(
        recorder.iterations, training_by_iteration, recorder.trains, strict=True
    ):
        expected = {name for name in before if stage_of(name) in stages}
        assert changed(before, after) == expected
        assert {stage_of(name) for name in trains} == stages
        before = after


@pytest.mark.parametrize(
    'wrapper',
    [
        pytest.param(optim(), id='sgd'),
        pytest.param(
            optim({**PLAIN, 'momentum': 0.9, 'weight_decay': 0.01}), id='momentum and decay'
        ),
        pytest.param(
            optim({**PLAIN, 'weight_decay': 0.01}, paramwise_cfg={'norm_decay_mult': 0.0}),
            id='paramwise_cfg',
        ),
        pytest.param(optim(ADAM, paramwise_cfg=LAYER4_SLOWER), id='adam and custom_keys'),
        pytest.param(optim(ADAM, clip_grad={'max_norm': 1.0}), id='clipped gradients'),
    ],
)
def test_frozen_is_bit_equal_and_thawed_learns_at_once(tmp_path, wrapper):
    recorder = Recorder()
    runner = toy_runner(
        tmp_path, ONE_BY_ONE, epochs=6, hooks=(recorder,), optim_wrapper=wrapper, val=True
    )
    runner.train()
    assert len(recorder.iterations) == 6 * BATCHES_PER_EPOCH
    assert_followed(recorder, [s for s in TRAINING for _ in range(BATCHES_PER_EPOCH)])


def test_fraction_of_the_run_by_epochs(tmp_path):
    recorder = Recorder()
    schedule = [(0, 4), (0.3, 3), (0.5, -1)]  # of 4 epochs: from epochs 0, 2 (2 / 4 passes both)
    toy_runner(tmp_path, schedule, epochs=4, unit='fraction', hooks=(recorder,)).train()
    assert len(recorder.iterations) == 4 * BATCHES_PER_EPOCH
    assert_followed(recorder, [TRAINING[0]] * 4 + [TRAINING[5]] * 4)


def test_fraction_of_the_run_by_iterations(tmp_path):
    recorder = Recorder()
    runner = by_iterations(tmp_path, recorder)
    runner.train()
    assert_followed(recorder, [TRAINING[0]] * 3 + [TRAINING[1]] * 2 + [TRAINING[5]])
    assert 'iteration 3 of 6 (0-based), frozen_stages 4 -> 3' in log_text(runner)


def test_backbone_of_yolox(tmp_path):
    from mmdet.models.backbones import CSPDarknet

    recorder = Recorder()
    torch.manual_seed(0)
    backbone = CSPDarknet(deepen_factor=0.33, widen_factor=1 / 32, out_indices=(4,))
    schedule = [(0, 4), (1, 3), (2, -1)]
    toy_runner(tmp_path, schedule, model=ToyDetector(backbone), hooks=(recorder,)).train()
    parts = [
        {name.split('.')[1] for name in trains if 'head' not in name}
        for trains in recorder.trains[::BATCHES_PER_EPOCH]
    ]
    assert parts == [set(), {'stage4'}, {'stem', 'stage1', 'stage2', 'stage3', 'stage4'}]
    moved = changed(recorder.first, recorder.epochs[1])
    assert {name.split('.')[1] for name in moved if 'head' not in name} == {'stage4'}


def test_learning_rate_factor_of_a_stage(tmp_path):
    def first_step(name, paramwise_cfg):
        recorder = Recorder()
        wrapper = optim({'type': 'SGD', 'lr': 1.0}, paramwise_cfg=paramwise_cfg)
        toy_runner(
            tmp_path / name, [(0, -1)], epochs=1, hooks=(recorder,), optim_wrapper=wrapper
        ).train()
        return {n: recorder.iterations[0][n] - t for n, t in recorder.first.items()}

    full, slower = first_step('full', None), first_step('slower', LAYER4_SLOWER)
    weights = [name for name in full if name.endswith('conv1.weight')]
    assert len(weights) == 9
    for name in weights:
        factor = 0.1 if stage_of(name) == 4 else 1.0
        torch.testing.assert_close(slower[name], full[name] * factor, rtol=1e-3, atol=1e-6)


def test_batchnorm_frozen_by_the_config_stays_frozen(tmp_path):
    recorder = Recorder()
    model = toy_detector(norm_cfg={'type': 'BN', 'requires_grad': False}, norm_eval=True)
    # With paramwise_cfg these are left out of the optimizer, which is right for them.
    wrapper = optim({**PLAIN, 'weight_decay': 0.01}, paramwise_cfg={'norm_decay_mult': 0.0})
    schedule = [(0, 4), (1, -1)]
    toy_runner(tmp_path, schedule, model=model, hooks=(recorder,), optim_wrapper=wrapper).train()
    moved = {name for name in changed(recorder.first, recorder.epochs[-1]) if stage_of(name) < 5}
    convolutions = {
        name for name in recorder.first if 'conv' in name or name.endswith('downsample.0.weight')
    }
    assert moved == convolutions


def test_freezing_again_drops_accumulated_gradients(tmp_path):
    recorder = Recorder()
    wrapper = optim(accumulative_counts=3)  # a step falls into the second epoch of two batches
    toy_runner(
        tmp_path, [(0, -1), (1, 4)], epochs=2, hooks=(recorder,), optim_wrapper=wrapper
    ).train()
    moved = changed(recorder.epochs[0], recorder.epochs[1])
    assert {stage_of(name) for name in moved} == {5}


def test_log_tells_what_trains(tmp_path):
    runner = toy_runner(tmp_path, [(0, 4), (2, 3)], optim_wrapper=optim())
    runner.train()
    sizes = dict.fromkeys(range(6), 0)
    for name, parameter in detector(runner).named_parameters():
        sizes[stage_of(name)] += parameter.numel()
    backbone, head = sum(sizes.values()) - sizes[5], sizes[5]
    lines = [line for line in log_text(runner).splitlines() if 'StepwiseUnfreezeHook,' in line]
    assert len(lines) == 2
    assert lines[0].endswith(
        f'epoch 0 of 3 (0-based), frozen_stages 4: 0 of {backbone:,} backbone parameters train '
        f'(nothing), {head:,} of {backbone + head:,} in the whole model'
    )
    assert lines[1].endswith(
        f'epoch 2 of 3 (0-based), frozen_stages 4 -> 3: {sizes[4]:,} of {backbone:,} backbone '
        f'parameters train (layer4 lr 0.01), {sizes[4] + head:,} of {backbone + head:,} in the '
        'whole model'
    )


@pytest.mark.parametrize(
    ('schedule', 'gamma', 'warning'),
    [
        pytest.param([(0, 4), (2, 3)], 0.005, 'layer4 thaws with learning rate', id='no rate left'),
        pytest.param([(0, 4), (2, 3)], 0.1, None, id='enough left'),
        pytest.param([(0, 4), (3, 3)], 1.0, 'the entry (3, 3) is never reached', id='too late'),
    ],
)
def test_stages_that_will_not_learn_are_warned_of(tmp_path, schedule, gamma, warning):
    scheduler = [{'type': 'MultiStepLR', 'milestones': [1], 'gamma': gamma}]
    runner = toy_runner(tmp_path, schedule, param_scheduler=scheduler)
    runner.train()
    lines = log_text(runner).splitlines()
    found = [line for line in lines if 'WARNING' in line and 'StepwiseUnfreezeHook' in line]
    assert len(found) == (warning is not None)
    assert warning is None or warning in found[0]
