"""Why a file could not be imported, in words that hold nothing of its header."""

from collections.abc import Iterator
from contextlib import contextmanager

BAD_HEADER = 'a header that does not parse'
CUT_OFF = 'pixel data that is cut off'
NO_DECODING = 'pixels that do not decode'


class UnreadableError(Exception):
    """`reason` may be published; `detail` may quote the header and is for the screen only."""

    def __init__(self, reason: str, detail: str = '') -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = ' '.join(detail.split())

    def __str__(self) -> str:
        return f'{self.reason}: {self.detail}' if self.detail else self.reason


@contextmanager
def unreadable(reason: str) -> Iterator[None]:
    """Turn whatever goes wrong in the block into an `UnreadableError`.

    pydicom and its decoders meet a damaged file with nearly any exception there is.
    """
    try:
        yield
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableError(reason, f'{type(error).__name__}: {error}') from error
