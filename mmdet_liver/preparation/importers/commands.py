"""The import of each layout as a command: its options, and how it is run.

A command is a module or object with `add_arguments(parser)` and `run(args, identity)`;
`tools/import_data.py` adds `source`, `--out`, `--key-file` and `--workers` to every one.
DICOM's own lies in `dicom/command.py` and is imported when it is asked for, since it needs
pydicom.
"""

import argparse
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmdet_liver.cli import whole_number
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.importers.aul import import_aul
from mmdet_liver.preparation.importers.busi import import_busi
from mmdet_liver.preparation.importers.coco_file import import_coco
from mmdet_liver.preparation.importers.csv_table import TableOptions, import_csv
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.importers.import_folder import ImportOptions, import_folder
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.importers.labelme import import_labelme
from mmdet_liver.preparation.importers.table_columns import FIELDS, parse_columns
from mmdet_liver.preparation.importers.vocabulary import Vocabulary, parse_vocabulary

_DICOM = 'mmdet_liver.preparation.importers.dicom.command'


class Command(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, identity: Identity) -> None: ...


@dataclass(frozen=True)
class FolderCommand:
    """An importer that reads files, the images of which are copied as they are."""

    add_own_arguments: Callable[[argparse.ArgumentParser], None]
    read: Callable[[argparse.Namespace], Imported]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        self.add_own_arguments(parser)
        _add_folder_arguments(parser)

    def run(self, args: argparse.Namespace, identity: Identity) -> None:
        options = ImportOptions(args.link, args.strip_metadata, args.patient_from, args.workers)
        try:
            imported = self.read(args)
        except OSError as error:
            raise input_error(
                error.filename or args.source, error.strerror, 'files open to reading', 'mend that'
            ) from None
        import_folder(imported, args.source, args.out, identity, options)


def dicom_command() -> Command:
    """The command of DICOM files.

    Raises:
        InputError: if what it needs is not installed.
    """
    try:
        return importlib.import_module(_DICOM)
    except ModuleNotFoundError as error:
        raise input_error(
            'dicom',
            f'no module {error.name}',
            'pydicom and GDCM',
            "install them: pip install 'mmdet_liver[dicom]'",
        ) from None


def _add_folder_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--link',
        action='store_true',
        help='hard-link the images instead of copying them (copied all the same across disks); '
        'a link keeps the date of its file',
    )
    parser.add_argument(
        '--strip-metadata',
        action='store_true',
        help='take text, EXIF and comments out of the images, pixels unchanged (only listed)',
    )
    parser.add_argument(
        '--patient-from',
        type=_pattern,
        metavar='REGEX',
        help='where no patient is named: the first group of this pattern, searched in the '
        "image's path below SOURCE, such as '^([^/]+)/'",
    )


def _pattern(text: str) -> re.Pattern:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f'{text!r} is no pattern ({error})') from None
    if not pattern.groups:
        raise argparse.ArgumentTypeError(f'{text!r} has no group ( )')
    return pattern


def _add_word_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--value',
        action='append',
        default=[],
        metavar='FIELD:FROM=TO',
        help="what a word of the export means, such as 'diagnosis:FNH=' (no lesion) or "
        "'diagnosis:hepatoma=HCC'; our own names and their Japanese are understood",
    )
    parser.add_argument(
        '--drop-diagnosis',
        action='append',
        default=[],
        metavar='NAME',
        help='leave images out that show it',
    )
    parser.add_argument(
        '--include-unlisted',
        action='store_true',
        help='take images that no annotation names too, as not fully annotated (left out)',
    )


def _vocabulary(args: argparse.Namespace) -> Vocabulary:
    return parse_vocabulary(args.value, args.drop_diagnosis)


def _add_csv_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--table', type=Path, required=True, help='CSV, a row for each lesion or clean image'
    )
    parser.add_argument(
        '--column',
        action='append',
        default=[],
        metavar='FIELD=HEADER',
        help=f'the column that holds a field ({", ".join(FIELDS)}); one named as the field '
        'needs no word',
    )
    parser.add_argument('--encoding', help='of the table (byte-order mark, UTF-8 or Shift-JIS)')
    parser.add_argument(
        '--delimiter', type=_delimiter, default=',', help="between cells; 'tab' for a tab (comma)"
    )
    parser.add_argument(
        '--skip-unboxed',
        action='store_true',
        help='leave images out that have a diagnosis without a box (an error)',
    )
    _add_word_arguments(parser)


def _delimiter(text: str) -> str:
    text = {'tab': '\t', '\\t': '\t'}.get(text, text)
    if len(text) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither one character nor 'tab'")
    return text


def _read_csv(args: argparse.Namespace) -> Imported:
    options = TableOptions(
        parse_columns(args.column),
        args.encoding,
        args.delimiter,
        args.include_unlisted,
        args.skip_unboxed,
    )
    return import_csv(args.source, args.table, options, _vocabulary(args))


def _add_busi_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--min-area',
        type=whole_number(1),
        default=25,
        metavar='PX2',
        help='smallest connected part of a mask that is a lesion (%(default)s pixels)',
    )


def _read_busi(args: argparse.Namespace) -> Imported:
    return import_busi(args.source, args.min_area, workers=args.workers)


def _read_aul(args: argparse.Namespace) -> Imported:
    return import_aul(args.source, workers=args.workers)


def _add_coco_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--annotations',
        type=Path,
        nargs='+',
        required=True,
        metavar='JSON',
        help='COCO files; file_name is relative to SOURCE',
    )
    _add_word_arguments(parser)


def _read_coco(args: argparse.Namespace) -> Imported:
    return import_coco(
        args.source,
        args.annotations,
        _vocabulary(args),
        include_unlisted=args.include_unlisted,
        workers=args.workers,
    )


def _read_labelme(args: argparse.Namespace) -> Imported:
    return import_labelme(
        args.source,
        _vocabulary(args),
        include_unlisted=args.include_unlisted,
        workers=args.workers,
    )


FOLDER_COMMANDS: dict[str, Command] = {
    'csv': FolderCommand(_add_csv_arguments, _read_csv),
    'busi': FolderCommand(_add_busi_arguments, _read_busi),
    'aul': FolderCommand(lambda parser: None, _read_aul),
    'coco': FolderCommand(_add_coco_arguments, _read_coco),
    'labelme': FolderCommand(_add_word_arguments, _read_labelme),
}
