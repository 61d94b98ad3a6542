"""What every tool does around its work: bad input ends in one line and status 2, no traceback."""

import argparse
import sys
from collections.abc import Callable

from mmdet_liver.errors import InputError


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a tool's `main` and leave the process with its status (None means 0)."""
    try:
        status = main()
    except InputError as error:
        sys.stderr.write(f'error: {_last_line(error)}\n')
        status = 2
    except KeyboardInterrupt:
        sys.stderr.write('interrupted; finished files are kept\n')
        status = 130
    sys.exit(status)


def whole_number(lowest: int) -> Callable[[str], int]:
    """An argparse `type`: a whole number, `lowest` or more."""

    def parse(text: str) -> int:
        if not text.removeprefix('-').isdecimal() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f'{text} is not a whole number, {lowest} or more')
        return int(text)

    return parse


def _last_line(error: InputError) -> str:
    # A data loader's worker puts its whole traceback before the message; the message is last.
    return str(error).strip().splitlines()[-1].removeprefix('mmdet_liver.errors.InputError: ')
