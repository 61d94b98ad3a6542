"""The loss that leaves out confident background, against sums by hand and a slow loop."""

import math

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.structures import InstanceData

from mmdet_liver import compat

compat.install()

from mmdet.registry import MODELS  # noqa: E402

from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.models.dense_heads import LesionCenterNetHead  # noqa: E402
from mmdet_liver.models.losses import LesionHeatmapFocalLoss  # noqa: E402
from mmdet_liver.models.losses import missing_labels as rules  # noqa: E402

LN2 = math.log(2)


@pytest.fixture(autouse=True)
def run(request):
    """A run of 100 iterations, at the last one unless a test says otherwise."""
    hub = MessageHub.get_instance(f'missing labels, {request.node.name}')
    hub.update_info('max_iters', 100)

    def at(iteration):
        hub.update_info('iter', iteration)

    at(99)
    return at


def maps(seed=0, shape=(3, 2, 6, 5)):
    generator = torch.Generator().manual_seed(seed)
    pred = torch.rand(shape, generator=generator)
    target = torch.rand(shape, generator=generator).mul(0.02)  # some cells are near, some far
    target[0, 1, 2, 3] = target[2, 0, 0, 0] = 1
    return pred, target


def slow_loss(pred, target, thr, max_target, lacking):
    """The sum over cells, one after the other."""
    total = 0.0
    images, classes, height, width = pred.shape
    for b in range(images):
        for y in range(height):
            for x in range(width):
                far = all(target[b, c, y, x] < max_target for c in range(classes))
                for c in range(classes):
                    p, t = pred[b, c, y, x].item(), target[b, c, y, x].item()
                    if t == 1:
                        total -= (1 - p) ** 2 * math.log(p)
                    elif not (lacking[b] and far and p > thr):
                        total -= (1 - t) ** 4 * p**2 * math.log(1 - p)
    return total


@pytest.mark.parametrize(
    'pred, target, expected',
    [
        pytest.param([0.5, 0.5], [0.0, 0.0], 0.5 * LN2, id='not confident'),
        pytest.param([0.8, 0.5], [0.0, 0.0], 0.25 * LN2, id='confident: left out'),
        pytest.param([0.7, 0.5], [0.0, 0.0], 0.25 * LN2 - 0.49 * math.log(0.3), id='not above'),
        pytest.param([0.8, 0.5], [1.0, 0.0], 0.25 * LN2 - 0.04 * math.log(0.8), id='a centre'),
        pytest.param(
            [0.8, 0.5], [0.5, 0.0], 0.25 * LN2 - 0.0625 * 0.64 * math.log(0.2), id='near a centre'
        ),
        pytest.param(
            [0.5, 0.8], [1.0, 0.0], 0.25 * LN2 - 0.64 * math.log(0.2), id='wrong class at a label'
        ),
    ],
)
def test_value_by_hand(pred, target, expected):
    pred, target = (torch.tensor(v).view(1, 2, 1, 1) for v in (pred, target))
    loss = LesionHeatmapFocalLoss(reduction='sum', ignore_thr=0.7)(pred, target)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('thr', [0.0, 0.5, 0.8, 1.0])
@pytest.mark.parametrize('max_target', [0.0, 0.015, 0.5])
def test_equals_a_slow_loop(thr, max_target):
    pred, target = maps()
    loss = LesionHeatmapFocalLoss(reduction='sum', ignore_thr=thr, ignore_max_target=max_target)
    expected = slow_loss(pred, target, thr, max_target, [True] * 3)
    assert loss(pred, target).item() == pytest.approx(expected, rel=1e-5)


def test_left_out_cells_and_only_they_have_no_gradient():
    pred, target = maps()
    pred.requires_grad_()
    loss = LesionHeatmapFocalLoss(ignore_thr=0.6)
    left_out = loss.left_out(pred, target)
    loss(pred, target).backward()
    assert 0 < left_out.sum() < left_out.numel() and not left_out.requires_grad
    assert torch.equal(pred.grad == 0, left_out)
    plain = pred.detach().clone().requires_grad_()
    LesionHeatmapFocalLoss()(plain, target).backward()
    assert torch.equal(pred.grad[~left_out], plain.grad[~left_out])


@pytest.mark.parametrize(
    'iteration, acts', [(0, False), (29, False), (30, True), (99, True), (None, True)]
)
def test_warmup_follows_the_run(run, iteration, acts):
    run(iteration)  # None: no run is under way
    pred, target = maps()
    loss = LesionHeatmapFocalLoss(ignore_thr=0.5, ignore_warmup=0.3)
    assert (loss(pred, target) != LesionHeatmapFocalLoss()(pred, target)) == acts
    assert (loss.left_out(pred, target) is not None) == acts


def test_off_by_default():
    pred, target = maps()
    assert LesionHeatmapFocalLoss().left_out(pred, target) is None


@pytest.mark.parametrize('name', ['ignore_thr', 'ignore_max_target', 'ignore_warmup'])
def test_option_out_of_range(name):
    with pytest.raises(InputError, match=f'Loss: found {name}=30; expected 0 to 1; correct'):
        LesionHeatmapFocalLoss(**{name: 30})


def head(**options):
    loss = {'type': 'LesionHeatmapFocalLoss', **options}
    return LesionCenterNetHead(3, 4, 2, loss_center_heatmap=loss)


def loss_of(predicted, gt, marks, **options):
    metas = [{'batch_input_shape': (64, 64), **mark} for mark in marks]
    return head(**options).loss_by_feat(*([m] for m in predicted), gt, metas)


def batch(count):
    torch.manual_seed(0)
    heatmap = torch.rand(count, 2, 16, 16).requires_grad_()
    gt = [
        InstanceData(bboxes=torch.tensor([[8.0, 8, 40, 32]]), labels=torch.tensor([1]))
        for _ in range(count)
    ]
    return (heatmap, torch.rand(count, 2, 16, 16), torch.rand(count, 2, 16, 16)), gt


MARKS = [{'fully_annotated': 1}, {'fully_annotated': 0}, {'fully_annotated': None}, {}]


def test_only_images_that_may_lack_labels_and_only_outside_of_boxes():
    predicted, gt = batch(4)
    losses = loss_of(predicted, gt, MARKS, ignore_thr=0.4)
    losses['loss_center_heatmap'].backward()
    expected = predicted[0].detach() > 0.4
    expected[0] = False
    expected[:, :, 2:8, 2:10] = False  # the labelled box in cells of 4 pixels
    assert torch.equal(predicted[0].grad == 0, expected)
    assert losses['left_out_cells'] == expected.sum() / 4


def test_certified_lesion_free_image_is_all_background():
    predicted, _ = batch(1)
    none = [InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))]
    for mark, untouched in (({'fully_annotated': 1}, True), ({'fully_annotated': 0}, False)):
        found = loss_of(predicted, none, [mark], ignore_thr=0.4)['loss_center_heatmap']
        plain = loss_of(predicted, none, [mark])['loss_center_heatmap']
        assert (found == plain) == untouched


def test_head_equals_plain_during_the_warmup(run):
    run(10)
    predicted, gt = batch(4)
    found, plain = loss_of(predicted, gt, MARKS, ignore_thr=0.4), loss_of(predicted, gt, MARKS)
    assert found == plain and 'left_out_cells' not in found


def test_count_is_logged_and_no_loss():
    model = MODELS.build({'type': 'CenterNet', 'backbone': {'type': 'ResNet', 'depth': 18},
                          'neck': None, 'bbox_head': dict(
                              type='LesionCenterNetHead', num_classes=2, in_channels=3,
                              feat_channels=4)})  # fmt: skip
    predicted, gt = batch(4)
    losses = loss_of(predicted, gt, MARKS, ignore_thr=0.4)
    total, logged = model.parse_losses(losses)
    parts = [value for name, value in losses.items() if name.startswith('loss_')]
    assert torch.equal(total, sum(parts)) and logged['left_out_cells'] > 1


def test_stock_head_takes_every_image_as_lacking_labels():
    pred, target = maps()
    stock = MODELS.build({'type': 'CenterNetHead', 'num_classes': 2, 'in_channels': 3,
                          'feat_channels': 4, 'loss_center_heatmap': dict(
                              type='LesionHeatmapFocalLoss', ignore_thr=0.5)})  # fmt: skip
    loss = stock.loss_center_heatmap(pred, target, avg_factor=2)
    expected = slow_loss(pred, target, 0.5, 0.01, [True] * 3) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_warns_once_where_no_image_has_the_mark(monkeypatch):
    said = []
    monkeypatch.setattr(rules, 'print_log', lambda text, **_: said.append(text))
    rules._warn_of_no_marks.cache_clear()
    assert rules.may_lack_labels([{}, {'fully_annotated': None}]) == [True, True]
    assert not said
    for _ in range(2):
        assert rules.may_lack_labels([{}, {}]) == [True, True]
    assert len(said) == 1 and "add 'fully_annotated' to meta_keys" in said[0]


def test_finite_in_half_precision():
    logit = torch.tensor([-200.0, -9.0, 0.0, 9.0, 200.0], dtype=torch.float16).view(1, 1, 1, 5)
    logit.requires_grad_()
    loss = LesionHeatmapFocalLoss(reduction='sum', ignore_thr=0.3)
    value = loss(logit.sigmoid(), torch.zeros_like(logit))
    value.backward()
    assert value.isfinite() and logit.grad.isfinite().all()
