import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from mmdet_liver import compat

compat.install()

from mmdet.models.dense_heads import CenterNetHead  # noqa: E402
from mmdet.models.utils import gaussian_radius, gen_gaussian_target  # noqa: E402
from mmdet.registry import MODELS  # noqa: E402

from mmdet_liver.models.dense_heads import LesionCenterNetHead  # noqa: E402

CLASSES = 4
STOCK = ConfigDict(topk=100, local_maximum_kernel=3, max_per_img=100)
OUR_LOSS = {'type': 'LesionHeatmapFocalLoss', 'loss_weight': 1.0}
# height and width of the map and of the input
SIZES = {
    'square': ((32, 32), (128, 128)),
    'wide': ((24, 40), (96, 160)),
    'stride not whole': ((30, 23), (127, 95)),
    'tiny': ((5, 4), (20, 16)),
}


def heads(test_cfg=STOCK, **options):
    args = {'in_channels': 3, 'feat_channels': 4, 'num_classes': CLASSES, 'test_cfg': test_cfg}
    return CenterNetHead(**args), LesionCenterNetHead(**args, **options)


def random_boxes(generator, input_size, count):
    scale = torch.tensor([input_size[1], input_size[0]])
    center = torch.rand(count, 2, generator=generator) * scale
    half = torch.rand(count, 2, generator=generator) * scale * 0.3
    boxes = torch.cat([center - half, center + half], 1)
    boxes[1::3] = boxes[1::3].clamp(min=0).minimum(scale.repeat(2))  # touching the border
    boxes[4::5] = boxes[0:1]  # sharing a cell
    return boxes


def truth(input_size, counts=(5, 0, 8), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        InstanceData(
            bboxes=random_boxes(generator, input_size, n),
            labels=torch.randint(CLASSES, (n,), generator=generator),
        )
        for n in counts
    ]


def maps(map_size, batch=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    heatmap = torch.rand(batch, CLASSES, *map_size, generator=generator)
    wh, offset = torch.rand(2, batch, 2, *map_size, generator=generator)
    return [heatmap], [wh * 10], [offset]


def metas(input_size, batch=3, **more):
    return [{'batch_input_shape': input_size, 'border': (0, 0, 0, 0), **more}] * batch


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('size', SIZES)
def test_targets_equal_stock(size, seed):
    map_size, input_size = SIZES[size]
    gt = truth(input_size, seed=seed)
    args = [g.bboxes for g in gt], [g.labels for g in gt], (3, CLASSES, *map_size), input_size
    stock, ours = heads()
    expected, expected_factor = stock.get_targets(*args)
    targets, factor = ours.get_targets(*args)
    assert factor == expected_factor and targets.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(targets[name], expected[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize('options', [{}, {'loss_center_heatmap': OUR_LOSS}], ids=['stock', 'ours'])
@pytest.mark.parametrize('size', SIZES)
def test_losses_and_gradients_equal_stock(size, options):
    map_size, input_size = SIZES[size]
    gradients = []
    losses = []
    for head in heads(**options):
        predicted = [[m[0].requires_grad_()] for m in maps(map_size)]
        losses.append(head.loss_by_feat(*predicted, truth(input_size), metas(input_size)))
        sum(losses[-1].values()).backward()
        gradients.append([m[0].grad for m in predicted])
    assert losses[0].keys() == losses[1].keys()
    for name in losses[0]:
        torch.testing.assert_close(losses[1][name], losses[0][name], rtol=1e-5, atol=0)
    for expected, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('kernel', [1, 3, 5])
@pytest.mark.parametrize('size', SIZES)
def test_boxes_equal_stock(size, kernel):
    map_size, input_size = SIZES[size]
    cfg = ConfigDict(STOCK, local_maximum_kernel=kernel, topk=20)
    meta = metas(input_size, border=(3, 5, 7, 9), scale_factor=(0.5, 0.25))
    expected, found = (
        head.predict_by_feat(*maps(map_size), batch_img_metas=meta) for head in heads(cfg)
    )
    for theirs, mine in zip(expected, found, strict=True):
        theirs = theirs[theirs.scores > 0]
        assert torch.equal(mine.scores, theirs.scores) and torch.equal(mine.labels, theirs.labels)
        torch.testing.assert_close(mine.bboxes, theirs.bboxes, rtol=1e-6, atol=1e-4)


def test_stock_checkpoint_loads_strictly():
    stock, ours = heads()
    ours.load_state_dict(stock.state_dict(), strict=True)
    x = (torch.rand(2, 3, 8, 8),)
    for theirs, mine in zip(stock(x), ours(x), strict=True):
        assert torch.equal(mine[0], theirs[0])


def test_stock_config_with_only_the_type_changed():
    head = MODELS.build(
        {
            'type': 'LesionCenterNetHead',
            'num_classes': 80,
            'in_channels': 64,
            'feat_channels': 64,
            'loss_center_heatmap': {'type': 'GaussianFocalLoss', 'loss_weight': 1.0},
            'loss_wh': {'type': 'L1Loss', 'loss_weight': 0.1},
            'loss_offset': {'type': 'L1Loss', 'loss_weight': 1.0},
            'train_cfg': None,
            'test_cfg': STOCK,
        }
    )
    assert isinstance(head, CenterNetHead) and head.num_classes == 80


def test_targets_against_the_stock_gaussian_box_by_box():
    ours = heads()[1]
    boxes = torch.tensor([[10.0, 20, 200, 240], [60.0, 40, 90, 150], [0.0, 200, 40, 255]])
    labels = torch.tensor([1, 1, 3])
    targets, factor = ours.get_targets([boxes], [labels], (1, CLASSES, 64, 64), (256, 256))
    expected = torch.zeros(CLASSES, 64, 64)
    for (x1, y1, x2, y2), label in zip((boxes / 4).tolist(), labels, strict=True):
        radius = int(gaussian_radius([y2 - y1, x2 - x1], min_overlap=0.3))
        center = [int((x1 + x2) / 2), int((y1 + y2) / 2)]
        gen_gaussian_target(expected[label], center, radius)
    torch.testing.assert_close(targets['center_heatmap_target'][0], expected, rtol=0, atol=1e-6)
    assert factor == 3 and targets['wh_offset_target_weight'].sum() == 6


@pytest.mark.parametrize('ignored', [None, [None, None, None], 'empty'])
@pytest.mark.parametrize('options', [{}, {'loss_center_heatmap': OUR_LOSS}], ids=['stock', 'ours'])
def test_batch_without_a_box_trains(options, ignored):
    head = heads(**options)[1]
    gt = truth((64, 64), counts=(0, 0, 0))
    if ignored == 'empty':
        ignored = [InstanceData(), InstanceData(bboxes=torch.zeros(0, 4)), None]
    out = head((torch.rand(3, 3, 16, 16),))
    losses = head.loss_by_feat(*out, gt, metas((64, 64)), ignored)
    sum(losses.values()).backward()
    assert losses['loss_center_heatmap'] > 0
    assert losses['loss_wh'] == losses['loss_offset'] == 0
    # Every parameter is in the graph, or DistributedDataParallel would wait for it.
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())
    assert head.heatmap_head[-1].weight.grad.abs().sum() > 0


@pytest.mark.parametrize('options', [{}, {'loss_center_heatmap': OUR_LOSS}], ids=['stock', 'ours'])
def test_ignored_regions_carry_no_loss(options):
    head = heads(**options)[1]
    gt = [InstanceData(bboxes=torch.tensor([[4.0, 4, 20, 20]]), labels=torch.tensor([1]))]
    regions = [InstanceData(bboxes=torch.tensor([[32.0, 32, 48, 64]]))]
    predicted = [[m[0][:1].requires_grad_()] for m in maps((16, 16))]
    losses = head.loss_by_feat(*predicted, gt, metas((64, 64), batch=1), regions)
    losses['loss_center_heatmap'].backward()
    silent = (predicted[0][0].grad == 0).all(1)[0]  # (H, W)
    expected = torch.zeros(16, 16, dtype=torch.bool)
    expected[8:16, 8:12] = True
    assert torch.equal(silent, expected)


def test_ignored_regions_by_class_carry_no_loss_in_the_map_of_their_class():
    head = heads(loss_center_heatmap=OUR_LOSS, class_aware_ignore=True)[1]
    gt = [InstanceData(bboxes=torch.tensor([[4.0, 4, 20, 20]]), labels=torch.tensor([1]))]
    regions = InstanceData(
        bboxes=torch.tensor([[32.0, 32, 48, 64], [0, 48, 8, 64]]), labels=torch.tensor([2, 0])
    )
    predicted = [[m[0][:1].requires_grad_()] for m in maps((16, 16))]
    losses = head.loss_by_feat(*predicted, gt, metas((64, 64), batch=1), [regions])
    losses['loss_center_heatmap'].backward()
    expected = torch.zeros_like(predicted[0][0], dtype=torch.bool)
    expected[0, 2, 8:16, 8:12] = True
    expected[0, 0, 12:16, :2] = True
    assert torch.equal(predicted[0][0].grad == 0, expected)


def test_lesion_inside_an_ignored_region_keeps_its_centre():
    head = heads(loss_center_heatmap=OUR_LOSS)[1]
    gt = [InstanceData(bboxes=torch.tensor([[4.0, 4, 20, 20]]), labels=torch.tensor([1]))]
    everywhere = [InstanceData(bboxes=torch.tensor([[0.0, 0, 64, 64]]))]
    predicted = [[m[0][:1].requires_grad_()] for m in maps((16, 16))]
    losses = head.loss_by_feat(*predicted, gt, metas((64, 64), batch=1), everywhere)
    losses['loss_center_heatmap'].backward()
    assert predicted[0][0].grad.nonzero().tolist() == [[0, 1, 3, 3]]


@pytest.mark.parametrize('options', [{}, {'loss_center_heatmap': OUR_LOSS}], ids=['stock', 'ours'])
@pytest.mark.parametrize('bias', [-300.0, 0.0, 300.0], ids=['all 0', 'usual', 'all 1'])
@pytest.mark.parametrize(
    'device, dtype',
    [
        pytest.param('cpu', torch.bfloat16, id='CPU'),
        pytest.param(
            'cuda',
            torch.float16,
            id='GPU',
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU'),
        ),
    ],
)
def test_finite_under_autocast(options, bias, device, dtype):
    head = heads(**options)[1].to(device)
    head.heatmap_head[-1].bias.data.fill_(bias)
    lesions = [gt.to(device) for gt in truth((64, 64))]
    with torch.autocast(device, dtype):
        out = head((torch.rand(3, 3, 16, 16, device=device),))
        losses = head.loss_by_feat(*out, lesions, metas((64, 64)))
    sum(losses.values()).backward()
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())
    assert all(p.grad.isfinite().all() for p in head.parameters())


def test_half_precision_maps_from_elsewhere():
    head = heads(loss_center_heatmap=OUR_LOSS)[1]
    predicted = [[m[0].half()] for m in maps((16, 16))]
    losses = head.loss_by_feat(*predicted, truth((64, 64)), metas((64, 64)))
    results = head.predict_by_feat(*predicted, batch_img_metas=metas((64, 64)))
    assert all(loss.isfinite() for loss in losses.values())
    assert results[0].bboxes.dtype == torch.float32
