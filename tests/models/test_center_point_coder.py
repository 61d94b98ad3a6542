import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmdet.registry import TASK_UTILS  # noqa: E402

from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.models.task_modules import CenterPointCoder  # noqa: E402

SIZES = {'num_classes': 2, 'map_size': (8, 16), 'input_size': (32, 64)}


def encode(*per_image, **options):
    boxes = [torch.tensor(b, dtype=torch.float32).reshape(-1, 4) for b, _ in per_image]
    labels = [torch.tensor(c, dtype=torch.long) for _, c in per_image]
    return CenterPointCoder(**options).encode(boxes, labels, **SIZES)


def cells(maps):
    return [tuple(index) for index in maps.nonzero().tolist()]


def test_targets_by_hand():
    targets = encode(([[8, 4, 28, 16]], [1]), ([], []))
    # Centre (18, 10) px is (4.5, 2.5) cells; 20 x 12 px are 5 x 3 cells.
    assert cells(targets.heatmap.eq(1)) == [(0, 1, 2, 4)]
    assert targets.wh[0, :, 2, 4].tolist() == [5, 3]
    assert targets.offset[0, :, 2, 4].tolist() == [0.5, 0.5]
    assert cells(targets.weight) == [(0, 0, 2, 4), (0, 1, 2, 4)]
    assert targets.num_centers == 1 and not targets.heatmap[1].any()


@pytest.mark.parametrize(
    'boxes, labels, centers, wh',
    [
        pytest.param([[0, 0, 8, 8], [2, 2, 6, 6]], [0, 0], 1, [1, 1], id='the same class'),
        pytest.param([[0, 0, 8, 8], [2, 2, 6, 6]], [0, 1], 2, [1, 1], id='two classes'),
        pytest.param([[2, 2, 6, 6], [0, 0, 8, 8]], [0, 1], 2, [2, 2], id='the other order'),
    ],
)
def test_later_box_wins_a_shared_cell(boxes, labels, centers, wh):
    targets = encode((boxes, labels))
    assert targets.num_centers == centers == targets.heatmap.eq(1).sum()
    assert targets.wh[0, :, 1, 1].tolist() == wh


@pytest.mark.parametrize(
    'box',
    [
        pytest.param([60, 4, 72, 12], id='right'),
        pytest.param([-20, 4, -4, 12], id='left'),
        pytest.param([4, 30, 12, 36], id='below'),
        pytest.param([4, -30, 12, 6], id='above'),
        pytest.param([1e6, 1e6, 2e6, 2e6], id='far away'),
    ],
)
def test_center_outside_draws_nothing(box):
    # Beside a box in the corner cell, onto which the other must not be folded back.
    alone = encode(([[56, 24, 64, 32]], [0]))
    both = encode(([[56, 24, 64, 32], box], [0, 0]))
    assert both.num_centers == 1
    assert all(torch.equal(a, b) for a, b in zip(alone, both, strict=True))


def test_only_a_box_outside_trains_nothing():
    targets = encode(([[100, 100, 110, 110]], [0]))
    assert targets.num_centers == 0
    assert not any(maps.any() for maps in targets)


def test_no_boxes():
    targets = encode(([], []), ([], []))
    assert targets.heatmap.shape == (2, 2, 8, 16) and targets.weight.shape == (2, 2, 8, 16)
    assert not any(maps.any() for maps in targets)


def test_box_far_larger_than_the_map():
    targets = encode(([[-1e5, -1e5, 1e5 + 20, 1e5 + 20]], [0]))
    assert targets.heatmap[0, 0].min() > 0.99 and targets.num_centers == 1


@pytest.mark.parametrize('label', [2, -1])
def test_label_the_head_does_not_have(label):
    with pytest.raises(InputError, match=rf'label {label}; expected 0 to 1; set num_classes'):
        encode(([[0, 0, 8, 8]], [label]))


@pytest.mark.parametrize('min_overlap', [0, 1, -0.1])
def test_min_overlap_out_of_range(min_overlap):
    with pytest.raises(InputError, match='min_overlap'):
        CenterPointCoder(min_overlap=min_overlap)


def test_larger_min_overlap_means_narrower_peaks():
    wide = encode(([[0, 0, 32, 32]], [0]))
    narrow = encode(([[0, 0, 32, 32]], [0]), min_overlap=0.8)
    assert 0 < narrow.heatmap.count_nonzero() < wide.heatmap.count_nonzero()


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.float16], ids=str)
def test_encode_then_decode_gives_the_boxes_back(dtype):
    boxes = torch.tensor([[8, 4, 28, 16], [40, 8, 60, 28]], dtype=dtype)
    coder = CenterPointCoder()
    targets = coder.encode([boxes, boxes[:0]], [torch.tensor([1, 0]), torch.tensor([])], **SIZES)
    found = coder.decode(*targets[:3], input_size=SIZES['input_size'], topk=3)
    assert found.scores[:, :2].tolist() == [[1, 1], [0, 0]]
    # Labels are [1, 0] for the two boxes, so sorting by label turns them around.
    by_label = found.boxes[0, :2][found.labels[0, :2].argsort()]
    torch.testing.assert_close(by_label, boxes.float().flip(0))
    assert found.class_scores.shape == (2, 3, 2)


def test_heatmap_weight_spares_known_lesions():
    heatmap = torch.zeros(2, 2, 4, 4)
    heatmap[0, 1, 1, 1] = 1
    heatmap[0, 1, 1, 2] = 0.9
    ignored = [torch.tensor([[4.0, 4.0, 12.0, 8.0]]), torch.zeros(0, 4)]
    weight = CenterPointCoder().heatmap_weight(heatmap, ignored, input_size=(16, 16))
    assert cells(weight == 0) == [(0, 0, 1, 1), (0, 0, 1, 2), (0, 1, 1, 2)]


def test_heatmap_weight_by_class():
    heatmap = torch.zeros(3, 2, 4, 4)
    heatmap[0, 1, 1, 1] = 1
    region = [4.0, 4.0, 12.0, 8.0]  # cells (1, 1) and (1, 2)
    ignored = [torch.tensor([region, region]), torch.zeros(0, 4), torch.tensor([region])]
    labels = [torch.tensor([1, 1]), torch.zeros(0), torch.tensor([0])]
    weight = CenterPointCoder().heatmap_weight(heatmap, ignored, labels=labels, input_size=(16, 16))
    assert cells(weight == 0) == [(0, 1, 1, 2), (2, 0, 1, 1), (2, 0, 1, 2)]
    none = [part[:0] for part in ignored], [part[:0] for part in labels]
    assert CenterPointCoder().heatmap_weight(
        heatmap, none[0], labels=none[1], input_size=(16, 16)
    ).all()  # fmt: skip


@pytest.mark.parametrize('label', [-1, 2])
def test_ignored_region_of_an_unknown_class(label):
    ignored, labels = [torch.tensor([[4.0, 4.0, 12.0, 8.0]])], [torch.tensor([label])]
    with pytest.raises(InputError, match=f'found label {label}; expected 0 to 1'):
        CenterPointCoder().heatmap_weight(
            torch.zeros(1, 2, 4, 4), ignored, labels=labels, input_size=(16, 16)
        )


def test_is_registered():
    coder = TASK_UTILS.build({'type': 'CenterPointCoder', 'min_overlap': 0.5})
    assert isinstance(coder, CenterPointCoder) and coder.min_overlap == 0.5
