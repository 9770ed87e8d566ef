"""SIGINT and SIGTERM: the first one is noted, the second one ends the process."""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Stop:
    """What was noted of the signals that came.

    Parameters
    ----------
    signal : int or None
        The number of the first signal, None as long as none has come.
    """

    signal: int | None = None


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """Note the first SIGINT or SIGTERM; a second one ends the process as if nobody had listened."""
    stop = Stop()
    # Python delivers signals to its main thread alone, and lets no other one listen.
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    listened_to = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in listened_to}

    def note(number: int, _frame: object) -> None:
        stop.signal = number
        # The next signal is not ours any more: whoever is in a hurry is not kept waiting.
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
