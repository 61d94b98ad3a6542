"""Names that cannot be traced without the key: of patients, studies and images.

A name is a keyed hash (HMAC-SHA256, RFC 2104, cut to 80 bits) of what the export calls the
thing, so the same key gives the same names in every run, and without the key a name cannot
be guessed from a list of patients.
"""

import hashlib
import hmac
import re
import secrets
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.files import whole_file

_HEX_DIGITS = 20
_KEY = re.compile('[0-9a-f]{64}')


class Identity:
    """Hashes of one key; an unknown (empty) patient or study stays empty."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def patient(self, patient: str) -> str:
        return patient and 'P' + self._hash('patient', patient)

    def study(self, patient: str, study: str) -> str:
        """Two patients' studies of one name are two."""
        return study and 'S' + self._hash('study', patient, study)

    def image(self, path: str, frame: int | None = None) -> str:
        """Name without suffix, `ab/abcdef...`, of a file's path in its export.

        Folders of one in 256 each keep a data set of any size easy to list.
        """
        name = self._hash('image', path, '' if frame is None else str(frame))
        return f'{name[:2]}/{name}'

    def _hash(self, *parts: str) -> str:
        message = '\0'.join(parts).encode('utf-8', 'surrogateescape')
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:_HEX_DIGITS]


def read_or_make_key(path: str | Path, *, outside: str | Path) -> Identity:
    """The identity of the key in `path`; a new random key is written there if there is none.

    Args:
        outside: a folder that the key must not lie in, since the folder is handed on.
    Raises:
        InputError: for a key inside `outside`, or a file that holds no key.
    """
    path = Path(path)
    if path.resolve().is_relative_to(Path(outside).resolve()):
        raise input_error(
            path, f'a key inside {outside}', 'one outside the data', 'keep it in a safe place'
        )
    if not path.exists():
        with whole_file(path) as temporary:
            temporary.write_text(secrets.token_hex(32) + '\n')
        path.chmod(0o600)
    try:
        text = path.read_text(encoding='ascii').strip()
    except (OSError, UnicodeDecodeError):
        text = ''
    if not _KEY.fullmatch(text):
        raise input_error(
            path,
            'a file that holds no key',
            '64 hexadecimal digits, as this tool writes them',
            'give the key file, or a name that does not exist yet for a new key',
        )
    return Identity(bytes.fromhex(text))
