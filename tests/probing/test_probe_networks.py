"""Backbones of checkpoints: found out, loaded wholly or refused, and run as they were trained."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmdet.models.backbones import CSPDarknet, ResNet  # noqa: E402
from mmpretrain.models import ResNet as PretrainedResNet  # noqa: E402

from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.probing.network_arms import distinct_architectures  # noqa: E402
from mmdet_liver.probing.networks import (  # noqa: E402
    checkpoint_network,
    pooled_features,
    random_network,
)
from mmdet_liver.probing.resnet_shapes import resnet_config  # noqa: E402

OUR_MEAN = (123.675, 116.28, 103.53)
PRETRAINING = """
default_scope = 'mmpretrain'
model = dict(type='SimSiam', backbone=dict(type='ResNet', depth=18, base_channels=8,
    stem_channels=8, zero_init_residual=True, init_cfg=dict(type='Pretrained', checkpoint='gone')),
    data_preprocessor=dict(type='SelfSupDataPreprocessor', mean=[1, 2, 3], std=[4, 5, 6],
    to_rgb=True))
"""
DETECTOR = """
default_scope = 'mmdet'
model = dict(type='CenterNet', backbone=dict(type='ResNet', depth=18, base_channels=8,
    frozen_stages=4, norm_eval=True), data_preprocessor=dict(type='DetDataPreprocessor'))
"""


@pytest.fixture(autouse=True, scope='module')
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def crops():
    return np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), np.uint8)


def randomised(backbone):
    """All tensors different from what any initialiser would write."""
    torch.manual_seed(0)
    for tensor in backbone.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.1, 0.2)
    return backbone


def saved(path, backbone, prefix='backbone.', cfg=None):
    tensors = {prefix + name: tensor for name, tensor in backbone.state_dict().items()}
    meta = {} if cfg is None else {'cfg': cfg}
    torch.save({'state_dict': {**tensors, 'neck.weight': torch.ones(1)}, 'meta': meta}, path)
    return str(path)


def bare(path, backbone, **more):
    torch.save({**backbone.state_dict(), **more}, path)
    return str(path)


def by_hand(backbone, crops, mean, std, stage=4, rgb=True):
    """Features with the host's own forward pass, one crop at a time."""
    backbone.eval()
    backbone.out_indices = (0, 1, 2, 3)
    rows = []
    for crop in crops:
        image = crop[..., ::-1] if rgb else crop
        x = (image.astype(np.float32) - np.float32(mean)) / np.float32(std)
        with torch.no_grad():
            out = backbone(torch.tensor(x.transpose(2, 0, 1)[None].copy()))[stage - 1]
        rows.append(out.numpy().mean(axis=(0, 2, 3)))
    return np.array(rows)


@pytest.mark.parametrize('stage', [1, 4])
def test_pretraining_checkpoint(tmp_path, crops, stage):
    backbone = randomised(PretrainedResNet(depth=18, base_channels=8, stem_channels=8))
    source = saved(tmp_path / 'a.pth', backbone, cfg=PRETRAINING)
    network = checkpoint_network(source, stage=stage)
    assert isinstance(network.backbone, PretrainedResNet)
    found = pooled_features(network, crops, 2, 'cpu')
    assert found.shape == (5, 8 * 2 ** (stage - 1))
    np.testing.assert_allclose(found, by_hand(backbone, crops, (1, 2, 3), (4, 5, 6), stage), 1e-4)


def test_detector_without_normalisation(tmp_path, crops):
    backbone = randomised(ResNet(depth=18, base_channels=8))
    network = checkpoint_network(saved(tmp_path / 'a.pth', backbone, cfg=DETECTOR))
    assert isinstance(network.backbone, ResNet) and not network.backbone.training
    found = pooled_features(network, crops, 64, 'cpu')
    wanted = by_hand(backbone, crops, (0, 0, 0), (1, 1, 1), rgb=False)
    np.testing.assert_allclose(found, wanted, 1e-4)


@pytest.mark.parametrize('depth', [18, 50])
def test_without_a_config_the_tensors_tell(tmp_path, depth):
    backbone = randomised(ResNet(depth=depth, base_channels=4))
    source = bare(tmp_path / 'a.pth', backbone, **{'fc.weight': torch.ones(3)})
    network = checkpoint_network(source)
    assert network.architecture == f'ResNet{depth}, 4 channels'
    assert network.mean == OUR_MEAN and network.to_rgb
    own, wanted = network.backbone.state_dict(), backbone.state_dict()
    assert own.keys() == wanted.keys() and all(torch.equal(own[k], wanted[k]) for k in own)


@pytest.mark.parametrize('blocks, depth', [((3, 4, 6, 3), 34), ((3, 4, 23, 3), None)])
def test_resnet_shapes(blocks, depth):
    shapes = {
        f'layer{s}.{b}.conv1.weight': (16 * 2**s, 9, 3, 3)
        for s, count in enumerate(blocks, start=1)
        for b in range(count)
    }
    shapes['conv1.weight'] = (24, 3, 7, 7)
    if depth is None:  # that many only as bottlenecks
        with pytest.raises(InputError, match='--cfg'):
            resnet_config(shapes, 'a.pth')
        shapes['layer1.0.conv3.weight'] = (128, 32, 1, 1)
    found = resnet_config(shapes, 'a.pth')
    widths = found['stem_channels'], found['base_channels']
    assert (found['depth'], *widths) == (depth or 101, 24, 32)


def test_given_config_is_believed_and_checked(tmp_path):
    source = saved(tmp_path / 'a.pth', ResNet(depth=18, base_channels=4), cfg=None)
    config = tmp_path / 'c.py'
    config.write_text(DETECTOR)
    with pytest.raises(InputError, match='do not fit ResNet'):  # 8 channels
        checkpoint_network(source, cfg=str(config))
    with pytest.raises(InputError, match='no such file'):
        checkpoint_network(source, cfg=str(tmp_path / 'none.py'))


def test_a_missing_tensor_is_refused(tmp_path):
    backbone = ResNet(depth=18, base_channels=8)
    tensors = {f'backbone.{k}': v for k, v in backbone.state_dict().items()}
    del tensors['backbone.layer3.1.bn2.running_var']
    torch.save({'state_dict': tensors, 'meta': {'cfg': DETECTOR}}, tmp_path / 'a.pth')
    with pytest.raises(InputError, match='layer3.1.bn2.running_var missing'):
        checkpoint_network(str(tmp_path / 'a.pth'))


def test_another_prefix(tmp_path):
    backbone = randomised(ResNet(depth=18, base_channels=4))
    source = saved(tmp_path / 'a.pth', backbone, prefix='teacher.backbone.')
    network = checkpoint_network(source, prefix='teacher.backbone.')
    assert torch.equal(network.backbone.conv1.weight, backbone.conv1.weight)


def test_a_backbone_that_is_no_resnet(tmp_path, crops):
    backbone = randomised(CSPDarknet(deepen_factor=0.33, widen_factor=0.125))
    cfg = (
        "default_scope = 'mmdet'\nmodel = dict(backbone=dict(type='CSPDarknet', "
        'deepen_factor=0.33, widen_factor=0.125))'
    )
    source = saved(tmp_path / 'a.pth', backbone, cfg=cfg)
    assert pooled_features(checkpoint_network(source), crops, 5, 'cpu').shape == (5, 128)
    with pytest.raises(InputError, match='no ResNet stages'):
        checkpoint_network(source, stage=3)


def test_random_weights_follow_the_seed_alone(tmp_path):
    backbone = PretrainedResNet(depth=18, base_channels=8, stem_channels=8)
    network = checkpoint_network(saved(tmp_path / 'a.pth', backbone, cfg=PRETRAINING))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, again, other = (random_network(network, seed).backbone for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    name = 'layer2.0.conv1.weight'
    assert torch.equal(one.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], network.backbone.state_dict()[name])
    # Every block computes something, though pretraining began with all of them switched off.
    assert one.layer1[0].bn2.weight.all() and not one.training


def test_one_random_arm_an_architecture(tmp_path):
    def network(name, channels, cfg=None):
        backbone = ResNet(depth=18, base_channels=channels)
        return checkpoint_network(saved(tmp_path / name, backbone, cfg=cfg))

    small, large = network('a.pth', 4), network('b.pth', 8)
    unnormalised = network('c.pth', 8, DETECTOR)
    assert distinct_architectures([small, small]) == [('random weights', small)]
    names = [name for name, _ in distinct_architectures([small, large, small, unnormalised])]
    assert names == [
        'random weights (ResNet18, 4 channels)',
        'random weights (ResNet18, 8 channels)',
        'random weights (ResNet18, 8 channels, 2)',
    ]


def test_only_one_module_needs_torch():
    names = ('arms', 'assessment', 'lesion_crops', 'maps', 'neighbour_sheets', 'neighbours')
    names += ('pixels', 'protocol', 'report', 'resnet_shapes', 'scores')
    lines = [f'import mmdet_liver.probing.{name}' for name in names]
    code = '; '.join(['import sys', *lines, "assert not {'torch', 'sklearn'} & set(sys.modules)"])
    subprocess.run([sys.executable, '-c', code], check=True)
