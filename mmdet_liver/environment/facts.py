"""What is installed and what really imports, as a plain dict.

Everything heavy is imported in a process of its own with a time limit, so that a missing
library, a crash inside a compiled one or a hanging driver ends that process alone.
"""

import json
import os
import platform
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

ONEDL = ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmdetection', 'onedl-mmpretrain')
OFFICIAL = ('mmengine', 'mmcv', 'mmcv-lite', 'mmdet', 'mmpretrain')
OPENCV = (
    'opencv-python',
    'opencv-python-headless',
    'opencv-contrib-python',
    'opencv-contrib-python-headless',
)
# Small ones: that they are there says enough.
PLAIN = ('Pillow', 'matplotlib', 'tqdm', 'setuptools')
_DISTRIBUTIONS = (
    *('mmdet_liver', 'torch', 'torchvision', 'numpy', 'tensorboard'),
    *(*PLAIN, *OPENCV, *ONEDL, *OFFICIAL),
)
_TIMEOUT_S = 180
_MARK = 'FACTS:'
_ROOT = Path(__file__).resolve().parents[2]

# Each fills `found`, a dict that must fit into JSON; an exception is the probe's failure.
_CODE = {
    'numpy': 'import numpy; found["version"] = numpy.__version__',
    'cv2': 'import cv2; found["version"] = cv2.__version__',
    'pkg_resources': 'import pkg_resources',
    'torch': """
import torch
found['version'] = torch.__version__
found['cuda'] = torch.version.cuda
found['gpus'] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
if torch.cuda.is_available():
    torch.ones(2, device='cuda').sum().item()  # a kernel for this GPU is in the build
""",
    'torchvision': """
import torch, torchvision
torchvision.ops.nms(torch.tensor([[0., 0., 1., 1.]]), torch.ones(1), 0.5)
found['version'] = torchvision.__version__
""",
    'mmcv._ext': """
from mmdet_liver import compat
found['problem'] = compat.compiled_ops_problem()
""",
    'mmdet': """
from mmdet_liver import compat
compat.install()
import mmengine, mmcv, mmdet, mmdet.models, mmdet.engine, mmdet.datasets
found['version'] = mmdet.__version__
""",
    'mmpretrain': """
from mmdet_liver import compat
compat.install()
import mmpretrain, mmpretrain.models
found['version'] = mmpretrain.__version__
""",
    'tensorboard': 'from torch.utils.tensorboard import SummaryWriter',
}
# A probe is not worth starting before those it stands on work.
_NEEDS = {
    'torchvision': ('numpy', 'torch'),
    'mmcv._ext': ('numpy', 'torch', 'cv2'),
    'mmdet': ('numpy', 'torch', 'torchvision', 'cv2'),
    'mmpretrain': ('numpy', 'torch', 'torchvision', 'cv2'),
    'tensorboard': ('numpy', 'torch'),
}


def collect() -> dict:
    """Probe this interpreter's environment.

    Returns:
        `python` (version), `executable`, `root` (of the checkout, or site-packages),
        `gpu_driver` (bool: an NVIDIA driver is loaded), `distributions` {name: version or
        None}, and `probes` {name: result} with `ok` True and what the probe found, or
        `ok` False and `error` in one line, or `ok` None and `waits_for` another probe.
    """
    return {
        'python': platform.python_version(),
        'executable': sys.executable,
        'root': str(_ROOT),
        'gpu_driver': Path('/proc/driver/nvidia/version').exists(),
        'distributions': {name: _version(name) for name in _DISTRIBUTIONS},
        'probes': _probe_all(),
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except Exception:  # a half removed distribution fails in many ways
        return None


def _probe_all() -> dict[str, dict]:
    results: dict[str, dict] = {}
    with ThreadPoolExecutor(2) as pool:
        while len(results) < len(_CODE):
            ready = []
            for name in (n for n in _CODE if n not in results):
                needs = _NEEDS.get(name, ())
                broken = [n for n in needs if n in results and not results[n]['ok']]
                if broken:
                    results[name] = {'ok': None, 'waits_for': broken[0]}
                elif all(n in results for n in needs):
                    ready.append(name)
            results.update(zip(ready, pool.map(probe, [_CODE[n] for n in ready]), strict=True))
    return {name: results[name] for name in _CODE}


def probe(code: str, timeout_s: float = _TIMEOUT_S) -> dict:
    """Run `code`, which fills the dict `found`, in a process of its own.

    Returns:
        {'ok': True, **found}, or {'ok': False, 'error': one line}.
    """
    lines = [
        'import sys, json',
        'sys.path[:] = [p for p in sys.path if p]',  # not what lies in the current folder
        f'sys.path.append({str(_ROOT)!r})',
        'found = {}',
        code,
        f'print({_MARK!r} + json.dumps(found))',
    ]
    try:
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-c', '\n'.join(lines)],
            capture_output=True,
            text=True,
            errors='replace',
            timeout=timeout_s,
            env={**os.environ, 'NO_ALBUMENTATIONS_UPDATE': '1'},
        )
    except subprocess.TimeoutExpired:
        return {'ok': False, 'error': f'no answer within {timeout_s:g} s'}
    except OSError as error:
        return {'ok': False, 'error': f'Python does not start: {error}'}
    marked = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode == 0 and marked:
        return {'ok': True, **json.loads(marked[-1].removeprefix(_MARK))}
    return {'ok': False, 'error': _reason(done.returncode, done.stderr)}


def _reason(status: int, stderr: str) -> str:
    if status < 0:
        try:
            return f'Python died of {signal.Signals(-status).name}'
        except ValueError:
            return f'Python died of signal {-status}'
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    # An exception of many lines begins at the last line that names an exception.
    named = [
        i for i, line in enumerate(lines) if line.split(':')[0].endswith(('Error', 'Exception'))
    ]
    text = ' '.join(lines[named[-1] :] if named else lines[-1:])
    return text[:300] or f'Python ended with status {status}'
