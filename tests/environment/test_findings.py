"""Findings from made-up facts, one table row a broken installation."""

import copy
from pathlib import Path

import pytest

from mmdet_liver.environment import commands
from mmdet_liver.environment.facts import OFFICIAL, ONEDL, OPENCV
from mmdet_liver.environment.findings import (
    NOTE,
    OK,
    PROBLEM,
    as_text,
    diagnose,
    training_works,
)

WORKS = {'ok': True, 'version': '1'}
HEALTHY = {
    'python': '3.11.7',
    'executable': '/venv/bin/python',
    'root': '/src/liver',
    'gpu_driver': False,
    'distributions': {
        **dict.fromkeys((*OFFICIAL, *OPENCV)),
        **dict.fromkeys(('mmdet_liver', 'torch', 'torchvision', 'numpy', 'tensorboard'), '1'),
        **dict.fromkeys(('Pillow', 'matplotlib', 'tqdm'), '1'),
        **dict.fromkeys(ONEDL, '1'),
        'setuptools': '84.0',
        'opencv-python-headless': '4.12',
    },
    'probes': {
        **dict.fromkeys(
            ('numpy', 'cv2', 'torchvision', 'mmdet', 'mmpretrain', 'tensorboard'), WORKS
        ),
        'torch': {'ok': True, 'version': '2.15.0', 'cuda': '13.2', 'gpus': []},
        'mmcv._ext': {'ok': True, 'problem': 'it is not installed'},
        'pkg_resources': {'ok': False, 'error': "No module named 'pkg_resources'"},
    },
}
OFFICIAL_SET = {
    **dict.fromkeys(ONEDL),
    **{'mmengine': '0.10.7', 'mmcv-lite': '2.1.0', 'mmdet': '3.3.0', 'mmpretrain': '1.2.0'},
}
TORCH_2_5 = {'ok': True, 'version': '2.5.1+cpu', 'cuda': None, 'gpus': []}
PIP = '/venv/bin/python -m pip '


def facts_with(distributions=None, probes=None, **others):
    facts = {**copy.deepcopy(HEALTHY), **others}
    facts['distributions'].update(distributions or {})
    facts['probes'].update(probes or {})
    return facts


def failed(error):
    return {'ok': False, 'error': error}


def test_healthy_installation_has_nothing_to_mend():
    findings = diagnose(HEALTHY)
    assert {f.level for f in findings} == {OK} and not any(f.command for f in findings)
    assert training_works(findings)


def test_official_family_with_what_it_needs_is_healthy():
    probes = {'torch': TORCH_2_5, 'pkg_resources': {'ok': True}}
    facts = facts_with({**OFFICIAL_SET, 'setuptools': '80.9', 'torch': '2.5.1'}, probes)
    assert {f.level for f in diagnose(facts)} == {OK}


@pytest.mark.parametrize(
    'facts, what, found, command',
    [
        pytest.param(
            facts_with(python='3.9.2'), 'Python', '3.9.2', 'python3.11 -m venv', id='old Python'
        ),
        pytest.param(
            facts_with(
                probes={
                    'torchvision': failed('RuntimeError: operator torchvision::nms does not exist')
                }
            ),
            'torchvision',
            'operator torchvision::nms does not exist',
            f'{PIP}uninstall -y torch torchvision ; {PIP}install torch torchvision',
            id='torchvision of another torch',
        ),
        pytest.param(
            facts_with(
                {'torch': None, 'torchvision': None}, {'torch': failed("No module named 'torch'")}
            ),
            'torch',
            'not installed',
            f'{PIP}install torch torchvision',
            id='no torch',
        ),
        pytest.param(
            facts_with(probes={'torch': failed('Python died of SIGSEGV')}),
            'torch',
            'SIGSEGV',
            f'{PIP}uninstall -y torch torchvision ; {PIP}install torch torchvision',
            id='torch that crashes',
        ),
        pytest.param(
            facts_with(
                {'opencv-python': '4.12'}, {'cv2': failed('ImportError: libGL.so.1: cannot open')}
            ),
            'OpenCV',
            'libGL.so.1',
            f'{PIP}install --no-deps opencv-python-headless',
            id='no libGL',
        ),
        pytest.param(
            facts_with(probes={'numpy': failed('ImportError: broken')}),
            'numpy',
            'broken',
            f'{PIP}install --force-reinstall --no-deps numpy',
            id='numpy broken',
        ),
        pytest.param(
            facts_with({'mmdet': '3.3.0'}),
            'OpenMMLab',
            'both families',
            f'{PIP}install onedl-mmengine onedl-mmcv onedl-mmdetection onedl-mmpretrain',
            id='both families',
        ),
        pytest.param(
            facts_with({'onedl-mmcv': None}),
            'mmcv',
            'not installed',
            f'{PIP}install onedl-mmcv',
            id='no mmcv',
        ),
        pytest.param(
            facts_with(
                {**OFFICIAL_SET, 'mmcv': '2.1.0'}, {'torch': TORCH_2_5, 'pkg_resources': WORKS}
            ),
            'mmcv',
            'mmcv 2.1.0 and mmcv-lite 2.1.0',
            f'{PIP}uninstall -y mmcv mmcv-lite && {PIP}install mmcv-lite==2.1.0',
            id='mmcv and mmcv-lite',
        ),
        pytest.param(
            facts_with(OFFICIAL_SET, {'pkg_resources': WORKS}),
            'torch',
            '2.15.0; mmengine 0.10.7 cannot load',
            f"{PIP}install 'torch<2.6' torchvision",
            id='official mmengine with a late torch',
        ),
        pytest.param(
            facts_with(OFFICIAL_SET, {'torch': TORCH_2_5}),
            'setuptools',
            '84.0',
            f"{PIP}install 'setuptools<81'",
            id='official mmengine without pkg_resources',
        ),
        pytest.param(
            facts_with({'setuptools': None}),
            'setuptools',
            'not installed',
            f'{PIP}install setuptools',
            id='no setuptools',
        ),
        pytest.param(
            facts_with(probes={'mmcv._ext': failed('Python died of SIGSEGV')}),
            'mmcv ops',
            'SIGSEGV',
            f'{PIP}install --force-reinstall --no-deps --no-cache-dir onedl-mmcv',
            id='ops that crash',
        ),
        pytest.param(
            facts_with(
                probes={'mmdet': failed('AssertionError: MMCV==1.0 is used but incompatible')}
            ),
            'import mmdet',
            'MMCV==1.0',
            'install --force-reinstall --no-deps --no-cache-dir onedl-mmengine onedl-mmcv',
            id='mmdet that does not import',
        ),
        pytest.param(
            facts_with(
                {'tensorboard': None}, {'tensorboard': failed("No module named 'tensorboard'")}
            ),
            'tensorboard',
            'not installed',
            f'{PIP}install tensorboard future',
            id='no tensorboard',
        ),
        pytest.param(
            facts_with({'tqdm': None}), 'tqdm', 'not installed', f'{PIP}install tqdm', id='no tqdm'
        ),
    ],
)
def test_broken_installation_is_named_with_its_command(facts, what, found, command):
    problems = {f.what: f for f in diagnose(facts) if f.level == PROBLEM}
    assert list(problems) == [what]
    assert found in problems[what].found and command in problems[what].command
    assert not training_works(diagnose(facts))


@pytest.mark.parametrize(
    'facts, what, found',
    [
        pytest.param(
            facts_with({'opencv-python': '4.12'}), 'OpenCV', 'two builds', id='two OpenCVs'
        ),
        pytest.param(facts_with(python='3.14.0'), 'Python', 'tried are 3.11', id='untried Python'),
        pytest.param(
            facts_with({'mmdet_liver': None}), 'mmdet_liver', '/src/liver', id='no plugin'
        ),
        pytest.param(facts_with(gpu_driver=True), 'GPU', 'CUDA 13.2', id='GPU that torch misses'),
        pytest.param(
            facts_with(probes={'mmcv._ext': {'ok': True, 'problem': 'undefined symbol: _Z1'}}),
            'mmcv ops',
            'undefined symbol: _Z1; works without',
            id='ops of another build',
        ),
        pytest.param(
            facts_with(probes={'mmdet': {'ok': None, 'waits_for': 'torch'}}),
            'import mmdet',
            'not tried before torch works',
            id='not tried',
        ),
    ],
)
def test_what_does_not_stop_training_is_a_note(facts, what, found):
    findings = diagnose(facts)
    assert [(f.what, f.level) for f in findings if f.level != OK] == [(what, NOTE)]
    assert found in next(f for f in findings if f.what == what).found
    assert training_works(findings)


@pytest.mark.parametrize(
    'probes, what, found',
    [
        pytest.param(
            {'mmcv._ext': {'ok': True, 'problem': None}}, 'mmcv ops', 'compiled', id='ops'
        ),
        pytest.param({'torch': {**TORCH_2_5, 'gpus': ['H200']}}, 'GPU', 'H200', id='GPU'),
        pytest.param({}, 'GPU', 'none; everything runs on the CPU', id='no GPU'),
        pytest.param({}, 'mmcv ops', 'not compiled; fine, nms runs through torchvision', id='none'),
    ],
)
def test_what_is_there_is_told(probes, what, found):
    told = {f.what: f for f in diagnose(facts_with(probes=probes))}
    assert (told[what].level, told[what].found) == (OK, found)


def test_nothing_at_all_installed():
    nothing = failed("ModuleNotFoundError: No module named 'x'")
    facts = facts_with(dict.fromkeys(HEALTHY['distributions']))
    facts['probes'] = dict.fromkeys(facts['probes'], nothing)
    findings = diagnose(facts)
    assert sum(f.level == PROBLEM for f in findings) >= 10
    assert all(f.command for f in findings if f.level == PROBLEM)


def test_text_is_aligned_with_the_command_below():
    lines = as_text(diagnose(facts_with({'tqdm': None}))).splitlines()
    at = next(i for i, line in enumerate(lines) if ' tqdm ' in line)
    assert lines[at].split() == ['PROBLEM', 'tqdm', 'not', 'installed']
    assert lines[at + 1].strip() == f'-> {PIP}install tqdm'
    assert lines[at].index('not') == lines[at + 1].index('->') == lines[0].index('3.11.7')


def test_training_works_without_mmpretrain():
    facts = facts_with({'onedl-mmpretrain': None}, {'mmpretrain': failed('ModuleNotFoundError')})
    findings = diagnose(facts)
    (missing,) = [f for f in findings if f.what == 'mmpretrain']
    assert (missing.level, missing.command) == (NOTE, f'{PIP}install onedl-mmpretrain')
    assert training_works(findings)


def test_commands_name_the_versions_that_setup_asks_for():
    asked = (Path(__file__).resolve().parents[2] / 'setup.py').read_text()
    pins = (*commands._OFFICIAL_PINS, 'torch<2.6', 'setuptools<81')
    assert [pin for pin in pins if f"'{pin}'" not in asked] == []
