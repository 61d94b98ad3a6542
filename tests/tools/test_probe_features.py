"""The probe as a user runs it, on a few lesions and a tiny network."""

import csv
import json
import runpy
from pathlib import Path

import pytest
import torch

from mmdet_liver import compat

compat.install()

from mmdet.models.backbones import ResNet  # noqa: E402

from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.probing.probe import file_names, named_checkpoints  # noqa: E402

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'probe_features.py'
main = runpy.run_path(str(TOOL))['main']
probed_sets = runpy.run_path(str(TOOL.parents[1] / 'tests' / 'probing' / 'probed_sets.py'))


@pytest.fixture(autouse=True, scope='module')
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope='module')
def given(tmp_path_factory):
    """Arguments of the tool: bright cysts and dark HCC, and a checkpoint."""
    root = tmp_path_factory.mktemp('probe')
    train = probed_sets['write_set'](root, 'train', 'abcd', 0)
    val = probed_sets['write_set'](root, 'val', 'xyz', 1)
    torch.manual_seed(0)
    backbone = ResNet(depth=18, base_channels=4)
    backbone.init_weights()
    torch.save(backbone.state_dict(), root / 'net.pth')
    lesions = ['--train', train, '--val', val, '--image-root', root / 'images']
    few = ['--crop-size', 32, '--k', 3, '--random', 2, '--resamples', 20, '--device', 'cpu']
    return root, [str(a) for a in (*lesions, *few)]


def test_folder_holds_numbers_and_pictures(given, tmp_path, capsys):
    pytest.importorskip('sklearn')
    root, options = given
    main([f'ours={root / "net.pth"}', *options, '--out-dir', str(tmp_path)])
    out = capsys.readouterr().out.strip().splitlines()
    assert out[-1].startswith('balanced accuracy: ours ') and out[-1].endswith('probe.md')
    arms = ('ours', 'random_weights', 'pixels')
    pictures = {f'{kind}_{arm}.png' for kind in ('map', 'neighbours') for arm in arms}
    names = {path.name for path in tmp_path.iterdir()}
    assert names == pictures | {'probe.json', 'probe.csv', 'probe.md'}
    content = json.loads((tmp_path / 'probe.json').read_text())
    assert [(arm['name'], arm['runs']) for arm in content['arms']] == [
        ('ours', 1),
        ('random weights', 2),
        ('pixels', 1),
        ('majority class', 1),
    ]
    assert content['train_lesions'] == 8 and content['groups_in_both'] == 0
    # The pixels tell black from white; the most frequent class is right half the time.
    *_, pixels, majority = csv.DictReader((tmp_path / 'probe.csv').open())
    assert float(pixels['accuracy']) == 1 and float(majority['accuracy']) == 0.5


def test_train_against_itself_leaves_patients_out(given, tmp_path):
    root, options = given
    options = [*options, '--no-maps', '--random', '0', '--val', str(root / 'train.json')]
    main([str(root / 'net.pth'), *options, '--out-dir', str(tmp_path)])
    content = json.loads((tmp_path / 'probe.json').read_text())
    assert content['groups_in_both'] == 4 and content['val_lesions'] == 8
    assert '4 are in train too' in (tmp_path / 'probe.md').read_text()
    assert not list(tmp_path.glob('map_*'))


def test_bad_checkpoint_writes_nothing(given, tmp_path):
    root, options = given
    (tmp_path / 'bad.pth').write_text('no checkpoint')
    with pytest.raises(InputError, match='bad.pth'):
        main([str(tmp_path / 'bad.pth'), *options, '--no-maps', '--out-dir', str(tmp_path / 'o')])
    assert not (tmp_path / 'o').exists()


@pytest.mark.parametrize('option', [['--k', '0'], ['--temperature', '0'], ['--stage', '5']])
def test_option_out_of_range(given, option, capsys):
    with pytest.raises(SystemExit) as stop:
        main(['net.pth', *given[1], '--out-dir', 'o', *option])
    assert stop.value.code == 2 and option[0] in capsys.readouterr().err


def test_names():
    given = ['work/simsiam/epoch_20.pth', 'b=x/y.pth', 'work_dirs/simclr']
    assert named_checkpoints(given) == [
        ('simsiam/epoch_20', given[0]),
        ('b', 'x/y.pth'),
        ('work_dirs/simclr', given[2]),
    ]
    for twice in (['a=1', 'a=2'], ['pixels=1']):
        with pytest.raises(InputError, match='NAME=PATH'):
            named_checkpoints(twice)


def test_file_names_do_not_clash():
    assert file_names(['a/b', 'a b', 'A_B', '肝', '../']) == ['a_b', 'a_b_2', 'A_B_3', '肝', 'arm']
