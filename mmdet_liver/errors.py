"""How bad input is reported: one line that says where, what was found, what was expected,
and what to do. Tools turn it into that line and exit status 2; nothing else is caught.
"""


class InputError(ValueError):
    """Something the user gave is wrong; the message is complete as it stands.

    It takes one string, so that a data loader's worker can raise it again in the parent.
    """


def input_error(where: object, found: str, expected: str, remedy: str) -> InputError:
    """Compose an `InputError`: `WHERE: found X; expected Y; REMEDY`."""
    return InputError(f'{where}: found {found}; expected {expected}; {remedy}')


def found_of(error: InputError) -> str:
    """What the line of an `input_error` says was found."""
    return str(error).partition(': found ')[2].partition('; expected ')[0]
