"""What workers do in tests: functions that other processes find by their names."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from gazetrack.publish import publish, write_text

# Longer than any test waits: whatever is whole was never interrupted.
HALF_WRITTEN_S = 600


def squared(number):
    return number**2


def refuse(number):
    raise ValueError(f"nobody likes {number}")


def die(item):
    """Die, as the system kills a process, where the item says so; say before that it was tried.

    Parameters
    ----------
    item : (path, int)
        A file, and how many of the processes that take it up die; the tries are counted beside it.
    """
    path, deaths = Path(item[0]), item[1]
    tries = len(list(path.parent.glob(f"{path.name}.try*")))
    write_text(path.with_name(f"{path.name}.try{tries}.{os.getpid()}"), "")
    if tries < deaths:
        with publish(path) as file:
            file.write(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
    write_text(path, "whole")
    return path.name


def write_slowly(path):
    """Write a file that is half-written for as long as a test may wait for anything."""
    with publish(path) as file:
        file.write(b"half")
        file.flush()
        end = time.monotonic() + HALF_WRITTEN_S
        while time.monotonic() < end:
            time.sleep(0.01)
    return Path(path).name


def is_imported(name):
    return name in sys.modules
