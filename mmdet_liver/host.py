"""Run MMDetection's and MMPretrain's own installed scripts, with compat put in place first.

Every option of theirs works as theirs; none is listed or parsed here.
"""

import importlib.util
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from mmdet_liver.errors import input_error


def host_script(package: str, script: str) -> Path:
    """Path of `script` among the tools that the installed `package` carries.

    Raises:
        InputError: if the package is not installed, or was installed without its tools.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise input_error(
            package, 'no such package', 'it to be installed', "pip install '.[onedl]'"
        )
    path = Path(spec.origin).parent / '.mim' / 'tools' / script
    if not path.is_file():
        raise input_error(
            path, 'no such file', f"{package}'s own script", f'reinstall {package} from a wheel'
        )
    return path


def run_host_script(package: str, script: str, argv: Sequence[str] | None = None) -> None:
    """Run `script` as if it had been called from the shell with `argv` (None: ours).

    Raises:
        InputError: if a file that is named in `argv` does not exist. All else that the
            script raises comes through as it is.
    """
    path = host_script(package, script)
    from mmdet_liver import compat

    compat.install()
    before, given = sys.argv, list(sys.argv[1:] if argv is None else argv)
    sys.argv = [str(path), *given]
    try:
        runpy.run_path(str(path), run_name='__main__')
    except FileNotFoundError as error:
        # The name itself: '2', of some option, is in every "[Errno 2] ...".
        named = [a for a in given if a and (a == error.filename or str(error).startswith(f'{a} '))]
        if not named:
            raise
        raise input_error(named[0], 'no such file', 'one that exists', 'check the path') from None
    finally:
        sys.argv = before
