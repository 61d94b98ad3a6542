"""MMDetection with or without the compiled ops of mmcv.

Without `mmcv._ext`, `import mmdet.models` fails although nothing this project uses
needs a compiled op but `nms`. `install()` then puts a stand-in for `mmcv._ext` into
`sys.modules`: its `nms` is torchvision's, and every other op raises a clear error when
it is called. A working `mmcv._ext` is left as it is. Call it before mmdet is imported;
`mmdet_liver.plugin` does.
"""

import importlib
import sys
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_NAME = 'mmcv._ext'
_MARK = '__mmdet_liver_stand_in__'


def install() -> str:
    """Make `mmcv._ext` importable; return 'compiled' or 'stand-in'.

    Raises:
        ImportError: if mmcv itself is not installed, or mmdet was imported before and
            has already failed on the missing ops: what it left half registered cannot
            be mended in this process.
    """
    present = sys.modules.get(_NAME)
    if present is not None:
        return 'stand-in' if getattr(present, _MARK, False) else 'compiled'
    problem = compiled_ops_problem()
    if problem is None:
        return 'compiled'
    _refuse_if_too_late()
    sys.modules[_NAME] = _StandIn(problem)
    warnings.warn(
        f'mmcv has no usable compiled ops ({problem}); nms runs through torchvision, and any '
        'other compiled op raises an error when it is called',
        stacklevel=2,
    )
    return 'stand-in'


def compiled_ops_problem() -> str | None:
    """Why `mmcv._ext` cannot be used, or None if it can (or stands in `sys.modules` already).

    A build for another torch or Python is found but raises ImportError (an undefined
    symbol) on import, so finding the file is not enough.
    """
    importlib.import_module('mmcv')
    importlib.import_module('torch')  # libraries that _ext links to
    try:
        importlib.import_module(_NAME)
    except ModuleNotFoundError as error:
        if error.name != _NAME:
            return f'it is there but does not load: {error}'
        return 'it is not installed'
    except (ImportError, OSError) as error:
        return f'it is there but does not load: {error}'
    return None


def _refuse_if_too_late() -> None:
    # `import mmdet.models` that failed is taken out of sys.modules, but the submodules
    # it got through stay there with what they registered.
    half = [m for m in sys.modules if m.startswith('mmdet.models.')]
    if half and 'mmdet.models' not in sys.modules:
        raise ImportError(
            'mmdet was imported before mmdet_liver.compat and failed on the missing mmcv._ext; '
            'start a new process and import mmdet_liver.plugin first (its tools/train.py, '
            'tools/test.py and tools/pretrain.py do)'
        )


class _StandIn(ModuleType):
    """Any name is an op; only `nms` works. mmcv asks for names while it is imported."""

    def __init__(self, problem: str) -> None:
        super().__init__(_NAME, __doc__)
        self.__spec__ = ModuleSpec(_NAME, loader=None)  # mmengine calls find_spec on it
        self._problem = problem
        setattr(self, _MARK, True)

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)

        def missing_op(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError(
                f'mmcv.ops needs its compiled op {name!r}, and mmcv has no usable compiled ops '
                f'({self._problem}); run tools/doctor.py for the command that installs them'
            )

        return missing_op

    @staticmethod
    def nms(boxes: Any, scores: Any, iou_threshold: float, offset: int) -> Any:
        """Same result as mmcv's op: kept indices in descending order of score.

        Args:
            boxes: (N, 4) xyxy.
            scores: (N,).
            iou_threshold: a box of higher IoU with a kept one is dropped.
            offset: 0 or 1, added to widths and heights (1: pixels counted inclusively).
        """
        from torchvision.ops import nms

        if offset:
            boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
        return nms(boxes, scores, iou_threshold)
