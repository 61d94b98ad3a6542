"""Import a raw export: images under new names and a manifest, for tools/prepare_data.py.

Who holds the patients' names runs this. Names become keyed hashes: whoever has the key file
can trace them (tools/trace_source.py), nobody else. No name, path or text of the source
reaches OUT. The source is not changed. docs/importing.md tells what each importer reads.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmdet_liver.cli import run_tool, whole_number
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.decisions import FILE_NAME, read_decisions
from mmdet_liver.preparation.importers.commands import FOLDER_COMMANDS, dicom_command
from mmdet_liver.preparation.importers.identity import Identity, read_or_make_key
from mmdet_liver.preparation.importers.import_folder import check_folders
from mmdet_liver.preparation.importers.import_summary import summary_lines
from mmdet_liver.preparation.importers.imported import MANIFEST
from mmdet_liver.preparation.manifest import read_manifest
from mmdet_liver.preparation.parallel import cores

_HELP = {
    'csv': "a folder with a CSV table of the hospital's own columns",
    'busi': "BUSI's original layout (images and masks)",
    'aul': "the AUL liver set's original layout (Zenodo 7272660)",
    'coco': 'COCO annotation files over a folder of images',
    'labelme': 'a folder of LabelMe JSON files',
    'dicom': "a folder of DICOM files (needs pip install 'mmdet_liver[dicom]')",
}


def main(argv: Sequence[str] | None = None) -> None:
    argv = sys.argv[1:] if argv is None else list(argv)
    args = _parser(argv[:1]).parse_args(argv)
    check_folders(args.source, args.out)
    identity = _identity(args)
    args.run(args, identity)
    decided = args.out / FILE_NAME
    decisions = read_decisions(decided) if decided.exists() else []
    print('\n'.join(summary_lines(read_manifest(args.out / MANIFEST), decisions)))
    print(f'written to {args.out}')


def _parser(asked_for: Sequence[str]) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('source', type=Path, metavar='SOURCE', help="the export's folder")
    common.add_argument('--out', type=Path, required=True, help='folder to write, outside SOURCE')
    common.add_argument(
        '--key-file',
        type=Path,
        required=True,
        metavar='KEY',
        help='what names are hashed with; a new one is made if there is none. Keep it safe, '
        'and away from OUT',
    )
    common.add_argument(
        '--workers',
        type=whole_number(1),
        default=cores(),
        help='processes (all cores: %(default)s)',
    )
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        fromfile_prefix_chars='@',
        epilog='Arguments may stand in a file, one a line; give it as @FILE.',
    )
    importers = parser.add_subparsers(required=True, metavar='IMPORTER')
    commands = dict(FOLDER_COMMANDS)
    if 'dicom' in asked_for:  # else it is not imported: it needs more than the others
        commands['dicom'] = dicom_command()
    for name, text in _HELP.items():
        sub = importers.add_parser(name, parents=[common], help=text, description=text)
        if name in commands:
            commands[name].add_arguments(sub)
            sub.set_defaults(run=commands[name].run)
    return parser


def _identity(args: argparse.Namespace) -> Identity:
    key_file = args.key_file
    if key_file.resolve().is_relative_to(args.source.resolve()):
        raise input_error(
            key_file, f'a key inside {args.source}', 'one apart', 'keep it in a safe place'
        )
    is_new = not key_file.exists()
    try:
        identity = read_or_make_key(key_file, outside=args.out)
    except OSError as error:
        raise input_error(
            key_file, error.strerror, 'a place for the key', 'give another --key-file'
        ) from None
    if is_new:
        print(f'new key written to {key_file}: keep it, without it no name can be traced')
    return identity


if __name__ == '__main__':
    run_tool(main)
