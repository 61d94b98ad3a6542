"""Decoding in a process of its own: GDCM takes its process down over some damaged frames.

Run as a module this is that process: requests come in at standard input, answers leave at
standard output, both pickled, until the input ends with the process that asks.
"""

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.pixels import get_decoder

from mmdet_liver.preparation.importers.dicom.unreadable import NO_DECODING, UnreadableError

# Far beyond any frame; a decoder that is caught in a loop is ended.
_PATIENCE_S = 120.0
_child: subprocess.Popen | None = None


def decode_apart(path: str, start: int, options: dict[str, Any]) -> tuple[np.ndarray, dict]:
    """What `Decoder.as_array` gives: pixels, and what they are.

    Args:
        path: of the file; the pixel data's value begins at byte `start`.
        options: of the decoder, `index` and `transfer_syntax_uid` among them.
    Raises:
        UnreadableError: if the frame does not decode, whatever becomes of the decoder.
    """
    child = _running()
    timer = threading.Timer(_PATIENCE_S, child.kill)
    timer.start()
    try:
        pickle.dump((path, start, options), child.stdin)
        child.stdin.flush()
        answer = pickle.load(child.stdout)
    except (OSError, EOFError, pickle.UnpicklingError):
        _stop()
        raise UnreadableError(NO_DECODING, 'the decoder crashed') from None
    except BaseException:
        _stop()  # its answer would be taken for that of the next frame
        raise
    finally:
        timer.cancel()
    if isinstance(answer, str):
        raise UnreadableError(NO_DECODING, answer)
    return answer


def _running() -> subprocess.Popen:
    global _child
    if _child is None:
        _child = subprocess.Popen(
            [sys.executable, '-m', __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
        )
        atexit.register(_stop)
    return _child


def _stop() -> None:
    global _child
    if _child is not None:
        _child.kill()
        for pipe in (_child.stdin, _child.stdout):
            with suppress(OSError):  # of a child that is gone
                pipe.close()
        _child.wait()
        _child = None
    atexit.unregister(_stop)


def _decode(path: str, start: int, options: dict[str, Any]) -> tuple[np.ndarray, dict]:
    with Path(path).open('rb') as file:
        file.seek(start)
        decoder = get_decoder(options['transfer_syntax_uid'])
        return decoder.as_array(file, **options)


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    warnings.simplefilter('ignore')
    answers = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)  # what a library prints must not get between the answers
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = _decode(*request)
        except Exception as error:  # noqa: BLE001 (told to the one who asks)
            answer = f'{type(error).__name__}: {error}'
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == '__main__':
    _serve()
