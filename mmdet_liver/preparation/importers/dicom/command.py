"""The subcommand `dicom` of the import tool; it can be told of without pydicom."""

import argparse
import importlib
import sys
from pathlib import Path

from mmdet_liver.cli import whole_number
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.importers.dicom.options import FRAME_STEP, DicomOptions
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.importers.table_columns import parse_columns
from mmdet_liver.preparation.importers.vocabulary import parse_vocabulary

_LIBRARIES = ('pydicom', 'gdcm')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that no other import has."""
    parser.add_argument(
        '--frame-step',
        type=whole_number(1),
        default=FRAME_STEP,
        metavar='N',
        help='of a clip take one frame in N, the first one first (default: %(default)s; '
        'neighbours are near-duplicates); frames with annotations are always taken',
    )
    parser.add_argument(
        '--annotations',
        type=Path,
        metavar='CSV',
        help='lesions: columns image_path (path below SOURCE, or SOPInstanceUID), frame (from 0, '
        'which it is by default), diagnosis, x_min, y_min and x_max, y_max or width, height in '
        'pixels of the stored frame, and if known fully_annotated, ignore. Frames without a '
        'row are left out. Without this option every picture is taken, as one of which '
        'nothing is known',
    )
    parser.add_argument(
        '--column',
        action='append',
        default=[],
        metavar='FIELD=HEADER',
        help='a column of the CSV that is named otherwise',
    )
    parser.add_argument(
        '--value',
        action='append',
        default=[],
        metavar='FIELD:FROM=TO',
        help="what a word of the CSV means, such as 'diagnosis:hepatoma=HCC'; no TO: no lesion",
    )
    parser.add_argument(
        '--include-unlisted',
        action='store_true',
        help='with --annotations, take frames that it does not name too',
    )
    parser.add_argument(
        '--keep-marks',
        action='store_true',
        help='leave text, calipers and scales in the picture where they are; text may be a name',
    )
    parser.add_argument(
        '--skip-unreadable',
        action='store_true',
        help='leave damaged files out; otherwise they end the run when all others are done',
    )
    parser.add_argument(
        '--modality',
        action='append',
        metavar='CODE',
        help='take files of this modality, such as OT for pictures that were converted; can be '
        'given several times (default: US)',
    )


def run(args: argparse.Namespace, identity: Identity) -> None:
    """Import `args.source` into `args.out`.

    Raises:
        InputError: if a library is missing, and whatever the import raises.
    """
    options = DicomOptions(
        frame_step=args.frame_step,
        keep_marks=args.keep_marks,
        annotations=args.annotations,
        columns=parse_columns(args.column),
        vocabulary=parse_vocabulary(args.value),
        include_unlisted=args.include_unlisted,
        skip_unreadable=args.skip_unreadable,
        modalities=tuple(args.modality or DicomOptions.modalities),
        workers=args.workers,
    )
    _require_libraries()
    importing = importlib.import_module('mmdet_liver.preparation.importers.dicom.importing')
    imported = importing.import_dicom(args.source, args.out, identity, options)
    said = ', '.join(f'{n} {answer}' for answer, n in imported.burned_in.items())
    sys.stderr.write(f'text burned into the pixels, by the headers of the files: {said}\n')


def _require_libraries() -> None:
    for name in _LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise input_error(
                f'import {name}',
                str(error),
                'pydicom and python-gdcm',
                "install them: pip install 'mmdet_liver[dicom]'",
            ) from None
