from collections import Counter

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.splitting import SPLITS, split_groups, split_hash

# As skewed as the study's diagnoses, with strata of one, two and three groups.
SIZES = {'HCC': 400, 'cyst': 251, 'hemangioma': 97, 'Meta': 33, '': 14, 'rare': 3, 'b': 2, 'c': 1}
STRATA = {f'{name}-{i}': name for name, size in SIZES.items() for i in range(size)}


def counts(split, strata, stratum=None):
    chosen = [s for p, s in split.items() if stratum is None or strata[p] == stratum]
    return [Counter(chosen)[s] for s in SPLITS]


def test_every_group_is_in_one_split():
    split = split_groups(STRATA)
    assert split.keys() == STRATA.keys() and set(split.values()) == set(SPLITS)


@pytest.mark.parametrize('seed', range(5))
def test_each_stratum_is_as_near_to_its_share_as_whole_groups_allow(seed):
    split = split_groups(STRATA, (8, 1, 1), seed)
    for name, size in SIZES.items():
        shares = [0.8 * size, 0.1 * size, 0.1 * size]
        found = counts(split, STRATA, name)
        if size >= 10:
            assert all(abs(a - b) < 1 for a, b in zip(found, shares, strict=True)), name
        if size >= 3:
            assert min(found) >= 1, name
    # Only the stratum of three gives val and test more than their share.
    expected = [0.8 * len(STRATA), 0.1 * len(STRATA), 0.1 * len(STRATA)]
    whole = zip(counts(split, STRATA), expected, strict=True)
    assert all(abs(found - share) <= 2 for found, share in whole)


def test_many_small_strata_do_not_lean_to_one_side():
    strata = {f'{s}-{i}': str(s) for s in range(50) for i in range(2)}
    found = counts(split_groups(strata), strata)
    assert found == [80, 10, 10]


def test_a_stratum_does_not_pay_for_others():
    # Strata of three give train one of three; it must not take its due from the last one.
    strata = {f'{s}-{i}': f'{s}' for s in range(10) for i in range(3)}
    strata |= {f'z-{i}': 'z' for i in range(15)}
    train, val, test = counts(split_groups(strata), strata, 'z')
    assert train == 12 and {val, test} == {1, 2}


@pytest.mark.parametrize(
    'size, expected',
    [
        pytest.param(3, [1, 1, 1], id='three'),
        pytest.param(4, [2, 1, 1], id='four'),
        pytest.param(10, [8, 1, 1], id='ten'),
        pytest.param(20, [16, 2, 2], id='twenty'),
    ],
)
def test_one_stratum(size, expected):
    strata = {str(i): 'HCC' for i in range(size)}
    assert counts(split_groups(strata), strata) == expected


def test_no_split_stays_empty_with_three_groups_of_three_kinds():
    strata = {'a': 'HCC', 'b': 'cyst', 'c': 'Meta'}
    assert sorted(split_groups(strata).values()) == sorted(SPLITS)


def test_order_plays_no_part():
    backwards = dict(reversed(STRATA.items()))
    assert split_groups(backwards) == split_groups(STRATA)


def test_seed_decides():
    assert split_groups(STRATA, seed=1) != split_groups(STRATA, seed=0)
    assert split_groups(STRATA, seed=1) == split_groups(STRATA, seed=1)


def test_known_split_does_not_change_between_versions():
    # Written down once: a new version must not move a patient from test to train.
    strata = {c: 'HCC' if c in 'abcdef' else 'cyst' for c in 'abcdefghijkl'}
    split = split_groups(strata, (2, 1, 1), seed=7)
    assert ''.join(split[p][1] for p in sorted(split)) == 'rraraeeerarr'


def test_ratio_of_nothing_leaves_a_split_out():
    split = split_groups(STRATA, (9, 1, 0))
    assert set(split.values()) == {'train', 'val'}


@pytest.mark.parametrize(
    'groups, ratios',
    [
        pytest.param(2, (8, 1, 1), id='fewer groups than splits'),
        pytest.param(0, (8, 1, 1), id='no group'),
        pytest.param(9, (8, 1, -1), id='negative'),
        pytest.param(9, (0, 0, 0), id='all zero'),
        pytest.param(9, (float('inf'), 1, 1), id='infinite'),
        pytest.param(9, (float('nan'), 1, 1), id='not a number'),
        pytest.param(9, (8, 2), id='two parts'),
    ],
)
def test_refused(groups, ratios):
    with pytest.raises(InputError, match='expected'):
        split_groups({str(i): '' for i in range(groups)}, ratios)


def test_hash_is_of_the_content():
    split = split_groups(STRATA)
    assert split_hash(dict(reversed(split.items()))) == split_hash(split)
    assert split_hash(split_groups(STRATA, seed=1)) != split_hash(split)


def test_groups_held_in_train_count_as_its_part():
    strata = {f'{name}{i}': name for name in ('HCC', 'cyst') for i in range(20)}
    held = {f'HCC{i}' for i in range(10)}
    split = split_groups(strata, train_only=held)
    assert {split[g] for g in held} == {'train'}
    assert counts(split, strata, 'HCC') == [16, 2, 2]
    assert counts(split, strata, 'cyst') == [16, 2, 2]


def test_more_held_than_the_part_of_train_takes_from_no_other_stratum():
    strata = {f'{name}{i}': name for name in ('HCC', 'cyst') for i in range(10)}
    split = split_groups(strata, train_only={f'HCC{i}' for i in range(10)})
    assert counts(split, strata, 'HCC') == [10, 0, 0]
    train, val, test = counts(split, strata, 'cyst')
    assert train + val + test == 10 and val >= 1 and test >= 1


def test_groups_held_in_train_do_not_fill_the_other_splits():
    with pytest.raises(InputError, match='2 that may go into any split'):
        split_groups(dict.fromkeys('abcde', ''), train_only={'a', 'b', 'c'})
