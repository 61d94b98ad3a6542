from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

from mmengine.registry import DATA_SAMPLERS  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401
from mmdet_liver.datasets import class_block_sampler  # noqa: E402
from mmdet_liver.datasets.class_block_sampler import in_turn  # noqa: E402


class Crops:
    """Labels 0, 1, 2 with 40, 7 and 1 crops; the first has patients 0 to 9."""

    labels = [0] * 40 + [1] * 7 + [2]
    patients = [i % 10 for i in range(40)] + [20, 20, 20, 20, 21, 22, 23] + [30]

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, i):
        return {'gt_label': self.labels[i], 'patient': self.patients[i]}


def sampler(seed=0):
    return DATA_SAMPLERS.build(
        dict(type='ClassBlockSampler'), default_args=dict(dataset=Crops(), seed=seed)
    )


def test_every_batch_has_every_class():
    order = list(sampler())
    assert len(order) == len(sampler()) == 48  # 16 blocks of 3
    labels = [Crops.labels[i] for i in order]
    for start in range(len(order) - 8):
        assert min(Counter(labels[start : start + 8]).get(c, 0) for c in range(3)) >= 2
    assert Counter(labels) == {0: 16, 1: 16, 2: 16}


def test_neighbours_of_a_class_are_of_different_patients():
    first = [Crops.patients[i] for i in sampler() if Crops.labels[i] == 0]
    assert len(set(first[:10])) == 10
    assert sum(a == b for a, b in pairwise(first)) <= 1


def test_no_crop_again_before_all_were_there():
    second = [i for i in sampler() if Crops.labels[i] == 1]
    assert set(second[:7]) == set(second[7:14]) == set(range(40, 47))


def test_patients_take_turns():
    patients = ['a'] * 5 + ['b'] * 2 + ['c']
    order = in_turn(np.arange(8), patients, np.random.default_rng(0))
    named = [patients[i] for i in order]
    assert sorted(named[:3]) == ['a', 'b', 'c']
    assert sorted(named[3:5]) == ['a', 'b']
    assert named[5:] == ['a'] * 3
    assert sorted(order) == list(range(8))


def test_order_hangs_on_seed_and_epoch_alone():
    one, other = sampler(), sampler()
    assert list(one) == list(other) == list(one)
    other.set_epoch(1)
    assert list(one) != list(other)
    assert list(sampler(seed=1)) != list(one)


@pytest.mark.parametrize('world_size', [2, 3])
def test_each_rank_has_whole_blocks(monkeypatch, world_size):
    orders = []
    for rank in range(world_size):
        monkeypatch.setattr(class_block_sampler, 'get_dist_info', lambda r=rank: (r, world_size))
        orders.append(list(sampler()))
    assert len(set(map(len, orders))) == 1
    for order in orders:
        labels = [Crops.labels[i] for i in order]
        assert all(sorted(labels[i : i + 3]) == [0, 1, 2] for i in range(0, len(labels), 3))
    rare = [i for order in orders for i in order if Crops.labels[i] == 1]
    assert max(Counter(rare).values()) - min(Counter(rare).values()) <= 1
