"""Train and test a grid of configs, seeds and folds, and write one table of the results.

Every training, test and report is a process of its own; what is finished is not run again,
and a training that was stopped goes on. Run the same command again to go on after anything.
OUT/results.md, results.html and results.json are written anew as arms finish.
"""

import argparse
import signal
import sys
from functools import partial
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.work_folder import work_folder
from mmdet_liver.reproduction.devices import AUTO
from mmdet_liver.reproduction.grid import read_grid
from mmdet_liver.reproduction.run import describe, reproduce

TOOLS = Path(__file__).resolve().parent


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    grid = read_grid(args.grid, args.data)
    out = (args.out or Path('work_dirs') / args.grid.stem).resolve()
    for name in args.only:
        if name not in grid.arms:
            raise input_error('--only', name, f'one of {", ".join(grid.arms)}', 'name an arm')
    tell = partial(print, flush=True)  # into a file too, line by line
    # A stopped tool ends the processes that it started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with work_folder(out):
        if args.dry_run:
            print(describe(grid, out, TOOLS, args.only))
            return 0
        failed = reproduce(grid, out, TOOLS, args.only, args.device, args.jobs, tell)
    print(f'results written to {out / "results.html"} and {out / "results.md"}')
    if failed:
        sys.stderr.write(f'{len(failed)} failed; run the same command again to try once more\n')
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('grid', type=Path, help='grid file (YAML); see docs/reproducing.md')
    parser.add_argument(
        '--data', type=Path, help="prepared data set to take instead of the grid's data.root"
    )
    parser.add_argument(
        '--out', type=Path, help='folder for all of it (default: work_dirs/NAME OF THE GRID)'
    )
    parser.add_argument(
        '--device', default=AUTO, help='auto (all GPUs in turn, else the CPU), cpu, cuda or cuda:N'
    )
    parser.add_argument(
        '--only',
        action='append',
        default=[],
        metavar='ARM',
        help='run only this arm, with its pretraining; may be given several times',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='print what would run, with its commands, and run nothing',
    )
    parser.add_argument(
        '--jobs',
        type=whole_number(1),
        default=1,
        help='trainings at a time; they share the GPUs, or the cores (default: %(default)s)',
    )
    return parser


if __name__ == '__main__':
    run_tool(main)
