"""Signals and standard streams, in order before anything slow is imported.

SIGINT and SIGTERM end a command by an exception, so that whatever is half-written is removed on the
way out, with 130 and 143 as the exit code. A second one ends the process at once.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from .exit_codes import of_signal

if TYPE_CHECKING:
    from types import FrameType


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_AGAIN_SECONDS = 0.05


class Stopped(SystemExit):
    """A signal came: its exit code is 128 and the signal's number."""


class _Closed(io.TextIOBase):
    """Standard output that was closed before we began.

    Printing fails once, as it would on a full disk.
    """

    encoding = "utf-8"
    errors = "strict"
    _told = False

    def write(self, text: str, /) -> int:
        if text and not self._told:
            self._told = True
            raise OSError(errno.EBADF, "it is closed")
        return len(text)


def begin() -> None:
    """Listen to signals, and make the standard streams take any text.

    Names of files may be no text of this system's encoding; they are printed escaped.
    """
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            # Whoever started us may have chosen to have it ignored, as `nohup` and background jobs
            # do.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _stop)
        sys.unraisablehook = _stop_again
    _open_closed_streams()
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:  # nobody can be told; what draws a bar or warns still needs a stream
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        # A stream that a test or a host put there may know no such thing.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    raise Stopped(of_signal(number))


def _stop_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Repeat a signal whose exception came up where Python can only print and forget it.

    That is the case in destructors, for example.
    """
    if unraisable.exc_type is not Stopped or unraisable.exc_value is None:
        sys.__unraisablehook__(unraisable)
        return
    code = unraisable.exc_value.code  # type: ignore[attr-defined] # of a Stopped
    for each in _SIGNALS:
        signal.signal(each, _stop)
    number = code - of_signal(0)
    threading.Timer(_AGAIN_SECONDS, signal.raise_signal, [number]).start()


def _open_closed_streams() -> None:
    """Open standard streams that were closed as the null device.

    Otherwise the first file of ours would get such a stream's number, and our messages.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # A new file gets the lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)
