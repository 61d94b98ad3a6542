import pytest
from mmengine.config import Config

from mmdet_liver.errors import InputError
from mmdet_liver.paths import config_root
from mmdet_liver.reproduction.configs import (
    as_arguments,
    epoch_options,
    flat_options,
    load_config,
)
from mmdet_liver.reproduction.grid import read_grid, resolved_config

GRID = """
data: {root: data/busi}
seeds: [0, 1]
arms:
  stock: {config: busi/centernet-stock_r18_1xb4-60e_busi2-256}
"""


def with_lines(tmp_path, *lines, text=GRID):
    path = tmp_path / 'grid.yaml'
    path.write_text(text + '\n'.join(lines))
    return path


@pytest.mark.parametrize(
    'lines, said',
    [
        pytest.param(['armz: {}'], "the key 'armz'", id='unknown key'),
        pytest.param(['  other: {config: busi/none}'], 'no shipped config', id='unknown config'),
        pytest.param(['  other: {}'], 'a config', id='neither config nor checkpoint'),
        pytest.param(['  other: 3'], 'keys config', id='an arm that is a number'),
        pytest.param(['  a b: {config: yolox}'], 'rename', id='a name that is no folder'),
        pytest.param(['compare: [[stock, flex]]'], 'two of the arms', id='unknown arm'),
        pytest.param(['compare: [stock]'], 'two of the arms', id='no pair'),
        pytest.param(['epochs: -1'], '1 or more', id='negative epochs'),
        pytest.param(['epochs: 0'], '1 or more', id='no epochs'),
        pytest.param(['  other: {config: yolox, epochs: 0}'], '1 or more', id='an arm of none'),
        pytest.param(['compare: 3'], 'compare: found 3; expected a list', id='no pairs'),
        pytest.param(['group_by: 3'], 'expected a text', id='grouped by a number'),
        pytest.param(['  7: {config: yolox}'], 'a text of letters', id='a name that is a number'),
        pytest.param(
            ['pretraining: {stock: {config: yolox}}'],
            'pretraining, stock',
            id='unknown config of a pretraining',
        ),
        pytest.param(
            ['  bad: {config: none}', 'pretraining: {bad: {checkpoint: a.pth}}'],
            'arms, bad, config',
            id='unknown config of an arm that has the name of a pretraining',
        ),
        pytest.param(['epochs: true'], 'a whole number', id='epochs yes'),
        pytest.param(['seeds: [0, 0]'], 'each once', id='a seed twice'),
        pytest.param(['data: {root: x, folds: 1}'], '2 or more', id='one fold'),
        pytest.param(['data: {folds: 5}'], "no 'root'", id='no data'),
        pytest.param([': ['], 'no YAML', id='no YAML'),
    ],
)
def test_what_is_wrong_in_a_grid_is_named(tmp_path, lines, said):
    with pytest.raises(InputError, match=said):
        read_grid(with_lines(tmp_path, *lines))


def test_missing_pretraining_is_named(tmp_path):
    line = '  a: {config: busi/centernet_r18_fix_1xb4-60e_busi2-256, pretraining: dino}'
    with pytest.raises(InputError, match="'dino'"):
        read_grid(with_lines(tmp_path, line))
    with pytest.raises(InputError, match='no such file'):
        read_grid(tmp_path / 'none.yaml')


@pytest.mark.parametrize('path', sorted((config_root() / 'grids').glob('*.yaml')), ids=str)
def test_shipped_grids_read_and_their_configs_take_their_options(path):
    grid = read_grid(path)
    trained = [part for part in grid.pretraining.values() if part.config]
    for part in (*grid.arms.values(), *trained):
        config = load_config(resolved_config(part.config), flat_options(part.cfg_options))
        assert config.train_dataloader
        if part.epochs:
            options = epoch_options(config, part.epochs)
            load_config(resolved_config(part.config), options)


def test_a_key_of_the_grid_reaches_the_arms(tmp_path):
    own = '  own: {config: yolox_s_1xb64-300e_busi2-256, epochs: 7}'
    grid = read_grid(with_lines(tmp_path, own, 'epochs: 3'), root='elsewhere')
    assert {name: arm.epochs for name, arm in grid.arms.items()} == {'stock': 3, 'own': 7}
    assert grid.data.root == 'elsewhere' and grid.folds == 1


def test_options_as_the_hosts_parser_reads_them():
    nested = {'a': {'b': 1, 'c.d': [(0, 4), (1, -1)]}, 'e': 'text'}
    flat = flat_options(nested)
    assert flat == {'a.b': 1, 'a.c.d': [(0, 4), (1, -1)], 'e': 'text'}
    from mmengine.config import DictAction

    read = {}
    for word in as_arguments(flat):
        key, _, value = word.partition('=')
        read[key] = DictAction._parse_iterable(value)
    assert read == flat


def test_epochs_scale_every_schedule():
    config = Config(
        dict(
            train_cfg=dict(max_epochs=300, val_interval=5),
            default_hooks=dict(checkpoint=dict(interval=5)),
            param_scheduler=[
                dict(type='LinearLR', by_epoch=False, begin=0, end=500),
                dict(type='MultiStepLR', by_epoch=True, milestones=[193, 257]),
                dict(type='CosineAnnealingLR', begin=30, T_max=270, end=300),
                dict(type='ConstantLR', begin=299, end=300),
            ],
            custom_hooks=[
                dict(type='InputCheckHook'),
                dict(type='StepwiseUnfreezeHook', schedule=[(0, 4), (20, 3), (21, 2), (100, -1)]),
                dict(type='StepwiseUnfreezeHook', unit='fraction', schedule=[(0, 4), (0.5, -1)]),
                dict(type='YOLOXModeSwitchHook', num_last_epochs=15),
                dict(type='StepwiseUnfreezeHook', schedule=[(0, 4), (9, -1)], lr_rise=20),
            ],
        )
    )
    assert epoch_options(config, 30) == {
        'train_cfg.max_epochs': 30,
        'param_scheduler.1.milestones': [19, 26],
        'param_scheduler.2.begin': 3,
        'param_scheduler.2.end': 30,
        'param_scheduler.2.T_max': 27,
        'param_scheduler.3.begin': 30,
        'param_scheduler.3.end': 31,  # MMEngine wants an end after the begin
        'custom_hooks.1.schedule': [(0, 4), (2, 2), (10, -1)],
        'custom_hooks.3.num_last_epochs': 2,
        'custom_hooks.4.schedule': [(0, 4), (1, -1)],
        'custom_hooks.4.lr_rise': 2,
    }
    short = epoch_options(config, 2)
    assert short['train_cfg.val_interval'] == short['default_hooks.checkpoint.interval'] == 2


def test_an_option_that_does_not_fit_is_named():
    with pytest.raises(InputError, match='Index 9'):
        load_config(resolved_config('busi/centernet_r18_fix_1xb4-60e_busi2-256'),
                    {'custom_hooks.9.x': 1})  # fmt: skip


@pytest.mark.parametrize(
    'value',
    [
        pytest.param('/my results/train', id='a blank'),
        pytest.param('a,b', id='a comma'),
        pytest.param('1', id='a number as text'),
        pytest.param([{'type': 'EMAHook'}], id='a dict in a list'),
        pytest.param('[1,2', id='an open bracket'),
    ],
)
def test_an_option_that_the_host_would_read_as_another_is_refused(value):
    with pytest.raises(InputError, match='cfg_options, a.b'):
        as_arguments({'c': 1, 'a.b': value})
