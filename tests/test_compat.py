"""Each case in a process of its own: what is imported, and in which order, is the point."""

import subprocess
import sys

import pytest

# Put before each case: `_ext` is taken away where the machine has it, so that the cases do
# not depend on how mmcv was built here.
WITHOUT_EXT = """
import sys, warnings
from importlib.abc import MetaPathFinder
class Hide(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == 'mmcv._ext':
            raise ModuleNotFoundError("No module named 'mmcv._ext'", name=name)
sys.meta_path.insert(0, Hide())
warnings.simplefilter('ignore')
"""
# An `_ext` of another build lies in mmcv's folder as far as Python can tell.
WITH_EXT = """
import sys, warnings
warnings.simplefilter('ignore')
import mmcv
mmcv.__path__.insert(0, {folder!r})
"""


def run(code):
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_compiled_ops_mmdet_imports_and_nms_is_torchvisions():
    code = """
from mmdet_liver import compat
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    print(compat.install(), compat.install())
print(sum('mmcv has no usable compiled ops' in str(w.message) for w in caught))
import importlib.util, torch, torchvision
import mmdet.models, mmdet.apis
from mmcv.ops import batched_nms, nms
from mmcv.ops.roi_align import ext_module
print(importlib.util.find_spec('mmcv._ext').name)
rng = torch.Generator().manual_seed(0)
xy, wh = torch.rand(300, 2, generator=rng) * 60, torch.rand(300, 2, generator=rng) * 40
boxes, scores = torch.cat([xy, xy + wh], dim=1), torch.rand(300, generator=rng)
for thr in (0.1, 0.5, 0.9):
    kept = torchvision.ops.nms(boxes, scores, thr)
    found, index = nms(boxes, scores, thr)
    assert torch.equal(index, kept) and 0 < len(kept) < 300, thr
    assert torch.equal(found, torch.cat([boxes[kept], scores[kept, None]], dim=1))
# Counted inclusively (offset 1) these two overlap by 10 of 30 pixels, else by 5 of 35.
pair = torch.tensor([[0., 0., 9., 1.], [5., 0., 14., 1.]])
print([len(nms(pair, torch.tensor([.9, .8]), 0.3, offset=o)[1]) for o in (0, 1)])
labels = torch.arange(300) % 3
found, index = batched_nms(boxes, scores, labels, dict(type='nms', iou_threshold=0.5))
expected = torchvision.ops.batched_nms(boxes, scores, labels, 0.5)
assert torch.equal(index.sort().values, expected.sort().values)
try:
    ext_module.roi_align_forward(1)
except RuntimeError as error:
    print('roi_align_forward' in str(error) and 'doctor' in str(error))
"""
    lines = run(WITHOUT_EXT + code).splitlines()
    assert [x for x in lines if 'OneDL' not in x and x] == [
        'stand-in stand-in',
        '1',
        'mmcv._ext',
        '[2, 1]',
        'True',
    ]


@pytest.mark.parametrize(
    'error, told',
    [
        pytest.param(
            'ImportError("_ext.so: undefined symbol: _ZN2at4_ops")', '_ZN2at4_ops', id='symbol'
        ),
        pytest.param(
            'ModuleNotFoundError("No module named \'x\'", name="x")', "'x'", id='its own import'
        ),
    ],
)
def test_ops_that_do_not_load_are_stood_in_for(tmp_path, error, told):
    (tmp_path / '_ext.py').write_text(f'raise {error}')
    code = """
from mmdet_liver import compat
print(compat.compiled_ops_problem())
print(compat.install())
import torch
from mmcv.ops import nms
print(nms(torch.tensor([[0., 0., 1., 1.]]), torch.ones(1), 0.5)[1].tolist())
"""
    problem, *rest = run(WITH_EXT.format(folder=str(tmp_path)) + code).splitlines()
    assert problem.startswith('it is there but does not load') and told in problem
    assert rest == ['stand-in', '[0]']


def test_library_of_another_kind_is_stood_in_for(tmp_path):
    # What a broken or foreign shared object really raises, not what it is said to raise.
    from importlib.machinery import EXTENSION_SUFFIXES

    (tmp_path / f'_ext{EXTENSION_SUFFIXES[0]}').write_bytes(b'\x7fELF' + bytes(60))
    code = 'from mmdet_liver import compat\nprint(compat.install())'
    assert run(WITH_EXT.format(folder=str(tmp_path)) + code) == 'stand-in\n'


def test_working_ops_are_left_untouched(tmp_path):
    (tmp_path / '_ext.py').write_text('def nms(*args, **kwargs):\n    return "compiled"\n')
    code = """
with warnings.catch_warnings():
    warnings.simplefilter('error')
    from mmdet_liver import compat
    print(compat.compiled_ops_problem(), compat.install())
import mmcv._ext
print(mmcv._ext.nms(), mmcv._ext.__file__)
before = sys.modules['mmcv._ext']
print(compat.install(), sys.modules['mmcv._ext'] is before)
"""
    lines = run(WITH_EXT.format(folder=str(tmp_path)) + code).splitlines()
    assert lines == ['None compiled', f'compiled {tmp_path / "_ext.py"}', 'compiled True']


@pytest.mark.parametrize('first', ['mmdet.models', 'mmpretrain.models'])
def test_mmdet_imported_too_early_is_a_clear_error(first):
    # mmpretrain swallows the failure of mmdet, and leaves the same half of it behind.
    code = f"""
try:
    import {first}
    print('imported')
except ImportError as error:
    print(error)
from mmdet_liver import compat
try:
    print(compat.install())
except ImportError as error:
    print('REFUSED', error)
print('mmcv._ext' in sys.modules)
"""
    lines = run(WITHOUT_EXT + code).splitlines()
    refusal = next(line for line in lines if line.startswith('REFUSED'))
    assert 'start a new process and import mmdet_liver.plugin first' in refusal
    assert lines[-1] == 'False'


def test_what_left_nothing_half_done_is_not_too_early():
    code = """
try:
    import mmdet.structures, mmcv.ops
except ImportError:
    pass
from mmdet_liver import compat
print(compat.install())
import mmdet.models
print('imported')
"""
    lines = run(WITHOUT_EXT + code).splitlines()
    assert 'stand-in' in lines and lines[-1] == 'imported'
