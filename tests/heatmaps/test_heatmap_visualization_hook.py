"""The hook in real trainings of a few steps, and the tool on the checkpoints they leave."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import heatmap_toys as toys
import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image

from mmdet_liver.engine.hooks import HeatmapVisualizationHook
from mmdet_liver.engine.hooks import heatmap_visualization_hook as module
from mmdet_liver.engine.hooks.heatmap_visualization_hook import is_due
from mmdet_liver.errors import InputError
from mmdet_liver.heatmaps.checkpoint import checkpoint_heatmaps, read_config

TOOL = Path(__file__).resolve().parents[2] / 'tools/show_heatmaps.py'
HOOK = {'type': 'HeatmapVisualizationHook', 'num_images': 3, 'max_peaks': 2}


def train(folder, work_dir, hooks, **given):
    torch.set_num_threads(1)
    runner = Runner.from_cfg(toys.run_config(folder, work_dir, hooks, **given))
    runner.train()
    return runner


def pictures(work_dir):
    return sorted(path.name for path in work_dir.rglob('vis_image/*.png'))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return toys.write_data(tmp_path_factory.mktemp('data'))


@pytest.fixture(scope='module')
def trained(folder, tmp_path_factory):
    """A training with the hook: its work folder, the runner, and the maps it drew."""
    work_dir, drawn = tmp_path_factory.mktemp('with_hook'), []
    draw = module.draw_sheet

    def record(images, classes, title):
        drawn.append((title, classes, images))
        return draw(images, classes, title)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, 'draw_sheet', record)
        runner = train(folder, work_dir, [HOOK])
    return work_dir, runner, drawn


def test_a_sheet_an_epoch_goes_to_the_visualizer(trained):
    work_dir, _, drawn = trained
    assert pictures(work_dir) == ['heatmaps_1.png', 'heatmaps_2.png']
    assert [title for title, _, _ in drawn] == ['epoch 1', 'epoch 2']
    assert drawn[0][1] == toys.CLASSES
    names = [[maps.name for maps in images] for _, _, images in drawn]
    assert names == [['p1/a.png', 'p1/b.png', 'p1/c.png']] * 2
    (sheet,) = work_dir.rglob('vis_image/heatmaps_2.png')
    assert Image.open(sheet).size[0] > 1200


def test_the_numbers_are_in_the_log(trained):
    (log,) = trained[0].glob('*/*.log')
    text = log.read_text()
    assert text.count('HeatmapVisualizationHook, epoch') == 2
    assert 'p1/a.png: highest value on lesions' in text and 'p1/c.png: no lesion' in text


def test_they_are_those_of_the_averaged_weights(folder, trained):
    """The checkpoint's own weights are EMA's; the last network's differ."""
    work_dir, runner, drawn = trained
    config = toys.run_config(folder, work_dir, [])
    images, classes = checkpoint_heatmaps(config, work_dir / 'epoch_2.pth', num_images=3)
    assert classes == toys.CLASSES
    for ours, expected in zip(drawn[1][2], images, strict=True):
        assert np.array_equal(ours.predicted, expected.predicted)
    last = runner.model.eval()
    read = module.read_heatmaps(last, runner.val_dataloader.dataset, 0, max_peaks=1)
    assert not np.array_equal(read.predicted, images[0].predicted)


def test_training_ends_bit_equal_to_one_without_the_hook(folder, trained, tmp_path):
    train(folder, tmp_path, [])
    ours, plain = (
        torch.load(path / 'epoch_2.pth', weights_only=False) for path in (trained[0], tmp_path)
    )
    for part in ('state_dict', 'ema_state_dict'):
        assert ours[part].keys() == plain[part].keys()
        assert all(torch.equal(value, plain[part][name]) for name, value in ours[part].items())
    assert not pictures(tmp_path)


def test_an_iteration_based_run_counts_iterations(folder, tmp_path):
    given = {'by_epoch': False, 'steps': 3, 'val_interval': 1}
    train(folder, tmp_path, [{**HOOK, 'interval': 2}], **given)
    assert pictures(tmp_path) == ['heatmaps_2.png', 'heatmaps_3.png']


def test_validation_alone_is_drawn(folder, trained, tmp_path):
    config = toys.run_config(folder, tmp_path, [{**HOOK, 'interval': 7}])
    config.load_from = str(trained[0] / 'epoch_2.pth')
    Runner.from_cfg(config).val()
    assert pictures(tmp_path) == ['heatmaps_0.png']


def test_other_ranks_draw_nothing(monkeypatch):
    monkeypatch.setattr(module, 'is_main_process', lambda: False)
    HeatmapVisualizationHook().before_val_iter(None, 0)
    monkeypatch.setattr(module, 'is_main_process', lambda: True)
    HeatmapVisualizationHook().before_val_iter(None, 1)
    with pytest.raises(AttributeError):
        HeatmapVisualizationHook().before_val_iter(None, 0)


@pytest.mark.parametrize(
    'step, interval, last, due',
    [(5, 5, 300, True), (6, 5, 300, False), (300, 7, 300, True), (0, 5, 10, True)],
)
def test_is_due(step, interval, last, due):
    assert is_due(step, interval, last) == due


@pytest.mark.parametrize(
    'given, found',
    [
        ({'interval': 0}, 'interval=0'),
        ({'num_images': 2.5}, 'num_images=2.5'),
        ({'max_peaks': -1}, 'max_peaks=-1'),
        ({'images': 'a.png'}, "images='a.png'"),
        ({'name': 'val/maps'}, "name='val/maps'"),
        ({'name': ''}, "name=''"),
    ],
)
def test_impossible_arguments_are_refused(given, found):
    with pytest.raises(ValueError, match=f'HeatmapVisualizationHook: found {found}; expected a '):
        HeatmapVisualizationHook(**given)


def test_a_missing_image_and_a_run_without_validation_are_told_before_training(folder, tmp_path):
    dataset = toys.dataset(folder)
    runner = SimpleNamespace(
        model=toys.model(),
        val_loop=object(),
        val_dataloader=SimpleNamespace(dataset=dataset),
        train_loop=None,
    )
    with pytest.raises(InputError, match='images: z.png: found 0 images'):
        HeatmapVisualizationHook(images=['z.png']).before_train(runner)
    runner.val_loop = None
    with pytest.raises(InputError, match='found a run without validation'):
        HeatmapVisualizationHook().before_train(runner)


def show(folder, checkpoint, out, *given):
    spec = importlib.util.spec_from_file_location('show_heatmaps', TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    config = out / 'config.py'
    out.mkdir(exist_ok=True)
    toys.run_config(folder, out, []).dump(config)
    tool.main([str(config), str(checkpoint), '--out-dir', str(out), *given])


def test_the_tool_writes_the_sheet_and_prints_the_numbers(folder, trained, tmp_path, capsys):
    show(folder, trained[0] / 'epoch_2.pth', tmp_path, '--images', 'b.png', 'c.png')
    said = capsys.readouterr().out.splitlines()[-3:]
    assert said[0].startswith('p1/b.png: highest value') and said[1].startswith('p1/c.png: no')
    target = tmp_path / 'heatmaps_epoch_2.png'
    assert said[2] == f'heat maps written to {target}' and target.is_file()


def test_the_tool_refuses_what_does_not_fit(folder, trained, tmp_path):
    good = trained[0] / 'epoch_2.pth'
    with pytest.raises(InputError, match='found no such file; expected a checkpoint'):
        show(folder, tmp_path / 'no.pth', tmp_path)
    with pytest.raises(InputError, match='tensors that do not fit, first backbone'):
        show(folder, good, tmp_path, '--cfg-options', 'model.backbone.base_channels=16',
             'model.neck.in_channels=128')  # fmt: skip
    with pytest.raises(InputError, match='found no such file; expected a config'):
        read_config(tmp_path / 'no.py')
