"""The schedule's rule and its checks, without a model."""

import pytest

from mmdet_liver import compat
from mmdet_liver.errors import InputError

compat.install()

from mmdet_liver.engine.hooks.freezing import (  # noqa: E402
    checked_schedule,
    frozen_stages_at,
    unreached_entries,
)

STEPS = ((0, 4), (10, 3), (20, -1))
SHARES = ((0, 4), (0.1, 3), (0.7, -1))


@pytest.mark.parametrize(
    ('position', 'schedule', 'frozen'),
    [
        pytest.param(0, STEPS, 4, id='first epoch'),
        pytest.param(9, STEPS, 4, id='last frozen epoch'),
        pytest.param(10, STEPS, 3, id='first thawed epoch'),
        pytest.param(19, STEPS, 3, id='before the last entry'),
        pytest.param(299, STEPS, -1, id='long after'),
        pytest.param(29 / 300, SHARES, 4, id='just below a tenth'),
        pytest.param(30 / 300, SHARES, 3, id='a tenth'),
        # 0.7 * 10 is 7.000000000000001; the share of the run is compared, not the product.
        pytest.param(7 / 10, SHARES, -1, id='seven tenths exactly'),
        pytest.param(5, ((0, 2),), 2, id='one entry for ever'),
    ],
)
def test_frozen_stages_at(position, schedule, frozen):
    assert frozen_stages_at(position, schedule) == frozen


def test_every_decimal_share_starts_at_its_epoch():
    shares = [tenth / 10 for tenth in range(1, 10)]
    firsts = [
        next(e for e in range(300) if frozen_stages_at(e / 300, ((0, 4), (share, -1))) == -1)
        for share in shares
    ]
    assert firsts == [30, 60, 90, 120, 150, 180, 210, 240, 270]


@pytest.mark.parametrize(
    ('schedule', 'unit', 'complaint'),
    [
        pytest.param([(0, 4)], 'iter', "unit='iter'", id='unknown unit'),
        pytest.param([], 'epoch', 'a list of pairs', id='empty'),
        pytest.param({0: 4}, 'epoch', 'a list of pairs', id='a dict'),
        pytest.param([0, 4], 'epoch', 'a pair', id='not pairs'),
        pytest.param([(0, 4, 1)], 'epoch', 'a pair', id='three numbers'),
        pytest.param([(1, 4)], 'epoch', 'starts at 0', id='nothing for epoch 0'),
        pytest.param([(0, 4), (5, 3), (5, 2)], 'epoch', 'rise', id='a start twice'),
        pytest.param([(0, 4), (9, 3), (5, 2)], 'epoch', 'rise', id='not sorted'),
        pytest.param([(0, 5)], 'epoch', '-1 to 4', id='too many stages'),
        pytest.param([(0, -2)], 'epoch', '-1 to 4', id='below -1'),
        pytest.param([(0, 1.5)], 'epoch', '-1 to 4', id='half a stage'),
        pytest.param([(0, True)], 'epoch', '-1 to 4', id='a truth value'),
        pytest.param([(0, 4), (0.5, 3)], 'epoch', '0-based epoch', id='fraction as epoch'),
        pytest.param([(0, 4), (10, 3)], 'fraction', 'below 1', id='epoch as fraction'),
        pytest.param([(0, 4), (1.0, 3)], 'fraction', 'below 1', id='the end of the run'),
        pytest.param([(0, 4), (float('nan'), 3)], 'fraction', 'below 1', id='nan'),
    ],
)
def test_malformed_schedules_are_refused(schedule, unit, complaint):
    with pytest.raises(InputError) as caught:
        checked_schedule(schedule, unit)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ('schedule', 'unit'),
    [
        pytest.param([[0, 4], [10, -1]], 'epoch', id='lists, as JSON and YAML give them'),
        pytest.param([(0, -1), (10, 4)], 'epoch', id='freezing again'),
        pytest.param([(0, 4), (0.5, -1)], 'fraction', id='fractions'),
    ],
)
def test_good_schedules_become_tuples(schedule, unit):
    assert checked_schedule(schedule, unit) == tuple(tuple(entry) for entry in schedule)


def test_unreached_entries():
    assert unreached_entries(STEPS, 19) == [(20, -1)]
    assert unreached_entries(STEPS, 20) == []
    assert unreached_entries(((0, 4), (0.95, -1)), 9 / 10) == [(0.95, -1)]
