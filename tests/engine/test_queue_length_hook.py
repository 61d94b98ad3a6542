import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmdet_liver import compat

compat.install()

from mmdet_liver.engine.hooks.queue_length_hook import (  # noqa: E402
    QueueLengthHook,
    queue_length,
)
from mmdet_liver.errors import InputError  # noqa: E402


@pytest.mark.parametrize(
    'wanted, images, batch, share, expected',
    [
        pytest.param(4096, 80000, 256, 0.5, 4096, id='large data: as wanted'),
        pytest.param(65536, 875, 64, 0.5, 384, id='half of the images is 437'),
        pytest.param(65536, 875, 64, 1, 832, id='all of them'),
        pytest.param(100, 80000, 64, 0.5, 64, id='wanted is no multiple'),
        pytest.param(65536, 100, 64, 0.5, 64, id='one batch at least'),
        pytest.param(640, 1280, 64, 0.5, 640, id='fits as it is'),
    ],
)
def test_queue_length(wanted, images, batch, share, expected):
    assert queue_length(wanted, images, batch, share) == expected


class Toy(BaseModel):
    """The queues of DenseCL."""

    queue_len = 64

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        for name in ('queue', 'queue2'):
            self.register_buffer(name, torch.zeros(5, 64))
            self.register_buffer(f'{name}_ptr', torch.zeros(1, dtype=torch.long))

    def forward(self, inputs, mode='loss'):
        with torch.no_grad():
            self.queue[:, 0] += 1  # as a step writes into it
        return dict(loss=self.weight.sum())


def train(work_dir, images=30, batch=4, drop_last=True, resume=False, epochs=1):
    data = [dict(inputs=torch.ones(1))] * images
    runner = Runner(
        model=Toy(),
        work_dir=str(work_dir),
        train_dataloader=DataLoader(data, batch_size=batch, drop_last=drop_last),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=[dict(type='QueueLengthHook')],
        experiment_name=f'{work_dir.name}{epochs}',
        resume=resume,
    )
    runner.train()
    return runner


def test_both_queues_are_shortened_to_unit_columns(tmp_path):
    model = train(tmp_path).model
    assert model.queue_len == 12  # half of 30 is 15
    for queue in (model.queue, model.queue2):
        assert queue.shape == (5, 12)
        assert torch.allclose(queue[:, 1:].norm(dim=0), torch.ones(11))
    assert not torch.equal(model.queue, model.queue2)
    assert dict(model.named_buffers()).keys() == dict(Toy().named_buffers()).keys()


def test_resumed_run_goes_on_with_its_queue(tmp_path):
    before = train(tmp_path).model.queue
    after = train(tmp_path, resume=True, epochs=2).model.queue
    before[:, 0] += 7  # steps of the second epoch
    assert torch.allclose(before, after)


@pytest.mark.parametrize(
    'options',
    [dict(images=3), dict(images=30, drop_last=False)],
    ids=['less than a batch', 'a smaller last batch'],
)
def test_batches_must_be_whole(tmp_path, options):
    with pytest.raises(InputError, match='train_dataloader: found .*set drop_last=True'):
        train(tmp_path, **options)


def test_model_without_a_queue(tmp_path, monkeypatch):
    monkeypatch.delattr(Toy, 'queue_len')
    with pytest.raises(InputError, match='found Toy without queue_len'):
        train(tmp_path)


@pytest.mark.parametrize('share', [0, 1.5])
def test_wrong_share(share):
    with pytest.raises(ValueError, match='expected 0 < max_share <= 1'):
        QueueLengthHook(share)
