"""The check of checkpoint and classes, on runners reduced to what it reads."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmdet_liver import compat

compat.install()

from mmengine.model import BaseModel, BaseTTAModel  # noqa: E402

from mmdet_liver.engine.hooks import InputCheckHook  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.models.state_dicts import mismatches  # noqa: E402


class Net(BaseModel):
    def __init__(self, num_classes=4):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
        self.bbox_head = nn.Linear(2, num_classes)
        self.bbox_head.num_classes = num_classes

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.bbox_head(inputs)


class TTA(BaseTTAModel):
    def merge_preds(self, data_samples_list):
        return data_samples_list


def runner(model=None, metainfo=None, resume=False):
    metainfo = {'classes': ('cyst', 'HCC', 'hemangioma', 'Meta')} if metainfo is None else metainfo
    loader = SimpleNamespace(dataset=SimpleNamespace(metainfo=metainfo))
    warnings = []
    return SimpleNamespace(
        model=model or Net(),
        cfg={'resume': resume},
        warnings=warnings,
        logger=SimpleNamespace(warning=warnings.append),
        **{f'{split}_dataloader': loader for split in ('train', 'val', 'test')},
    )


WEIGHT, OTHER = torch.zeros(2, 3), torch.zeros(2, 4)


@pytest.mark.parametrize(
    'found, problems',
    [
        pytest.param({'a': WEIGHT, 'n.num_batches_tracked': WEIGHT}, [], id='equal'),
        pytest.param({'module.a': WEIGHT, 'n.num_batches_tracked': WEIGHT}, [], id='from DDP'),
        pytest.param({'a': WEIGHT}, [], id='no counter'),
        pytest.param({'a': OTHER}, ['a (2, 4) instead of (2, 3)'], id='another shape'),
        pytest.param({'a': WEIGHT, 'b': WEIGHT}, ['b unknown'], id='left over'),
        pytest.param({}, ['a missing'], id='missing'),
    ],
)
def test_mismatches(found, problems):
    assert mismatches(found, {'a': WEIGHT, 'n.num_batches_tracked': WEIGHT}) == problems


@pytest.mark.parametrize('phase', ['before_val', 'before_test'])
@pytest.mark.parametrize('wrap', [lambda net: net, TTA], ids=['plain', 'TTA'])
def test_the_models_own_checkpoint_passes_and_a_foreign_one_does_not(phase, wrap):
    ours, hook = runner(wrap(Net())), InputCheckHook()
    hook.after_load_checkpoint(ours, {'state_dict': Net().state_dict()})
    assert getattr(hook, phase)(ours) is None
    hook.after_load_checkpoint(ours, {'state_dict': Net(num_classes=2).state_dict()})
    with pytest.raises(InputError, match='bbox_head.weight .2, 2. instead of .4, 2.'):
        getattr(hook, phase)(ours)


def test_training_takes_a_part_with_a_warning_and_then_owns_its_weights():
    ours, hook = runner(), InputCheckHook()
    hook.after_load_checkpoint(ours, {'state_dict': Net(num_classes=2).state_dict()})
    hook.before_train(ours)
    assert len(ours.warnings) == 1 and 'training goes on' in ours.warnings[0]
    assert hook.before_val(ours) is None


def test_resuming_refuses_at_once():
    with pytest.raises(InputError, match='do not fit'):
        InputCheckHook().after_load_checkpoint(
            runner(resume=True), {'state_dict': Net(num_classes=2).state_dict()}
        )


@pytest.mark.parametrize(
    'metainfo, fits',
    [
        pytest.param({}, True, id='data set without classes'),
        pytest.param({'classes': ('a', 'b')}, False, id='two'),
        pytest.param([{'classes': ('a',) * 4}, {'classes': ('b',) * 4}], True, id='parts that fit'),
        pytest.param([{'classes': ('a',) * 4}, {'classes': ('b',)}], False, id='one does not'),
    ],
)
def test_number_of_classes(metainfo, fits):
    ours = runner(metainfo=metainfo)
    if fits:
        assert InputCheckHook().before_train(ours) is None
    else:
        with pytest.raises(InputError, match='num_classes=4'):
            InputCheckHook().before_train(ours)
