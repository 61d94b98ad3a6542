import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmdet.registry import MODELS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.model import BaseModule  # noqa: E402

from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.models.selfsup import SelfSupPretrained  # noqa: E402

TINY = dict(type='ResNet', depth=18, base_channels=4)


@pytest.fixture(autouse=True)
def mmdet_scope():
    register_all_modules(init_default_scope=True)


@pytest.fixture
def weights():
    """A backbone's tensors, all different from what any initialiser would write."""
    torch.manual_seed(0)
    state = MODELS.build(TINY).state_dict()
    return {k: torch.rand_like(v) + 0.5 if v.is_floating_point() else v for k, v in state.items()}


def saved(path, tensors, prefix='backbone.', wrap=True):
    named = {prefix + name: tensor for name, tensor in tensors.items()}
    if prefix:
        named['neck.fc0.weight'] = torch.ones(2)  # a pretraining's own, which no detector has
    torch.save({'state_dict': named, 'meta': {}} if wrap else named, path)
    return str(path)


def equal(module, weights):
    own = module.state_dict()
    return own.keys() == weights.keys() and all(torch.equal(own[k], weights[k]) for k in own)


@pytest.mark.parametrize(
    'prefix, wrap',
    [
        pytest.param('backbone.', True, id='checkpoint of a pretraining run'),
        pytest.param('backbone.', False, id='plain state dict'),
        pytest.param('', False, id='torchvision style'),
        pytest.param('encoder_q.', True, id='another prefix'),
    ],
)
def test_every_tensor_arrives(tmp_path, weights, prefix, wrap):
    source = saved(tmp_path / 'c.pth', weights, prefix, wrap)
    init_cfg = dict(type='SelfSupPretrained', checkpoint=source, prefix=prefix)
    backbone = MODELS.build(dict(TINY, init_cfg=init_cfg))
    backbone.init_weights()
    assert equal(backbone, weights)


def test_whole_detector_keeps_the_loaded_backbone(tmp_path, weights):
    source = saved(tmp_path / 'c.pth', weights)
    model = MODELS.build(
        dict(
            type='CenterNet',
            backbone=dict(TINY, init_cfg=dict(type='SelfSupPretrained', checkpoint=source)),
            neck=dict(
                type='CTResNetNeck',
                in_channels=32,
                num_deconv_filters=(8,),
                num_deconv_kernels=(4,),
                use_dcn=False,
            ),
            bbox_head=dict(type='CenterNetHead', num_classes=2, in_channels=8, feat_channels=8),
        )
    )
    model.init_weights()
    assert equal(model.backbone, weights)


class Overwriter(BaseModule):
    """A part that initialises itself after its parent, as ConvModule does."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(2, 2)

    def init_weights(self):
        torch.nn.init.constant_(self.linear.weight, 7)


class Parent(BaseModule):
    def __init__(self, init_cfg):
        super().__init__(init_cfg)
        self.part = Overwriter()


def test_initialisers_of_parts_do_not_overwrite(tmp_path):
    tensors = {'part.linear.weight': torch.ones(2, 2), 'part.linear.bias': torch.ones(2)}
    source = saved(tmp_path / 'c.pth', tensors)
    parent = Parent(dict(type='SelfSupPretrained', checkpoint=source))
    parent.init_weights()
    assert equal(parent, tensors)


def test_zero_init_residual_of_mmpretrain_does_not_overwrite(tmp_path, weights):
    from mmpretrain.models import ResNet

    source = saved(tmp_path / 'c.pth', weights)
    init_cfg = dict(type='SelfSupPretrained', checkpoint=source)
    backbone = ResNet(depth=18, base_channels=4, stem_channels=4, init_cfg=init_cfg)
    backbone.init_weights()
    assert equal(backbone, weights)


def test_must_be_last_of_a_list(tmp_path, weights):
    source = saved(tmp_path / 'c.pth', weights)
    loader, other = dict(type='SelfSupPretrained', checkpoint=source), dict(type='Constant', val=0)
    with pytest.raises(InputError, match='last of the list'):
        MODELS.build(dict(TINY, init_cfg=[loader, other])).init_weights()
    backbone = MODELS.build(dict(TINY, init_cfg=[dict(other, layer='Conv2d'), loader]))
    backbone.init_weights()
    assert equal(backbone, weights)


@pytest.mark.parametrize(
    'change, message',
    [
        pytest.param(lambda w: w.pop('conv1.weight'), 'conv1.weight missing', id='missing'),
        pytest.param(lambda w: w.update(extra=torch.ones(1)), 'extra unknown', id='unknown'),
        pytest.param(
            lambda w: w.update({'conv1.weight': torch.ones(8, 3, 7, 7)}),
            r'1 tensors .*conv1.weight \(8, 3, 7, 7\) instead of \(4, 3, 7, 7\).*base_channels',
            id='another width',
        ),
    ],
)
def test_misfit_is_named_and_nothing_is_loaded(tmp_path, weights, change, message):
    backbone = MODELS.build(TINY)
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    change(weights)
    with pytest.raises(InputError, match=message):
        SelfSupPretrained(saved(tmp_path / 'c.pth', weights))(backbone)
    assert equal(backbone, before)


def test_classifier_and_counters_do_not_count(tmp_path, weights):
    counters = [name for name in weights if 'num_batches_tracked' in name]
    found = {k: v for k, v in weights.items() if k not in counters}
    source = saved(tmp_path / 'c.pth', found | {'fc.weight': torch.ones(2, 2)}, prefix='')
    backbone = MODELS.build(TINY)
    SelfSupPretrained(source, prefix=None)(backbone)
    assert counters
    assert equal(backbone, weights)


def test_wrong_prefix_names_those_there_are(tmp_path, weights):
    source = saved(tmp_path / 'c.pth', weights, prefix='encoder.')
    with pytest.raises(InputError, match="start with encoder, neck; .*'backbone.'"):
        SelfSupPretrained(source)(MODELS.build(TINY))


def test_folder_stands_for_its_last_checkpoint(tmp_path, weights):
    saved(tmp_path / 'epoch_3.pth', weights)
    (tmp_path / 'last_checkpoint').write_text('/where/it/was/trained/epoch_3.pth')
    backbone = MODELS.build(TINY)
    SelfSupPretrained(str(tmp_path))(backbone)
    assert equal(backbone, weights)
    with pytest.raises(InputError, match='latest.pth.*this folder holds epoch_3.pth'):
        SelfSupPretrained(str(tmp_path / 'latest.pth'))(backbone)


@pytest.mark.parametrize(
    'content, message',
    [
        pytest.param(None, 'no checkpoint; .*tools/pretrain.py', id='missing'),
        pytest.param(b'', 'no readable checkpoint', id='empty'),
        pytest.param(b'not a checkpoint', 'no readable checkpoint', id='garbage'),
    ],
)
def test_broken_file_is_one_line(tmp_path, content, message):
    if content is not None:
        (tmp_path / 'c.pth').write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        SelfSupPretrained(str(tmp_path / 'c.pth'))(MODELS.build(TINY))
    assert len(str(caught.value).splitlines()) == 1


def test_checkpoint_without_tensors(tmp_path):
    torch.save({'state_dict': {'epoch': 3}}, tmp_path / 'c.pth')
    with pytest.raises(InputError, match='no tensors'):
        SelfSupPretrained(str(tmp_path / 'c.pth'))(MODELS.build(TINY))
