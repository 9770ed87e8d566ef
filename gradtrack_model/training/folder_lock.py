"""The lock of a run's folder: two trainers in one folder would write each other's networks."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from gazetrack.errors import LockedError

if TYPE_CHECKING:
    from pathlib import Path


class FolderLock:
    """A folder that is this process's own until it closes the lock, or ends in whatever way.

    Windows has no such locks, and some network drives refuse them: there, nothing is locked.

    Parameters
    ----------
    folder : pathlib.Path
        The folder to lock; it is made where it is missing.

    Raises
    ------
    LockedError
        Another process works there.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = _locked(folder)

    def close(self) -> None:
        """Let others into the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(folder: Path) -> int | None:
    """Return the descriptor that holds the lock: the system lets go of it with the process."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    descriptor = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _close(descriptor)
        what = "another trainer works in this folder"
        raise LockedError(what, path=folder, hint="wait for it, or give another --out") from None
    except OSError:
        # No lock to be had. A file in the folder's way is named by whatever is written first.
        _close(descriptor)
        return None
    return descriptor


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.close(descriptor)
