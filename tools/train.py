"""Train a detector with MMDetection's own train.py; its options are all there (`--help`)."""

from collections.abc import Sequence

from mmdet_liver.cli import run_tool
from mmdet_liver.host import run_host_script


def main(argv: Sequence[str] | None = None) -> None:
    run_host_script('mmdet', 'train.py', argv)


if __name__ == '__main__':
    run_tool(main)
