"""The detector in half precision and in channels-last memory: the loss and gradients it had."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config

from mmdet_liver import compat, config_path

compat.install()

from mmdet.registry import MODELS  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

import mmdet_liver.plugin  # noqa: E402, F401
from mmdet_liver.engine.hooks import ChannelsLastHook  # noqa: E402


def batch():
    generator = torch.Generator().manual_seed(0)
    samples = []
    for i in range(2):
        sample = DetDataSample(metainfo={'img_shape': (64, 64)})
        boxes = torch.tensor([[8.0 + i, 10, 40, 44], [44, 4, 60, 20]])
        sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.tensor([i, 3]))
        sample.ignored_instances = InstanceData(
            bboxes=torch.tensor([[0.0, 50, 20, 64]][:i]).view(-1, 4)
        )
        samples.append(sample)
    images = torch.randint(256, (2, 3, 64, 64), generator=generator, dtype=torch.uint8)
    return {'inputs': list(images), 'data_samples': samples}


@pytest.fixture
def model():
    register_all_modules(init_default_scope=False)
    init_default_scope('mmdet')
    torch.manual_seed(0)
    config = Config.fromfile(config_path('demo/centernet_r18w32_stepwise_1xb16_phantom4-160'))
    config.model.backbone.update(init_cfg=None, base_channels=16)
    config.model.neck.update(in_channels=128, num_deconv_filters=(32, 32, 32))
    return MODELS.build(config.model).train()


def losses_and_gradient(model):
    model.zero_grad()
    data = model.data_preprocessor(batch(), training=True)
    losses = model(**data, mode='loss')
    sum(losses.values()).backward()
    return losses, torch.cat([p.grad.flatten().double() for p in model.parameters()])


@pytest.mark.parametrize(
    'dtype, rtol', [(torch.bfloat16, 0.02), (torch.float16, 0.005)], ids=['bfloat16', 'float16']
)
def test_loss_and_gradient_in_half_precision(model, dtype, rtol):
    model.eval()  # BatchNorm over two small images would magnify every rounding
    expected, gradient = losses_and_gradient(model)
    try:
        with torch.autocast('cpu', dtype):
            losses, found = losses_and_gradient(model)
    except RuntimeError as error:  # older versions of torch lack kernels for it
        pytest.skip(str(error))
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, expected[name], rtol=rtol, atol=0)
    assert not torch.equal(found, gradient)  # autocast did something
    assert (found - gradient).norm() < 0.02 * gradient.norm()


def test_loss_and_gradient_in_channels_last_memory(model):
    expected, gradient = losses_and_gradient(model)
    ChannelsLastHook().before_run(SimpleNamespace(model=model))
    assert model.backbone.layer1[0].conv1.weight.stride()[1] == 1
    losses, found = losses_and_gradient(model)
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=1e-6)
    assert (found - gradient).norm() < 1e-4 * gradient.norm()
