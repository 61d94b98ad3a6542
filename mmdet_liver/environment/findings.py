"""What the facts mean: one finding a thing, and for a problem the command that mends it.

Pure functions of the dict that `facts.collect` returns. The rules are from trying: which
versions go together, and what breaks when they do not.
"""

import shlex
from dataclasses import dataclass

from mmdet_liver.environment.commands import (
    PARTS,
    distributions_of,
    family_of,
    install_torch,
    is_installed,
    numbers,
    pip,
    reinstall,
    requirement,
)
from mmdet_liver.environment.facts import OFFICIAL, ONEDL, OPENCV, PLAIN

OK, NOTE, PROBLEM = 'ok', 'note', 'PROBLEM'


@dataclass(frozen=True)
class Finding:
    """`level` is OK, NOTE (works, or is not needed) or PROBLEM (training cannot work)."""

    level: str
    what: str
    found: str
    command: str = ''


def diagnose(facts: dict) -> list[Finding]:
    """All findings, from the ground up: mend the first problem first."""
    return [
        _python(facts),
        *_torch(facts),
        _numpy(facts),
        _opencv(facts),
        *_families(facts),
        _setuptools(facts),
        _compiled_ops(facts),
        *(_import(facts, name) for name in ('mmdet', 'mmpretrain')),
        _tensorboard(facts),
        *_plain(facts),
        _plugin(facts),
    ]


def training_works(findings: list[Finding]) -> bool:
    return all(f.level != PROBLEM for f in findings)


def as_text(findings: list[Finding]) -> str:
    """One line a finding, aligned; the command stands below what it mends."""
    levels, names = (max(len(v) for v in column) for column in zip(
        *((f.level, f.what) for f in findings), strict=True
    ))  # fmt: skip
    lines = []
    for f in findings:
        lines.append(f'{f.level:{levels}}  {f.what:{names}}  {f.found}')
        if f.command:
            lines.append(f'{"":{levels}}  {"":{names}}  -> {f.command}')
    return '\n'.join(lines)


def _python(facts: dict) -> Finding:
    version = numbers(facts['python'])
    if version < (3, 10):
        # No command can be exact here: where newer Pythons come from differs by system.
        make = 'python3.11 -m venv .venv && .venv/bin/pip install -e ".[onedl]"'
        return Finding(PROBLEM, 'Python', f'{facts["python"]}; 3.10 or later is needed', make)
    if version[:2] not in ((3, 11), (3, 12)):
        return Finding(NOTE, 'Python', f'{facts["python"]}; tried are 3.11 and 3.12')
    return Finding(OK, 'Python', facts['python'])


def _torch(facts: dict) -> list[Finding]:
    probes, mend = facts['probes'], install_torch(facts)
    findings = []
    for name in ('torch', 'torchvision'):
        result = probes[name]
        if result['ok'] is False:
            findings.append(Finding(PROBLEM, name, _failure(facts, name, name), mend))
        else:
            findings.append(_state(name, result))
    torch = probes['torch']
    version = torch.get('version', facts['distributions']['torch'] or '')
    if family_of(facts) == 'official' and version and numbers(version) >= (2, 6):
        found = f'{version}; mmengine 0.10.7 cannot load its own checkpoints from 2.6 on'
        findings[0] = Finding(PROBLEM, 'torch', found, mend)
    if torch['ok']:
        findings.append(_gpu(facts, torch))
    return findings


def _gpu(facts: dict, torch: dict) -> Finding:
    if torch['gpus']:
        return Finding(OK, 'GPU', ', '.join(torch['gpus']))
    if facts['gpu_driver']:
        build = f'CUDA {torch["cuda"]}' if torch['cuda'] else 'the CPU only'
        found = f'a driver is loaded, but torch, built for {build}, sees no GPU; runs on the CPU'
        return Finding(NOTE, 'GPU', found, 'nvidia-smi' if torch['cuda'] else install_torch(facts))
    return Finding(OK, 'GPU', 'none; everything runs on the CPU')


def _numpy(facts: dict) -> Finding:
    result = facts['probes']['numpy']
    if result['ok']:
        return _state('numpy', result)
    mend = pip(facts, 'install --force-reinstall --no-deps numpy')
    return Finding(PROBLEM, 'numpy', _failure(facts, 'numpy', 'numpy'), mend)


def _opencv(facts: dict) -> Finding:
    builds = [f'{n} {v}' for n in OPENCV if (v := facts['distributions'][n])]
    # All builds install into one cv2/: remove them all, or the files of one stay away.
    mend = pip(facts, 'install --no-deps opencv-python-headless')
    if builds:
        mend = f'{pip(facts, "uninstall -y " + " ".join(OPENCV))} ; {mend}'
    result = facts['probes']['cv2']
    if not result['ok']:
        return Finding(PROBLEM, 'OpenCV', _failure(facts, 'cv2', *OPENCV), mend)
    if len(builds) > 1:
        found = f'two builds in one folder ({", ".join(builds)}); it works, by luck of the order'
        return Finding(NOTE, 'OpenCV', found, mend)
    return Finding(OK, 'OpenCV', builds[0] if builds else result['version'])


def _families(facts: dict) -> list[Finding]:
    family = family_of(facts)
    if family == 'both':
        names = [n for n in (*ONEDL, *OFFICIAL) if facts['distributions'][n]]
        remove = pip(facts, 'uninstall -y ' + ' '.join((*ONEDL, *OFFICIAL)))
        mend = f'{remove} && {pip(facts, "install " + " ".join(ONEDL))}'
        found = f'both families, which overwrite each other ({", ".join(names)})'
        return [Finding(PROBLEM, 'OpenMMLab', found, mend)]
    return [_part(facts, family, part) for part in PARTS]


def _part(facts: dict, family: str, part: str) -> Finding:
    names = distributions_of(family, part)
    present = [f'{n} {v}' for n in names if (v := facts['distributions'][n])]
    if len(present) > 1:
        remove = pip(facts, 'uninstall -y mmcv mmcv-lite')
        mend = f'{remove} && {pip(facts, "install mmcv-lite==2.1.0")}'
        return Finding(PROBLEM, part, f'{" and ".join(present)} in one folder', mend)
    if present:
        return Finding(OK, part, present[0])
    mend = pip(facts, f'install {requirement(family, part)}')
    if part == 'mmpretrain':
        return Finding(NOTE, part, 'not installed; only tools/pretrain.py needs it', mend)
    return Finding(PROBLEM, part, 'not installed', mend)


def _setuptools(facts: dict) -> Finding:
    version = facts['distributions']['setuptools']
    if family_of(facts) == 'official' and not facts['probes']['pkg_resources']['ok']:
        found = f'{version or "not installed"}; the official mmengine needs its pkg_resources'
        return Finding(PROBLEM, 'setuptools', found, pip(facts, "install 'setuptools<81'"))
    if not version:
        mend = pip(facts, 'install setuptools')
        return Finding(PROBLEM, 'setuptools', 'not installed; mmengine imports it', mend)
    return Finding(OK, 'setuptools', version)


def _compiled_ops(facts: dict) -> Finding:
    what, result = 'mmcv ops', facts['probes']['mmcv._ext']
    if result['ok'] is None or not is_installed(facts, 'mmcv'):
        return _state(what, result if result['ok'] is None else {'ok': None, 'waits_for': 'mmcv'})
    without = reinstall(facts, 'mmcv')
    if result['ok'] is False:  # the stand-in cannot help where the attempt kills Python
        return Finding(PROBLEM, what, result['error'], without)
    if result['problem'] is None:
        return Finding(OK, what, 'compiled')
    if result['problem'] == 'it is not installed':
        return Finding(OK, what, 'not compiled; fine, nms runs through torchvision')
    found = f'{result["problem"]}; works without them, nms runs through torchvision'
    return Finding(NOTE, what, found, without)


def _import(facts: dict, part: str) -> Finding:
    what, result = f'import {part}', facts['probes'][part]
    if not is_installed(facts, part):
        return Finding(NOTE, what, f'not tried before {part} is installed')
    if result['ok'] is False:
        return Finding(PROBLEM, what, result['error'], reinstall(facts, *PARTS))
    return _state(what, result)


def _tensorboard(facts: dict) -> Finding:
    result = facts['probes']['tensorboard']
    if result['ok'] is False:
        mend = pip(facts, 'install tensorboard future')
        return Finding(PROBLEM, 'tensorboard', _failure(facts, 'tensorboard', 'tensorboard'), mend)
    version = facts['distributions']['tensorboard']
    return _state('tensorboard', {**result, 'version': version})


def _plain(facts: dict) -> list[Finding]:
    versions = facts['distributions']
    return [
        Finding(OK, name, versions[name])
        if versions[name]
        else Finding(PROBLEM, name, 'not installed', pip(facts, f'install {name}'))
        for name in PLAIN
        if name != 'setuptools'
    ]


def _plugin(facts: dict) -> Finding:
    version = facts['distributions']['mmdet_liver']
    if version:
        return Finding(OK, 'mmdet_liver', version)
    found = f'not installed; its tools need {facts["root"]} in PYTHONPATH then'
    mend = pip(facts, f'install -e {shlex.quote(facts["root"])}')
    return Finding(NOTE, 'mmdet_liver', found, mend)


def _state(what: str, result: dict) -> Finding:
    if result['ok'] is None:
        return Finding(NOTE, what, f'not tried before {result["waits_for"]} works')
    return Finding(OK, what, result.get('version') or 'works')


def _failure(facts: dict, probe: str, *distributions: str) -> str:
    if not any(facts['distributions'][name] for name in distributions):
        return f'not installed ({facts["probes"][probe]["error"]})'
    return facts['probes'][probe]['error']
