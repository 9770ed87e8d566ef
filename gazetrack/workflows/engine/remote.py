"""What happens at a worker of a cluster: one item, in the folder of whoever asked for it.

A worker may be of another machine, and may work for several people: names of files mean what they
mean where the command was typed, and only tasks of one study are ended with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import hashlib
import os
import platform
import threading
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ClusterError, quote
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# What the bytes of a table depend on, besides the recording and what was chosen.
_COUNTED = ("numpy", "pandas", "pyarrow", "scipy", "numba")
_TIDY_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_BEGINNING_BYTES = 64 * 1024


class Stopped(BaseException):
    """The study ended before the task did."""


@dataclass(frozen=True)
class Terms:
    """What a task needs to know of the study that it belongs to.

    Parameters
    ----------
    study : str
        A name that no other study has.
    folder : str
        The working directory of the command, which the worker has to see as well.
    versions : dict of str to str
        What the command runs with, see `versions`.
    """

    study: str
    folder: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Given:
    """An item in a box, so that Dask takes it as it is and looks for nothing of its own inside.

    Parameters
    ----------
    item : object
        What a function is called with.
    """

    item: Any


@dataclass(frozen=True)
class Needed:
    """A file that a worker has to see, and by what it is known not to be another of this name.

    Parameters
    ----------
    path : str
        The file, as seen from the folder of the command.
    size : int
        How many bytes the file has.
    beginning : str
        The SHA-256 of its first 64 KiB.
    """

    path: str
    size: int
    beginning: str


def needed(path: str | os.PathLike[str]) -> Needed:
    """Return how a file is recognised at a worker; raises `OSError` where there is none."""
    with open(path, "rb") as file:  # noqa: PTH123 - the text is kept as it is
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(file.read(_BEGINNING_BYTES)).hexdigest()
    return Needed(os.fspath(path), size, digest)


def unseen(folder: str, files: Iterable[Needed]) -> str:
    """Return the first of some files that this machine does not see; an empty text where none is.

    Parameters
    ----------
    folder : str
        The working directory of the command.
    files : iterable of Needed
        What is looked for: another file of the same name is not it.
    """
    for file in files:
        try:
            found = needed(os.path.join(folder, file.path))  # noqa: PTH118
            is_seen = (found.size, found.beginning) == (file.size, file.beginning)
        except OSError:
            is_seen = False
        if not is_seen:
            return file.path
    return ""


@cache
def versions() -> dict[str, str]:
    """Return the versions that have to be the same for everybody who works on a study."""
    found = {name: metadata.version(name) for name in _COUNTED}
    python = ".".join(platform.python_version_tuple()[:2])
    return {"gazetrack": __version__, "python": python} | found


class _House:
    """The tasks that run in this process, each on a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[int, str] = {}

    @contextlib.contextmanager
    def task(self, terms: Terms) -> Iterator[None]:
        """Be in the study's folder inside the block; a task of another folder waits."""
        own = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: not self._running or _is_here(terms.folder))
            if not _is_here(terms.folder):
                _go(terms.folder)
            self._running[own] = terms.study
        try:
            yield
        finally:
            with self._changed:
                self._running.pop(own, None)
                self._changed.notify_all()

    def interrupt(self, study: str) -> None:
        """Raise `Stopped` in the threads that work for a study."""
        with self._changed:
            for thread, of in self._running.items():
                if of == study:
                    number = ctypes.c_ulong(thread)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Stopped))

    def works_for(self, study: str) -> bool:
        """Whether any thread works for a study."""
        with self._changed:
            return study in self._running.values()


_house = _House()


def do(given: Given, *, function: Callable[[Any], Any], terms: Terms) -> Any:
    """Call a function with one item, at a worker.

    Raises
    ------
    ClusterError
        The worker runs with other versions than the command, or does not see its folder.
    """
    here = versions()
    other = {name: text for name, text in terms.versions.items() if here.get(name) != text}
    if other:
        name, text = next(iter(other.items()))
        what = f"a worker on {quote(platform.node(), 40)} has {name} {here.get(name, 'not at all')}"
        hint = "install the same versions everywhere: the tables would not be the same"
        raise ClusterError(f"{what}, and here it is {text}", hint=hint)
    with _house.task(terms):
        return function(given.item)


async def stop(study: str) -> bool:
    """End the tasks of a study at this worker, and wait until they have tidied up.

    Returns
    -------
    bool
        Whether none of them works any more.
    """
    _house.interrupt(study)
    waited = 0.0
    while _house.works_for(study) and waited < _TIDY_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
    return not _house.works_for(study)


def _is_here(folder: str) -> bool:
    try:
        return os.getcwd() == folder  # noqa: PTH109 - compared with a text that was made the same way
    except OSError:  # somebody removed it
        return False


def _go(folder: str) -> None:
    try:
        os.chdir(folder)
    except OSError as error:
        what = f"a worker on {quote(platform.node(), 40)} does not see the folder"
        hint = "workers need the folders of the command: use a file system that all share"
        raise ClusterError(what, path=folder, hint=hint) from error
