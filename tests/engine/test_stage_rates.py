"""Learning rates of fresh stages: the rule by hand, and what the optimizer steps with."""

import pytest
import torch
from mmengine.hooks import Hook
from stepwise_unfreeze_toys import (
    ADAM,
    BATCHES_PER_EPOCH,
    LAYER4_SLOWER,
    Recorder,
    by_iterations,
    detector,
    log_text,
    optim,
    stage_of,
    toy_runner,
)

from mmdet_liver.engine.hooks.stage_rates import StageRates, check_rise, lr_factors_at
from mmdet_liver.errors import InputError

STEPS = ((0, 4), (10, 3), (20, 1), (30, -1))
AGAIN = ((0, 2), (10, 4), (20, 2))
PER_PARAMETER = {'bias_lr_mult': 1}
FRESH = {'fresh_lr_factor': 0.2, 'lr_rise': 2}


@pytest.mark.parametrize(
    ('position', 'schedule', 'factors'),
    [
        pytest.param(9, STEPS, (0, 0, 0, 0, 0), id='all frozen'),
        pytest.param(10, STEPS, (0, 0, 0, 0, 0.2), id='thaws'),
        pytest.param(11, STEPS, (0, 0, 0, 0, 0.4), id='a quarter of the rise'),
        pytest.param(13, STEPS, (0, 0, 0, 0, 0.8), id='three quarters'),
        pytest.param(14, STEPS, (0, 0, 0, 0, 1), id='risen'),
        pytest.param(20, STEPS, (0, 0, 0.2, 0.2, 1), id='two thaw at once'),
        pytest.param(32, STEPS, (0.6, 0.6, 1, 1, 1), id='the last'),
        pytest.param(0, ((0, -1),), (1, 1, 1, 1, 1), id='nothing is ever fresh'),
        pytest.param(3, AGAIN, (0, 0, 0, 1, 1), id='trains from the start'),
        pytest.param(10, AGAIN, (0, 0, 0, 0, 0), id='frozen again'),
        pytest.param(20, AGAIN, (0, 0, 0, 0.2, 0.2), id='thaws again'),
        pytest.param(2, ((0, 4), (1, 3), (3, 2)), (0, 0, 0, 0, 0.4), id='next entry to come'),
    ],
)
def test_lr_factors_at(position, schedule, factors):
    assert lr_factors_at(position, schedule, 0.2, 4) == pytest.approx(factors)


def test_factors_of_a_fraction_of_the_run():
    factors = lr_factors_at(0.55, ((0, 4), (0.5, -1)), 0.5, 0.1)
    assert factors == pytest.approx((0.75,) * 5)


@pytest.mark.parametrize(
    ('factor', 'rise', 'unit', 'complaint'),
    [
        pytest.param(0, 5, 'epoch', 'above 0, at most 1', id='no rate at all'),
        pytest.param(1.5, 5, 'epoch', 'above 0, at most 1', id='above the rate'),
        pytest.param('0.1', 5, 'epoch', 'above 0, at most 1', id='text'),
        pytest.param(float('nan'), 5, 'epoch', 'above 0, at most 1', id='nan'),
        pytest.param(0.1, -1, 'epoch', 'a length in the unit', id='falls'),
        pytest.param(0.1, 5, 'fraction', '0 to 1', id='epochs as fraction'),
        pytest.param(0.1, 0, 'epoch', 'or neither', id='never rises'),
        pytest.param(1.0, 5, 'epoch', 'or neither', id='nothing to rise'),
    ],
)
def test_meaningless_factors_are_refused(factor, rise, unit, complaint):
    with pytest.raises(InputError, match=complaint):
        check_rise(factor, rise, unit)


class StepRates(Hook):
    """The rates of layer3, layer4 and the head within each step, and those left in the groups."""

    priority = 'LOWEST'  # registered with the optimizer after the factors are

    def __init__(self) -> None:
        self.within: list[list[float]] = []
        self.between: list[list[float]] = []

    def before_train(self, runner) -> None:
        parts = {id(p): stage_of(n) for n, p in detector(runner).named_parameters()}
        self.optimizer = runner.optim_wrapper.optimizer
        self.stages = [parts[id(group['params'][0])] for group in self.optimizer.param_groups]
        self.optimizer.register_step_pre_hook(lambda *_: self.within.append(self.rates()))

    def after_train_iter(self, runner, *args, **kwargs) -> None:
        self.between.append(self.rates())

    def rates(self) -> list[float]:
        groups = self.optimizer.param_groups
        by_stage = {s: {g['lr'] for g, t in zip(groups, self.stages, strict=True) if t == s}
                    for s in (3, 4, 5)}  # fmt: skip
        assert all(len(rates) == 1 for rates in by_stage.values())
        return [rates.pop() for rates in by_stage.values()]


# The kinds of MMEngine: from the rate before (step, linear), from the base as well (cosine).
SCHEDULERS = [
    {'type': 'LinearLR', 'start_factor': 0.1, 'by_epoch': False, 'begin': 0, 'end': 5},
    {'type': 'MultiStepLR', 'milestones': [3], 'gamma': 0.1, 'by_epoch': True},
    {'type': 'CosineAnnealingLR', 'T_max': 6, 'eta_min': 1e-5, 'by_epoch': True},
]


def run(path, unfreezing, wrapper, *hooks, **kwargs):
    steps, recorder = StepRates(), Recorder()
    runner = toy_runner(
        path,
        [(0, 4), (1, 3), (2, 2)],
        epochs=6,
        unfreezing=unfreezing,
        hooks=(steps, recorder, *hooks),
        optim_wrapper=wrapper,
        **kwargs,
    )
    runner.train()
    return runner, steps, recorder


def test_schedulers_never_see_the_factors(tmp_path):
    wrapper = optim(ADAM, paramwise_cfg=LAYER4_SLOWER)
    _, plain, _ = run(tmp_path / 'plain', {}, wrapper, param_scheduler=SCHEDULERS)
    runner, fresh, _ = run(tmp_path / 'fresh', FRESH, wrapper, param_scheduler=SCHEDULERS)
    assert fresh.between == plain.between  # to the bit
    by_epoch = [[0, 0, 1], [0, 0.2, 1], [0.2, 0.6, 1], [0.6, 1, 1], [1, 1, 1], [1, 1, 1]]
    factors = [epoch for epoch in by_epoch for _ in range(BATCHES_PER_EPOCH)]
    for within, scheduled, factor in zip(fresh.within, plain.within, factors, strict=True):
        assert within == pytest.approx([f * r for f, r in zip(factor, scheduled, strict=True)])
    first = plain.within[2 * BATCHES_PER_EPOCH]
    assert f'layer3 lr {0.2 * first[0]:g}, layer4 lr {0.6 * first[1]:g}' in log_text(runner)


@pytest.mark.parametrize('optimizer', [{'type': 'SGD', 'lr': 0.1}, ADAM], ids=['sgd', 'adam'])
def test_a_fresh_stage_moves_by_the_factor(tmp_path, optimizer):
    wrapper = optim(optimizer, paramwise_cfg=PER_PARAMETER)
    moves = []
    for name, unfreezing in (('plain', {}), ('fresh', FRESH)):
        _, _, recorder = run(tmp_path / name, unfreezing, wrapper)
        before, after = recorder.iterations[BATCHES_PER_EPOCH - 1 : BATCHES_PER_EPOCH + 1]
        moves.append({name: after[name] - before[name] for name in after})
    weights = [n for n in moves[0] if n.endswith('.weight') and stage_of(n) >= 4]
    assert {stage_of(name) for name in weights} == {4, 5}
    for name in weights:
        factor = 0.2 if stage_of(name) == 4 else 1.0
        torch.testing.assert_close(moves[1][name], moves[0][name] * factor, rtol=1e-3, atol=1e-6)


def test_iterations_rise_one_by_one(tmp_path):
    steps = StepRates()
    by_iterations(
        tmp_path,
        steps,
        unfreezing={'fresh_lr_factor': 0.2, 'lr_rise': 0.5},
        optim_wrapper=optim(paramwise_cfg=PER_PARAMETER),
    ).train()
    layer4 = [rates[1] / 0.01 for rates in steps.within]
    assert layer4 == pytest.approx([0, 0, 0, 0.2, 0.2 + 0.8 / 3, 0.2 + 1.6 / 3])


def test_without_a_factor_one_group_is_enough(tmp_path):
    runner = toy_runner(tmp_path, [(0, 4), (1, -1)], epochs=2, optim_wrapper=optim())
    runner.train()
    assert (runner.epoch, len(runner.optim_wrapper.param_groups)) == (2, 1)


def test_groups_over_several_stages_are_refused_with_the_line_to_add(tmp_path):
    runner = toy_runner(tmp_path, [(0, 4), (1, -1)], unfreezing=FRESH, optim_wrapper=optim())
    with pytest.raises(InputError) as caught:
        runner.train()
    assert 'add paramwise_cfg=dict(bias_lr_mult=1) to optim_wrapper' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_the_line_changes_nothing_else(tmp_path):
    def final(name, **kwargs):
        _, _, recorder = run(tmp_path / name, {}, optim(ADAM, paramwise_cfg=kwargs))
        return recorder.epochs[-1]

    one, each = final('one', norm_decay_mult=1.0), final('each', **PER_PARAMETER)
    assert all(torch.equal(one[name], each[name]) for name in one)


def test_the_groups_keep_the_same_object_even_for_a_tensor_rate():
    parameter = torch.nn.Parameter(torch.ones(1))
    rate = torch.tensor(0.5)
    optimizer = torch.optim.SGD([parameter], lr=rate)
    rates = StageRates([optimizer], {id(parameter): 2})
    rates.factors = (1.0, 1.0, 0.5, 1.0, 1.0)
    parameter.grad = torch.ones(1)
    optimizer.step()
    assert parameter.item() == 0.75
    assert optimizer.param_groups[0]['lr'] is rate
    assert rates.factor_of(parameter) == 0.5
    assert rates.factor_of(torch.nn.Parameter(torch.ones(1))) == 1.0


def test_a_training_after_an_interrupted_one_scales_once(tmp_path):
    steps = StepRates()
    runner = toy_runner(
        tmp_path,
        [(0, 4), (1, -1)],
        epochs=2,
        unfreezing=FRESH,
        hooks=(steps,),
        optim_wrapper=optim(paramwise_cfg=PER_PARAMETER),
    )
    runner.train()
    (hook,) = [hook for hook in runner.hooks if type(hook).__name__ == 'StepwiseUnfreezeHook']
    hook.before_train(runner)  # and no after_train
    detector(runner).backbone.frozen_stages = -1
    hook.before_train(runner)
    hook._rates.factors = (0.5,) * 5
    seen = []
    steps.optimizer.register_step_pre_hook(lambda *_: seen.append(steps.rates()))
    steps.optimizer.step()
    assert seen == [[0.005, 0.005, 0.01]]
    hook.after_train(runner)
    steps.optimizer.step()
    assert seen[1] == [0.01, 0.01, 0.01]
