"""The teacher's ignored regions: a rule by hand, a toy run, and runs that agree."""

import pytest
import torch
from centernet_toys import centernet_config
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from torch.utils.data import Dataset

from mmdet_liver import compat

compat.install()

from mmdet.models.detectors import CenterNet  # noqa: E402
from mmdet.registry import MODELS  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmdet.structures.bbox import HorizontalBoxes  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402

import mmdet_liver.models  # noqa: E402, F401
from mmdet_liver.engine.hooks import teacher_ignore_hook as module  # noqa: E402
from mmdet_liver.engine.hooks.teacher_ignore_hook import TeacherIgnoreHook  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402

MODEL = centernet_config(4, (8, 8, 8), max_per_img=20)
LABEL = [4.0, 4, 20, 20]
ELSEWHERE = [40.0, 40, 56, 56]
MARKS = [1, 0, None, None]


@pytest.fixture(autouse=True)
def _one_thread_and_mmdet():
    register_all_modules()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class FourImages(Dataset):
    """64x64 px with a lesion each, of which the first image is fully annotated."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        generator = torch.Generator().manual_seed(i)
        image = torch.randint(0, 255, (3, 64, 64), generator=generator, dtype=torch.uint8)
        return {'inputs': image, 'data_samples': sample(MARKS[i])}


def sample(mark=None, ignored=()):
    made = DetDataSample(metainfo={'img_shape': (64, 64), 'fully_annotated': mark})
    made.gt_instances = instances([LABEL])
    made.ignored_instances = instances(ignored)
    return made


def instances(boxes):
    tensor = torch.tensor(list(boxes)).reshape(-1, 4)
    return InstanceData(
        bboxes=HorizontalBoxes(tensor), labels=torch.zeros(len(tensor), dtype=torch.long)
    )


def ignored_boxes(made):
    return made.ignored_instances.bboxes.tensor.tolist()


class Recorder(Hook):
    """The weights and, after the teacher, the ignored regions of each iteration."""

    priority = 'VERY_LOW'

    def __init__(self):
        self.regions, self.weights, self.losses = [], [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.regions.append([len(s.ignored_instances) for s in data_batch['data_samples']])

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs['loss'].item())
        state = runner.model.state_dict()
        self.weights.append({name: value.clone() for name, value in state.items()})


def run(work_dir, *hooks, ema=True, epochs=4, resume=False, train=True, **kwargs):
    torch.manual_seed(0)
    model = MODELS.build(MODEL)
    averaging = [{'type': 'EMAHook', 'momentum': 0.5}] if ema else []
    recorder = Recorder()
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader={
            'batch_size': 4,
            'num_workers': 0,
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'collate_fn': {'type': 'pseudo_collate'},
            'dataset': FourImages(),
        },
        train_cfg={'by_epoch': True, 'max_epochs': epochs},
        optim_wrapper={'type': 'OptimWrapper', 'optimizer': {'type': 'SGD', 'lr': 0.01}},
        default_hooks={'checkpoint': {'type': 'CheckpointHook', 'interval': 1}},
        custom_hooks=[*averaging, *hooks, recorder],
        default_scope='mmdet',
        randomness={'seed': 0},
        experiment_name=f'teacher {work_dir.name}',
        resume=resume,
        **kwargs,
    )
    if train:
        runner.train()
    return runner, recorder


def teacher_says(monkeypatch, boxes, scores):
    """Replace the networks' predictions by the same boxes on every image."""
    seen = []

    def predict(self, inputs, samples, rescale=True):
        seen.append((len(samples), torch.is_grad_enabled(), self.training, rescale))
        for made in samples:
            made.pred_instances = InstanceData(
                bboxes=torch.tensor(boxes),
                scores=torch.tensor(scores),
                labels=torch.ones(len(boxes), dtype=torch.long),
            )
        return samples

    monkeypatch.setattr(CenterNet, 'predict', predict)
    return seen


@pytest.mark.parametrize(
    'box, known, by',
    [
        pytest.param(ELSEWHERE, [LABEL], False, id='elsewhere'),
        pytest.param(LABEL, [LABEL], True, id='the label itself'),
        pytest.param([4, 4, 20, 8], [LABEL], True, id='IoU 1/4'),
        pytest.param([0, 0, 40, 20], [[0.0, 0, 10, 20]], True, id='IoU 1/4, centre outside'),
        pytest.param([0, 0, 40, 20], [[0.0, 0, 9, 20]], False, id='IoU just below'),
        pytest.param([0, -4, 40, 32], [[4, 4, 12, 28]], False, id='IoU 1/7, centre outside'),
        pytest.param([10, 10, 12, 12], [LABEL], True, id='a small part'),
        pytest.param(ELSEWHERE, [LABEL, [30.0, 30, 60, 60]], True, id='by the second'),
        pytest.param(ELSEWHERE, [], False, id='no label'),
    ],
)
def test_explained(box, known, by):
    known = torch.tensor(known, dtype=torch.float).reshape(-1, 4)
    assert module.explained(torch.tensor([box]).float(), known, 0.25).tolist() == [by]


def test_no_box_to_explain():
    assert module.explained(torch.zeros(0, 4), torch.tensor([LABEL]), 0.25).shape == (0,)


def test_regions_join_those_that_are_ignored_already():
    made = sample(ignored=[[0.0, 50, 9, 60]])
    module.add_ignored(made, torch.tensor([ELSEWHERE]), torch.tensor([1]))
    assert isinstance(made.ignored_instances.bboxes, HorizontalBoxes)
    assert ignored_boxes(made) == [[0, 50, 9, 60], ELSEWHERE]
    assert made.ignored_instances.labels.tolist() == [0, 1]


def test_sample_without_ignored_instances():
    made = DetDataSample()
    module.add_ignored(made, torch.tensor([ELSEWHERE]), torch.tensor([1]))
    assert made.ignored_instances.bboxes.tolist() == [ELSEWHERE]


def test_an_ignored_annotation_explains_too():
    made = sample(ignored=[[36.0, 36, 60, 60]])
    found = InstanceData(
        bboxes=torch.tensor([ELSEWHERE, [0.0, 40, 16, 56]]),
        scores=torch.tensor([0.9, 0.9]),
        labels=torch.tensor([0, 1]),
    )
    assert TeacherIgnoreHook()._ignore(made, found) == 1
    assert ignored_boxes(made) == [[36, 36, 60, 60], [0, 40, 16, 56]]


class Batches(Hook):
    """Keeps the samples that the network is trained on."""

    priority = 'VERY_LOW'

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.samples = data_batch['data_samples']


def test_confident_unexplained_boxes_are_ignored(tmp_path, monkeypatch):
    boxes, scores = [ELSEWHERE, LABEL, [20.0, 40, 30, 50]], [0.3, 0.9, 0.29]
    seen = teacher_says(monkeypatch, boxes, scores)
    kept = Batches()
    runner, _ = run(tmp_path, TeacherIgnoreHook(score_thr=0.3, warmup=0), kept, epochs=1)
    found = [ignored_boxes(made) for made in kept.samples]
    assert found == [[], [ELSEWHERE], [ELSEWHERE], [ELSEWHERE]]
    assert all(made.gt_instances.bboxes.tensor.tolist() == [LABEL] for made in kept.samples)
    # One forward pass of the three images that may lack labels, without a gradient.
    assert seen == [(3, False, False, False)]
    logged = runner.message_hub.get_scalar('train/teacher_regions').current()
    assert logged == pytest.approx(3 / 4)


def test_no_forward_pass_where_all_is_annotated(tmp_path, monkeypatch):
    seen = teacher_says(monkeypatch, [ELSEWHERE], [0.9])
    black = torch.zeros(3, 64, 64, dtype=torch.uint8)
    certified = lambda *_: {'inputs': black, 'data_samples': sample(1)}  # noqa: E731
    monkeypatch.setattr(FourImages, '__getitem__', certified)
    _, recorder = run(tmp_path, TeacherIgnoreHook(warmup=0), epochs=1)
    assert not seen and recorder.regions == [[0, 0, 0, 0]]


def test_an_ignored_cell_has_no_gradient(tmp_path, monkeypatch):
    """The heat map learns nothing in the region, sizes and offsets what they learned before."""
    teacher_says(monkeypatch, [ELSEWHERE], [0.9])
    runner, _ = run(tmp_path, train=False)
    maps = [torch.rand(1, d, 16, 16).requires_grad_() for d in (2, 2, 2)]
    made = sample()
    batch = {'inputs': [torch.zeros(3, 64, 64)], 'data_samples': [made]}
    (predicted,) = module.predict(runner.model, batch)
    TeacherIgnoreHook()._ignore(made, predicted)
    data = runner.model.data_preprocessor(batch, True)
    (ready,) = data['data_samples']
    losses = runner.model.bbox_head.loss_by_feat(
        *([m] for m in maps), [ready.gt_instances], [ready.metainfo], [ready.ignored_instances]
    )
    sum(losses.values()).backward()
    silent = torch.zeros(16, 16, dtype=torch.bool)
    silent[10:14, 10:14] = True
    assert torch.equal((maps[0].grad == 0).all(1)[0], silent)
    assert maps[1].grad.ne(0).any(1).sum() == maps[2].grad.ne(0).any(1).sum() == 1


def test_the_teacher_is_the_averaged_model(tmp_path):
    runner, _ = run(tmp_path, TeacherIgnoreHook(), epochs=2)
    (averaging,) = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    teacher = TeacherIgnoreHook._teacher(runner)
    assert teacher is averaging.ema_model.module and teacher is not runner.model
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_equal_to_a_run_without_it_until_the_warmup_is_over(tmp_path):
    _, plain = run(tmp_path / 'plain')
    # Everything the teacher sees is "sure", so it acts as soon as it may: from iteration 2 of 4.
    _, taught = run(tmp_path / 'taught', TeacherIgnoreHook(score_thr=0, warmup=0.5))
    assert taught.losses[:2] == plain.losses[:2] and taught.losses[2] != plain.losses[2]
    assert [sum(counts) > 0 for counts in taught.regions] == [False, False, True, True]
    assert all(counts[0] == 0 for counts in taught.regions)


def test_resumed_run_ends_as_the_uninterrupted(tmp_path):
    def hook():
        return TeacherIgnoreHook(score_thr=0, warmup=0.25)

    _, whole = run(tmp_path / 'whole', hook())
    # Resumed after the second epoch: within the teacher's time, so the average matters.
    checkpoint = str(tmp_path / 'whole/epoch_2.pth')
    _, resumed = run(tmp_path / 'resumed', hook(), resume=True, load_from=checkpoint)
    assert resumed.regions == whole.regions[2:] and resumed.losses == whole.losses[2:]
    last, expected = resumed.weights[-1], whole.weights[-1]
    assert all(torch.equal(last[name], expected[name]) for name in expected)


def test_needs_an_averaged_model(tmp_path):
    with pytest.raises(InputError, match='TeacherIgnoreHook: found no EMAHook in custom_hooks'):
        run(tmp_path, TeacherIgnoreHook(), ema=False)


@pytest.mark.parametrize('name', ['score_thr', 'iou_thr', 'warmup'])
def test_option_out_of_range(name):
    with pytest.raises(InputError, match=f'found {name}=-1; expected 0 to 1'):
        TeacherIgnoreHook(**{name: -1})
