"""Say which source file an image of the data set came from.

Every path below SOURCE is hashed with the key and compared; no file is written. Only who
holds the source and the key can do this.
"""

import argparse
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.importers.identity import read_or_make_key
from mmdet_liver.preparation.importers.tracing import stem_of, trace_images


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=Path, metavar='SOURCE', help='folder that was imported')
    parser.add_argument(
        'names', nargs='+', metavar='NAME', help='such as images/0a/0a1b2c...png, or 0a1b2c...'
    )
    parser.add_argument('--key-file', type=Path, required=True, metavar='KEY', help='of the import')
    parser.add_argument(
        '--max-frames',
        type=whole_number(0),
        default=1000,
        help='frames to try of a file that may be DICOM (%(default)s)',
    )
    args = parser.parse_args(argv)
    for path in (args.key_file, args.source):
        if not path.exists():
            raise input_error(path, 'nothing of this name', 'what the import had', 'check the path')
    identity = read_or_make_key(args.key_file, outside=args.source)
    stems = [stem_of(name) for name in args.names]
    found = trace_images(args.source, identity, stems, max_frames=args.max_frames)
    for name, stem in zip(args.names, stems, strict=True):
        path, frame = found.get(stem, ('not found: another key or source', None))
        shown = path.encode(errors='backslashreplace').decode()
        print(f'{name}  {shown}' + ('' if frame is None else f', frame {frame}'))
    return 0 if found.keys() == {*stems} else 1


if __name__ == '__main__':
    run_tool(main)
