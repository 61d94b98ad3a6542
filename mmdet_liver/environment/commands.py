"""The two OpenMMLab families and torch as pip sees them, and the commands that install them.

Every function reads the dict that `facts.collect` returns.
"""

import re
import shlex

from mmdet_liver.environment.facts import OFFICIAL, ONEDL

PARTS = ('mmengine', 'mmcv', 'mmdet', 'mmpretrain')
# The last of each; they were tried together.
_OFFICIAL_PINS = ('mmengine==0.10.7', 'mmcv-lite==2.1.0', 'mmdet==3.3.0', 'mmpretrain==1.2.0')


def family_of(facts: dict) -> str:
    onedl, official = (any(facts['distributions'][n] for n in f) for f in (ONEDL, OFFICIAL))
    return 'both' if onedl and official else 'official' if official else 'onedl'


def distributions_of(family: str, part: str) -> tuple[str, ...]:
    if family == 'official':
        return ('mmcv', 'mmcv-lite') if part == 'mmcv' else (part,)
    return ('onedl-mmdetection',) if part == 'mmdet' else (f'onedl-{part}',)


def requirement(family: str, part: str) -> str:
    if family == 'official':
        return _OFFICIAL_PINS[PARTS.index(part)]
    return distributions_of('onedl', part)[0]


def is_installed(facts: dict, part: str) -> bool:
    families = ('official', 'onedl') if family_of(facts) == 'both' else (family_of(facts),)
    return any(facts['distributions'][n] for f in families for n in distributions_of(f, part))


def reinstall(facts: dict, *parts: str) -> str:
    family = 'official' if family_of(facts) == 'official' else 'onedl'
    needed = ' '.join(requirement(family, part) for part in parts)
    install = pip(facts, f'install --force-reinstall --no-deps --no-cache-dir {needed}')
    # mmcv and mmcv-lite own the same files.
    clear = 'mmcv' in parts and family == 'official'
    return f'{pip(facts, "uninstall -y mmcv")} ; {install}' if clear else install


def install_torch(facts: dict) -> str:
    torch = "'torch<2.6'" if family_of(facts) == 'official' else 'torch'
    install = pip(facts, f'install {torch} torchvision')
    if not any(facts['distributions'][name] for name in ('torch', 'torchvision')):
        return install
    return f'{pip(facts, "uninstall -y torch torchvision")} ; {install}'


def pip(facts: dict, arguments: str) -> str:
    return f'{shlex.quote(facts["executable"])} -m pip {arguments}'


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r'\d+', version.split('+')[0])[:3])
