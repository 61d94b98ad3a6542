"""What a wheel holds, and what installing it asks pip to do."""

import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = ('mmdet', 'mmcv', 'mmengine', 'mmpretrain', 'mmdetection', 'torch', 'opencv')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp('wheel')
    copy = tmp_path_factory.mktemp('copy') / 'project'
    # A copy: setuptools leaves build/ beside setup.py, and a second build would take it along.
    copy.mkdir()
    for name in ('mmdet_liver', 'configs'):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns('__pycache__'))
    for name in ('setup.py', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, copy)
    command = [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps']
    subprocess.run([*command, '--no-build-isolation', '-w', out, copy], check=True)
    (path,) = out.glob('*.whl')
    return zipfile.ZipFile(path)


def test_wheel_brings_every_config(wheel):
    configs = {p.relative_to(ROOT).as_posix() for p in (ROOT / 'configs').rglob('*.py')}
    assert {f'mmdet_liver/{name}' for name in configs} <= set(wheel.namelist())


def test_wheel_brings_every_template(wheel):
    templates = {p.relative_to(ROOT).as_posix() for p in (ROOT / 'mmdet_liver').rglob('*.html')}
    assert templates and templates <= set(wheel.namelist())


def test_config_path_finds_them_in_the_wheel(wheel, tmp_path):
    wheel.extractall(tmp_path)
    name = 'centernet_r18_fix_1xb16-300e_liver4-512'
    code = f'import mmdet_liver; print(mmdet_liver.config_path({name!r}))'
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)


def test_installing_it_leaves_mmdetection_alone(wheel):
    (name,) = [n for n in wheel.namelist() if n.endswith('.dist-info/METADATA')]
    asked = message_from_bytes(wheel.read(name)).get_all('Requires-Dist')
    always = [requirement for requirement in asked if 'extra ==' not in requirement]
    assert always and not any(family in r for r in always for family in FAMILIES)
    assert any('onedl-mmdetection' in requirement for requirement in asked)
