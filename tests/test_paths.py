from pathlib import Path

import pytest

import mmdet_liver
from mmdet_liver import paths


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name in ('_base_/a.py', 'centernet/b.py', 'centernet/twice.py', 'demo/twice.py'):
        (tmp_path / 'configs' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'configs' / name).touch()
    monkeypatch.setattr(paths, '_CONFIG_ROOTS', (tmp_path / 'none', tmp_path / 'configs'))
    return tmp_path / 'configs'


@pytest.mark.parametrize('name', ['b', 'b.py', 'centernet/b', 'centernet/b.py'])
def test_config_by_name_or_path(root, name):
    assert paths.config_path(name) == str(root / 'centernet/b.py')


@pytest.mark.parametrize(
    'name, message',
    [
        pytest.param('c', "'c' is no shipped config; there are: .*centernet/b.py", id='unknown'),
        pytest.param('twice', "'twice' is ambiguous", id='two of that name'),
        pytest.param('../secret', 'is no shipped config', id='outside'),
    ],
)
def test_unknown_config_names_those_there_are(root, name, message):
    with pytest.raises(FileNotFoundError, match=message):
        paths.config_path(name)


def test_shipped_configs_are_found():
    found = Path(mmdet_liver.config_path('_base_/datasets/liver4'))
    assert found.is_file() and found.name == 'liver4.py'


def test_installation_without_configs_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, '_CONFIG_ROOTS', (tmp_path,))
    with pytest.raises(FileNotFoundError, match='reinstall mmdet_liver'):
        paths.config_path('b')
