import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmengine.registry import MODELS, DefaultScope, init_default_scope  # noqa: E402
from mmpretrain.structures import DataSample  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401
from mmdet_liver.models.selfsup import SupConHead  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def mmpretrain_scope():
    before = DefaultScope.get_current_instance()
    init_default_scope('mmpretrain')
    yield
    init_default_scope(before.scope_name if before else 'mmpretrain')


def build():
    torch.manual_seed(0)
    model = dict(
        type='SupCon',
        data_preprocessor=dict(type='SelfSupDataPreprocessor', mean=[0] * 3, std=[255] * 3),
        backbone=dict(type='ResNet', depth=18, base_channels=4, stem_channels=4),
        neck=dict(type='MoCoV2Neck', in_channels=32, hid_channels=8, out_channels=6),
        head=dict(type='SupConHead', temperature=0.2),
    )
    return MODELS.build(model)


def batch(labels, patients, views=2):
    samples = []
    for label, patient in zip(labels, patients, strict=True):
        sample = DataSample(metainfo=dict(patient=patient))
        samples.append(sample.set_gt_label(label))
    generator = torch.Generator().manual_seed(0)
    size = (len(labels), 3, 32, 32)
    inputs = [torch.randint(0, 256, size, generator=generator).byte() for _ in range(views)]
    return {'inputs': inputs, 'data_samples': samples}


def test_views_keep_their_class_and_patient(monkeypatch):
    model, labels, patients = build().eval(), [0, 1, 0], [7, 7, 8]
    data = model.data_preprocessor(batch(labels, patients))
    given = []
    monkeypatch.setattr(model.head, 'loss', lambda *args: given.extend(args))
    model(**data, mode='loss')
    rows = list(zip(*(argument.tolist() for argument in given), strict=True))
    expected = [
        (model.neck(model.extract_feat(view[i : i + 1]))[0][0], labels[i], patients[i])
        for view in data['inputs']
        for i in range(3)
    ]
    assert len(rows) == len(expected) == 6
    for (z, label, patient), (own, *its) in zip(rows, expected, strict=True):
        assert [label, patient] == its
        # In eval mode a crop alone gives what it gives in a batch.
        assert torch.allclose(torch.tensor(z), own, atol=1e-5)
        assert sum(torch.allclose(torch.tensor(z), e[0], atol=1e-6) for e in expected) == 1


def test_learns_to_tell_two_classes():
    model = build().train()
    data = model.data_preprocessor(batch([0, 1, 0, 1], [1, 2, 3, 4]), True)
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    losses = []
    for _ in range(8):
        loss = model(**data, mode='loss')['loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_features_are_the_backbones():
    model = build().eval()
    images = torch.zeros(2, 3, 64, 64)
    assert [tuple(level.shape) for level in model(images)] == [(2, 32, 2, 2)]
    with pytest.raises(ValueError, match="found mode 'predict'"):
        model(images, mode='predict')


def test_temperature_is_above_zero():
    with pytest.raises(ValueError, match='expected one above 0'):
        SupConHead(temperature=0)
