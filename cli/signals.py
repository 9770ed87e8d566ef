"""Signals and standard streams, in order before anything slow is imported.

SIGINT and SIGTERM end a command by an exception, so that whatever is half-written is removed on the way out, with 130
and 143 as the exit code. A second one ends the process at once.
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

if TYPE_CHECKING:
    from types import FrameType


_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_AGAIN_SECONDS = 0.05


class Stopped(SystemExit):
    """A signal came: its exit code is 128 and the signal's number."""


class _Closed(io.TextIOBase):
    """Standard output that was closed before we began: printing fails once, as it would on a full disk."""

    encoding, errors, _told = "utf-8", "strict", False

    def write(self, text: str, /) -> int:
        if text and not self._told:
            self._told = True
            raise OSError(errno.EBADF, "it is closed")
        return len(text)


def begin() -> None:
    """Listen to signals, and give names that are no text of this system's encoding a way onto the streams."""
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            # Whoever started us may have chosen to have it ignored, as `nohup` and background jobs do.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _stop)
        sys.unraisablehook = _stop_again
    _open_closed_streams()
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:  # nobody can be told; what draws a bar or warns still needs a stream
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(
            AttributeError, ValueError
        ):  # a stream that a test or a host put there
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # that is what is suppressed


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    raise Stopped(128 + number)


def _stop_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Repeat a signal whose exception came up where Python can only print and forget it, such as in a destructor."""
    if unraisable.exc_type is not Stopped or unraisable.exc_value is None:
        sys.__unraisablehook__(unraisable)
        return
    code = unraisable.exc_value.code  # type: ignore[attr-defined] # of a Stopped
    for each in _SIGNALS:
        signal.signal(each, _stop)
    threading.Timer(_AGAIN_SECONDS, signal.raise_signal, [code - 128]).start()


def _open_closed_streams() -> None:
    """Open what was closed as the null device: the first file of ours would get its number, and our messages."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
