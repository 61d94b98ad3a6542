"""Where the shipped configs lie: beside the code in a checkout, inside the package in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# setup.py maps the checkout's configs/ to mmdet_liver/configs/ of the wheel.
_CONFIG_ROOTS = (_PACKAGE / 'configs', _PACKAGE.parent / 'configs')


def config_root() -> Path:
    """Folder that holds `_base_/`, `centernet/`, `simsiam/` and `demo/`."""
    for root in _CONFIG_ROOTS:
        if (root / '_base_').is_dir():
            return root
    raise FileNotFoundError(
        f'no configs beside {_PACKAGE}; the installation is incomplete: reinstall mmdet_liver'
    )


def config_path(name: str) -> str:
    """Path of a shipped config, for `Config.fromfile` or the command line.

    As a base: `_base_ = [__import__('mmdet_liver').config_path(NAME)]`; MMEngine takes a file
    with an import statement for another kind of config.

    Args:
        name: path below `configs/` or a bare file name, with or without `.py`.
    Raises:
        FileNotFoundError: names the configs there are when `name` is none of them.
    """
    root = config_root()
    wanted = name if name.endswith('.py') else f'{name}.py'
    matches = [p for p in sorted(root.rglob('*.py')) if p.relative_to(root).as_posix() == wanted]
    matches = matches or [p for p in sorted(root.rglob('*.py')) if p.name == wanted]
    if len(matches) == 1:
        return str(matches[0])
    known = [p.relative_to(root).as_posix() for p in sorted(root.rglob('*.py'))]
    problem = 'is ambiguous' if matches else 'is no shipped config'
    raise FileNotFoundError(f'{name!r} {problem}; there are: {", ".join(known)}')
