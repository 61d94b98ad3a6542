import math

import pytest
import torch

from mmdet_liver.models.selfsup.supervised_contrast import (
    contrasted_pairs,
    supervised_contrastive_loss,
)

torch.set_num_threads(1)


def loss_of(z, labels, patients, prefer=True, temperature=0.1):
    pairs = contrasted_pairs(torch.tensor(labels), torch.tensor(patients), prefer)
    return supervised_contrastive_loss(z, *pairs, temperature)


def loop_loss(z, labels, patients, prefer, temperature):
    """L_out as the paper writes it, view by view, in Python's floats."""
    z = [[value / math.sqrt(sum(v * v for v in row)) for value in row] for row in z.tolist()]
    anchors = []
    for i in range(len(z)):
        same = [p for p in range(len(z)) if p != i and labels[p] == labels[i]]
        others = [p for p in same if patients[p] != patients[i]]
        positives = others if prefer and others else same
        compared = positives + [a for a in range(len(z)) if labels[a] != labels[i]]
        if not positives:
            continue
        similar = [math.exp(sum(map(float.__mul__, z[i], row)) / temperature) for row in z]
        total = sum(similar[a] for a in compared)
        terms = [math.log(similar[p] / total) for p in positives]
        anchors.append(-sum(terms) / len(terms))
    return sum(anchors) / len(anchors)


@pytest.mark.parametrize('prefer', [True, False])
@pytest.mark.parametrize('seed', range(4))
def test_equals_the_double_loop(seed, prefer):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (24,), generator=generator).tolist()
    patients = torch.randint(0, 5, (24,), generator=generator).tolist()
    z = torch.randn(24, 6, generator=generator)
    expected = loop_loss(z, labels, patients, prefer, 0.3)
    assert loss_of(z, labels, patients, prefer, 0.3).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    'labels, patients, positives, compared',
    [
        pytest.param(
            [0, 0, 0], [1, 2, 3], ['011', '101', '110'], ['011', '101', '110'], id='one class'
        ),
        # The second view of patient 1 is left out where patient 2 has the class.
        pytest.param(
            [0, 0, 0], [1, 1, 2], ['001', '001', '110'], ['001', '001', '110'], id='other patient'
        ),
        # Class 0 has one patient only: the view of the same patient will do.
        pytest.param(
            [0, 0, 1], [1, 1, 1], ['010', '100', '000'], ['011', '101', '110'], id='same patient'
        ),
        pytest.param([0, 1], [1, 1], ['00', '00'], ['01', '10'], id='no positives'),
    ],
)
def test_pairs_by_hand(labels, patients, positives, compared):
    pairs = contrasted_pairs(torch.tensor(labels), torch.tensor(patients))
    found = [[''.join(str(int(x)) for x in row) for row in mask.tolist()] for mask in pairs]
    assert found == [positives, compared]


# At temperature 1; e = exp(1) is the weight of an equal view, 1 that of an orthogonal one.
@pytest.mark.parametrize(
    'z, labels, expected',
    [
        pytest.param([[1, 0], [2, 0], [0, 1]], [0, 0, 1], math.log((math.e + 1) / math.e),
                     id='one negative, lengths do not count'),
        pytest.param([[1, 0], [1, 0], [1, 0], [1, 0]], [0, 0, 1, 1], math.log(3), id='collapsed'),
        pytest.param([[1, 0], [1, 0]], [5, 5], 0, id='one class, one positive, nothing to tell'),
        # The equal two: ln(e + 1) - (1 + 0) / 2 each; the third: ln 2.
        pytest.param([[1, 0], [0, 1], [1, 0]], [0, 0, 0],
                     (2 * math.log(math.e + 1) - 1 + math.log(2)) / 3, id='one class, three views'),
    ],
)  # fmt: skip
def test_values_by_hand(z, labels, expected):
    patients = list(range(len(labels)))
    loss = loss_of(torch.tensor(z, dtype=torch.float), labels, patients, temperature=1.0)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_views_without_positives_do_not_count():
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    labels, patients = [0, 0, 1, 2, 2], [1, 2, 3, 4, 5]
    assert loss_of(z, labels, patients).item() == pytest.approx(
        loop_loss(z, labels, patients, True, 0.1), rel=1e-5
    )


def test_nothing_to_contrast_gives_no_gradient():
    z = torch.randn(3, 4, requires_grad=True)
    loss = loss_of(z, [0, 1, 2], [0, 0, 0])
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(z.grad, torch.zeros(3, 4))


def test_gradient_is_finite_and_draws_the_class_together():
    z = torch.tensor([[1.0, 0.1], [0.1, 1.0], [1.0, 0.2]], requires_grad=True)
    loss_of(z, [0, 0, 1], [1, 2, 3], temperature=1.0).backward()
    assert torch.isfinite(z.grad).all()
    assert z.grad[1, 0] < 0  # a step against it turns view 1 to view 0


def test_half_precision_inputs_are_contrasted_in_full():
    z = torch.randn(8, 4, generator=torch.Generator().manual_seed(1))
    labels, patients = [0, 1] * 4, list(range(8))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = loss_of(z.bfloat16(), labels, patients, temperature=0.05)
    expected = loss_of(z.bfloat16().float(), labels, patients, temperature=0.05)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
