"""What was done of a study, recording by recording, so that the next call goes on from there.

A manifest is a file of JSON lines: a header, and a line for each recording that is done, written
when its tables are in place. It is the one file of ours that is appended to and not published
whole: a line that was cut short by a crash is as if it were not there. What a line says is
believed as long as gazetrack, the parameters, the files of the recording and its tables are the
same; of a file whose size and time have not changed, the bytes are taken to be the same, and of
an object of a store those whose mark has not, see `gazetrack.storage.states`.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gazetrack.errors import InputError, LockedError, OutputError, quote
from gazetrack.publish import output_errors, sha256_of
from gazetrack.storage.address import UrlPath
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    Look = Callable[[str], Mapping[str, Any] | None]

_HEADER = {"gazetrack_manifest": 1}
_MAX_LINE_BYTES = 64 * 1024**2


class Manifest:
    """A manifest that is read, and appended to while its block is entered.

    Parameters
    ----------
    path : path-like
        The file; it is made where there is none.
    read_only : bool
        Whether nothing is going to be done: then no file is made.

    Raises
    ------
    OutputError
        There is another file of that name, or it cannot be written.
    LockedError
        Another call works with it.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._lines: dict[str, dict[str, Any]] = {}
        self._descriptor: int | None = None
        if self.path.is_symlink():
            hint = "name the file that it points to"
            raise OutputError("is a symbolic link", path=self.path, hint=hint)
        if read_only:
            if self.path.exists():
                self._read()
            return
        # Locked before it is read: what another call notes meanwhile would not be known.
        self._descriptor = self._opened()
        try:
            self._read()
            with output_errors(self.path):
                _begin_if_empty(self._descriptor)
                _end_last_line(self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            self._descriptor = None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with output_errors(self.path):
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def name_of(self, path: Path) -> str:
        """Return what a file is called here: its path as seen from the manifest's folder.

        So it does not matter from which folder the command is called, nor where the study lies. An
        address is called what may be shown of it.
        """
        if isinstance(path, UrlPath):
            return str(path)
        return Path(os.path.relpath(path, self.path.parent)).as_posix()

    def has_size(self, size: int) -> bool:
        """Whether any recording that is done is of a file of so many bytes."""
        firsts = [file for line in self._lines.values() for file in line["files"][:1]]
        return any(file["bytes"] == size for file in firsts)

    def why(
        self,
        key: str,
        files: Sequence[Mapping[str, Any]],
        parameters: Mapping[str, str],
        now: Look,
    ) -> str:
        """Return why a recording has to be done; an empty text where it is done.

        Parameters
        ----------
        key : str
            What the recording is called here.
        files : sequence of mapping
            What `state_of` or `state_of_object` says of each of its files.
        parameters : mapping of str to str
            All that the tables depend on besides.
        now : callable
            Gives the state of a table by its name, None where it is not there; see `looking_in`.
        """
        line = self._lines.get(key)
        if line is None:
            return "new"
        if line["version"] != __version__:
            return f"made by gazetrack {quote(line['version'], 20)}"
        if line["parameters"] != dict(parameters):
            then = line["parameters"]
            names = [name for name in parameters if then.get(name) != parameters[name]]
            return f"other parameters: {', '.join(names) or 'fewer'}"
        if len(line["files"]) != len(files):
            return "other files belong to it"
        if any(file.get("mark") == "" for file in files):
            return "its store does not say whether it has changed"
        if not all(map(_same, line["files"], files)):
            return "the recording has changed"
        for output in line["outputs"]:
            found = now(output["path"])
            if found is None:
                return f"{quote(output['path'], 60)} is not there"
            if not _same(output, found):
                return f"{quote(output['path'], 60)} has changed"
        return ""

    def written(self, key: str, now: Look) -> tuple[str, ...]:
        """Return the names of tables that are as they were when they were noted."""
        line = self._lines.get(key)
        found = []
        for output in () if line is None else line["outputs"]:
            state = now(output["path"])
            if state is not None and _same(output, state):
                found.append(output["path"])
        return tuple(found)

    def tables(self, key: str) -> list[str]:
        """Return the names of the tables of a recording that is done, in their folder."""
        return [output["path"] for output in self._lines[key]["outputs"]]

    def outcome(self, key: str) -> dict[str, Any]:
        """Return what was kept about a recording that is done."""
        kept: dict[str, Any] = self._lines[key]["outcome"]
        return kept

    def add(self, key: str, **facts: Any) -> None:
        """Note that a recording is done.

        Parameters
        ----------
        key : str
            What the recording is called here.
        **facts
            ``files``, ``parameters``, ``outputs`` and ``outcome``, as `why` and `outcome` take and
            give them; the path of an output is seen from its folder.

        Raises
        ------
        OutputError
            The manifest cannot be written, as on a full disk.
        """
        line = {"key": key, "version": __version__, **facts}
        self._lines[key] = line
        # One call, so that lines stay whole; names of files may hold what is no text.
        data = (json.dumps(line) + "\n").encode()
        assert self._descriptor is not None, "within the block"  # noqa: S101 - for whoever calls
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            written, reason = 0, quote(error.strerror)
        else:
            reason = "no room"
        if written < len(data):
            hint = "make room, and call the command again"
            raise OutputError(f"cannot be written: {reason}", path=self.path, hint=hint)

    def _read(self) -> None:
        try:
            with self.path.open("rb") as file:
                header = file.readline(_MAX_LINE_BYTES)
                lines = [line for line in file if line.endswith(b"\n")]
        except OSError as error:
            what = f"cannot be read: {quote(error.strerror)}"
            raise InputError(what, path=self.path, hint="check the file and its folder") from error
        # An empty one is what a full disk or a crash leaves of one that was begun.
        if header and _parsed(header) != _HEADER:
            hint = "choose another --manifest"
            raise OutputError("is there and is no manifest", path=self.path, hint=hint)
        for raw in lines:
            line = _parsed(raw)
            # A line that is damaged is as if it were not there: the recording is done again.
            if _is_whole(line):
                self._lines[line["key"]] = line

    def _opened(self) -> int:
        # It is begun once it is locked: of two calls that make it, one is refused.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, flags, 0o666)
        except OSError as error:
            what = f"cannot be written: {quote(error.strerror)}"
            raise OutputError(what, path=self.path, hint="choose another --manifest") from error
        try:
            _lock(descriptor, self.path)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


_NEEDED = {
    "key": str,
    "version": str,
    "files": list,
    "parameters": dict,
    "outputs": list,
    "outcome": dict,
}
_OF_FILE = {"bytes": int, "sha256": str}
_OF_OUTPUT = {**_OF_FILE, "path": str}


def _is_whole(line: Any) -> bool:
    """Whether a line says all that a line says, each as what it is."""
    return (
        _has(line, _NEEDED)
        and all(_has(file, _OF_FILE) for file in line["files"])
        and all(_has(output, _OF_OUTPUT) for output in line["outputs"])
    )


def _has(found: Any, kinds: Mapping[str, type]) -> bool:
    return isinstance(found, dict) and all(
        isinstance(found.get(name), kind) for name, kind in kinds.items()
    )


def state_of(path: Path) -> dict[str, Any]:
    """Return what tells whether a file is the same: its path, size and time of change."""
    found = path.stat()
    return {"path": str(path), "bytes": found.st_size, "mtime_ns": found.st_mtime_ns}


def looking_in(folder: Path) -> Look:
    """Return what gives the state of a file in a folder by its name, None where there is none."""

    def now(name: str) -> dict[str, Any] | None:
        path = folder / name
        return state_of(path) if path.is_file() else None

    return now


def _same(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a file has the bytes it had; they are read where only its time is another."""
    if then["bytes"] != now["bytes"]:
        return False
    if "mark" in then or "mark" in now:
        # A store says what it can; its bytes are not fetched to be compared.
        return bool(now.get("mark")) and then.get("mark") == now["mark"]
    if "mtime_ns" in then and then["mtime_ns"] == now.get("mtime_ns"):
        return True
    if not then["sha256"]:  # it was not counted
        return False
    digest = now.get("sha256")
    return bool(then["sha256"] == (digest or sha256_of(now["path"])))


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _lock(descriptor: int, path: Path) -> None:
    """Hold the manifest until it is closed, so that no two calls do the same work."""
    try:
        import fcntl
    except ImportError:  # not on this system
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        hint = "wait for it, or choose another --manifest"
        raise LockedError("another call works with it", path=path, hint=hint) from None
    except OSError:  # a file system that knows no locks
        return


def _begin_if_empty(descriptor: int) -> None:
    if os.fstat(descriptor).st_size == 0:
        os.write(descriptor, json.dumps(_HEADER).encode() + b"\n")


def _end_last_line(descriptor: int) -> None:
    """End a line that a crash has cut short, so that the next one begins on its own."""
    size = os.fstat(descriptor).st_size
    with contextlib.suppress(AttributeError):  # no pread on this system
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")
