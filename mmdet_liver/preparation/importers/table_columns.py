"""Which column of a hospital's table holds which field of the manifest."""

from collections.abc import Iterable, Mapping, Sequence

from mmdet_liver.errors import InputError, input_error
from mmdet_liver.preparation.importers.vocabulary import BOX_FIELDS, normal_form

FIELDS = (
    'image_path',
    'patient_id',
    'study_id',
    'age',
    'sex',
    'diagnosis',
    *BOX_FIELDS,
    'mm_per_pixel',
    'fully_annotated',
    'ignore',
)
_START, _END, _SIZE = BOX_FIELDS[:2], BOX_FIELDS[2:4], BOX_FIELDS[4:]


def parse_columns(options: Iterable[str]) -> dict[str, str]:
    """Field -> header, of `--column FIELD=HEADER`.

    Raises:
        InputError: for another form, an unknown field, or a field given twice.
    """
    parsed: dict[str, str] = {}
    for option in options:
        name, equals, header = option.partition('=')
        if not equals or name not in FIELDS or name in parsed:
            found = f'the field {name!r} again' if name in parsed else f'the field {name!r}'
            raise input_error(
                f'--column {option}',
                found if equals else 'no FIELD=HEADER',
                f'FIELD=HEADER, FIELD one of {", ".join(FIELDS)}, each once',
                'mend the option',
            )
        parsed[name] = header
    return parsed


def pick_columns(header: Sequence[str], given: Mapping[str, str], where: object) -> dict[str, int]:
    """Field -> index of its column; a field that is not given takes the column of its name.

    Raises:
        InputError: for a column that is not there or there twice, no image column, or a
            box that is not complete. It lists the table's columns.
    """
    columns = {name: _index(header, name, text, where) for name, text in given.items()}
    boxed = set(given) & set(BOX_FIELDS)
    for name in FIELDS:
        # The boxes come from one hand: with some of their columns given, no other is taken.
        if name in header and name not in columns and not (boxed and name in BOX_FIELDS):
            columns[name] = _index(header, name, name, where)
    if not boxed and set(_END) <= set(columns):
        # Then these are most likely the image's.
        columns = {name: i for name, i in columns.items() if name not in _SIZE}
    if 'image_path' not in columns:
        raise _bad_columns(header, 'no column for image_path', where)
    found = set(columns) & set(BOX_FIELDS)
    if found and found not in ({*_START, *_END}, {*_START, *_SIZE}):
        raise _bad_columns(header, f'only {", ".join(sorted(found))} of a box', where)
    if bool(found) != ('diagnosis' in columns):
        missing = 'no column for diagnosis' if found else 'no columns for boxes'
        raise _bad_columns(header, missing, where)
    return columns


def _index(header: Sequence[str], name: str, text: str, where: object) -> int:
    same = [i for i, cell in enumerate(header) if cell == text]
    same = same or [i for i, cell in enumerate(header) if normal_form(cell) == normal_form(text)]
    if len(same) != 1:
        times = f'{len(same)} columns' if same else 'no column'
        raise _bad_columns(header, f'{times} {text!r} for {name}', where)
    return same[0]


def _bad_columns(header: Sequence[str], found: str, where: object) -> InputError:
    return input_error(
        where,
        f'{found}; its columns are {", ".join(map(repr, header))}',
        'image_path, and for lesions diagnosis, x_min, y_min and x_max, y_max or width, height',
        'name them with --column FIELD=HEADER (and --delimiter, if that is one column)',
    )
