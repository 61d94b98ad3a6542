"""Runs in which a thawed stage would not learn are refused before the first step."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from stepwise_unfreeze_toys import ToyDetector, toy_detector, toy_resnet, toy_runner
from torch import nn

from mmdet_liver.errors import InputError


class Unfreezable(nn.Sequential):
    """Has the attribute, but its train() does not heed it."""

    frozen_stages = -1


def plain_backbone(kind):
    return kind(nn.Conv2d(3, 32, 3))


def half_an_optimizer(model):
    # OptimWrapper over some parameters only, as a constructor of one's own may make it
    chosen = [*model.head.parameters(), *model.backbone.layer4.parameters()]
    return OptimWrapper(torch.optim.SGD(chosen, lr=0.1))


@pytest.mark.parametrize(
    ('make_model', 'options', 'complaint'),
    [
        pytest.param(
            lambda: toy_detector(frozen_stages=1), {}, 'frozen_stages=1', id='built frozen'
        ),
        pytest.param(
            lambda: ToyDetector(plain_backbone(nn.Sequential)),
            {},
            'no attribute frozen_stages',
            id='no frozen_stages',
        ),
        pytest.param(
            lambda: ToyDetector(plain_backbone(Unfreezable)),
            {},
            'nothing frozen by its train()',
            id='train() does not freeze',
        ),
        pytest.param(
            lambda: ToyDetector(
                toy_resnet(num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(2,))
            ),
            {},
            'at most 3, which ResNet has',
            id='three stages only',
        ),
        pytest.param(
            toy_detector,
            {'optim_wrapper': half_an_optimizer},
            'left out, first conv1.weight',
            id='not in the optimizer',
        ),
        pytest.param(
            lambda: nn.DataParallel(toy_detector()),
            {},
            'the model wrapper DataParallel',
            id='unknown wrapper',
        ),
        pytest.param(
            toy_detector,
            {'train_cfg': {'by_epoch': False, 'max_iters': 2}, 'sampler': 'InfiniteSampler'},
            "set unit='fraction'",
            id='epochs in an iteration-based loop',
        ),
    ],
)
def test_what_cannot_work_is_refused(tmp_path, make_model, options, complaint):
    model = make_model()
    options = {k: v(model) if callable(v) else v for k, v in options.items()}
    runner = toy_runner(tmp_path, [(0, 4), (1, -1)], model=model, **options)
    with pytest.raises(InputError) as caught:
        runner.train()
    assert complaint in str(caught.value)


def test_model_without_backbone_is_refused(tmp_path):
    model = toy_detector()
    model.body = model.backbone
    del model.backbone
    with pytest.raises(InputError, match='without a backbone'):
        toy_runner(tmp_path, [(0, 4)], model=model).train()
