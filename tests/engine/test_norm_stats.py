"""When BatchNorm's running statistics follow: `norm_stats` of StepwiseUnfreezeHook."""

import pytest
from stepwise_unfreeze_toys import (
    BATCHES_PER_EPOCH,
    Recorder,
    by_iterations,
    changed,
    stage_of,
    toy_detector,
    toy_runner,
)

from mmdet_liver.errors import InputError

BUFFERS = ('running_mean', 'running_var', 'num_batches_tracked')
SCHEDULE = [(0, 4), (1, 2), (2, -1)]
WEIGHTS = [{5}, {3, 4, 5}, {0, 1, 2, 3, 4, 5}]  # the stages that learn, epoch by epoch
ALL = {0, 1, 2, 3, 4}
STATISTICS = {'thawed': [set(), {3, 4}, ALL], 'always': [ALL] * 3, 'never': [set()] * 3}


def moved(before, after, *, buffers):
    return {n for n in changed(before, after) if n.endswith(BUFFERS) == buffers}


def assert_moved(records, weights, statistics):
    """Exactly the weights and running statistics of these stages moved, each record."""
    before = records[0]
    for after, learn, follow in zip(records[1:], weights, statistics, strict=True):
        named = {n for n in before if n.endswith(BUFFERS) and stage_of(n) in follow}
        assert moved(before, after, buffers=True) == named
        named = {n for n in before if not n.endswith(BUFFERS) and stage_of(n) in learn}
        assert moved(before, after, buffers=False) == named
        before = after


@pytest.mark.parametrize('norm_stats', STATISTICS)
def test_which_statistics_follow(tmp_path, norm_stats):
    recorder = Recorder()
    unfreezing = {'norm_stats': norm_stats}
    # Validation after each epoch puts the whole network into eval mode and back.
    toy_runner(tmp_path, SCHEDULE, unfreezing=unfreezing, hooks=(recorder,), val=True).train()
    statistics = [s for s in STATISTICS[norm_stats] for _ in range(BATCHES_PER_EPOCH)]
    weights = [w for w in WEIGHTS for _ in range(BATCHES_PER_EPOCH)]
    assert_moved([recorder.first, *recorder.iterations], weights, statistics)


def test_by_iterations(tmp_path):
    recorder = Recorder()
    by_iterations(tmp_path, recorder, unfreezing={'norm_stats': 'always'}).train()
    weights = [{5}] * 3 + [{4, 5}] * 2 + [ALL | {5}]
    assert_moved([recorder.first, *recorder.iterations], weights, [ALL] * 6)


def test_never_is_what_norm_eval_does(tmp_path):
    ends = []
    for name, norm_eval, unfreezing in (
        ('host', True, {}),
        ('ours', False, {'norm_stats': 'never'}),
    ):
        recorder, model = Recorder(), toy_detector(norm_eval=norm_eval)
        toy_runner(
            tmp_path / name, SCHEDULE, model=model, hooks=(recorder,), unfreezing=unfreezing
        ).train()
        ends.append(recorder.epochs[-1])
    assert changed(*ends) == set()


@pytest.mark.parametrize(
    ('norm_stats', 'norm_eval', 'complaint'),
    [
        pytest.param('sometimes', False, "'thawed', 'always' or 'never'", id='unknown'),
        pytest.param('always', True, 'set model.backbone.norm_eval=False', id='norm_eval beside'),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, norm_stats, norm_eval, complaint):
    model = toy_detector(norm_eval=norm_eval)
    with pytest.raises(InputError, match=complaint):
        toy_runner(tmp_path, SCHEDULE, model=model, unfreezing={'norm_stats': norm_stats}).train()
