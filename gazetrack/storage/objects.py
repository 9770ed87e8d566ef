"""What is done with an object by its address: listed, fetched, looked into, and sent, whole.

fsspec does the talking, with a package for each kind of store, and is imported for addresses alone.
Readers need files that can be read from any place, so that an object is copied to a private file
first. What is sent is there whole or not at all: object stores show an object when its last byte
has come; elsewhere it is sent under a temporary name, and renamed.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, GazetrackError, InputError, OutputError, quote
from gazetrack.publish import temporary_name, write_bytes
from gazetrack.storage.address import (
    joined,
    parent_of,
    scheme_of,
    shown_path,
    without_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# What is sent to these is seen when it is complete, and not before.
_WHOLE_OR_ABSENT = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "memory")
_EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
}
_NO_FOLDERS = ("http", "https")
_MEMORY = "memory"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (401, 403)
_MISSING = 404
_BUSY = (429, 500, 502, 503, 504)
_BY_ERRNO = {errno.EBUSY: 503, errno.EACCES: 403, errno.EPERM: 403, errno.ENOENT: 404}


def listed(url: str, *, recursive: bool) -> tuple[list[str], bool]:
    """Return the objects that an address names, and whether it names a folder or a pattern.

    Parameters
    ----------
    url : str
        An object, a folder of objects, or a pattern with ``*``.
    recursive : bool
        Of a folder, also what lies below it.

    Returns
    -------
    list of str, bool
        Their addresses in order. An address of which nothing is known is returned as it is:
        fetching it says what is wrong.

    Raises
    ------
    InputError
        The store refuses, or cannot be reached.
    """
    if scheme_of(url) in _NO_FOLDERS:
        return [url], False
    with _told(url, InputError):
        store, key = _open(url)
        if "*" in key:
            found = [name for name in store.glob(key) if store.isfile(name)]
        elif store.isfile(key):
            return [url], False
        elif store.isdir(key):
            found = list(store.find(key, maxdepth=None if recursive else 1))
        else:
            return [url], False
    base = key.partition("*")[0].rpartition("/")[0] if "*" in key else key.rstrip("/")
    folder = parent_of(url.partition("*")[0] + "x") if "*" in key else url
    return [joined(folder, name.removeprefix(base).lstrip("/")) for name in sorted(found)], True


def names_in(folder: str) -> list[str]:
    """Return the names of the objects and folders in a folder; none where there is no folder."""
    if scheme_of(folder) in _NO_FOLDERS:
        return []
    with _told(folder, InputError):
        store, key = _open(folder)
        try:
            found = store.ls(key, detail=False)
        except FileNotFoundError:
            return []
    return sorted(name.rstrip("/").rpartition("/")[2] for name in found)


def facts_of(url: str) -> dict[str, Any] | None:
    """Return what a store says of an object, by fsspec's names; None where there is none.

    Raises
    ------
    InputError
        The store refuses, or cannot be reached.
    """
    with _told(url, InputError):
        store, key = _open(url)
        try:
            facts: dict[str, Any] = store.info(key)
        except FileNotFoundError:
            return None
    return None if facts.get("type") == "directory" else facts


def facts_below(folder: str, *, recursive: bool) -> dict[str, dict[str, Any]]:
    """Return what a store says of each object in a folder, by its name as seen from there.

    Parameters
    ----------
    folder : str
        The address of the folder; of one that is not there, there are no objects.
    recursive : bool
        Also tell of what lies below it, with ``/`` in the names.

    Raises
    ------
    InputError
        The store refuses, or cannot be reached.
    """
    with _told(folder, InputError):
        store, key = _open(folder)
        try:
            if recursive:
                found = list(store.find(key, detail=True).values())
            else:
                found = store.ls(key, detail=True)
        except FileNotFoundError:
            return {}
    base = f"{key.strip('/')}/"
    files = [facts for facts in found if facts.get("type") != "directory"]
    return {facts["name"].lstrip("/").removeprefix(base): facts for facts in files}


def size_of(url: str) -> int | None:
    """Return the size of an object in bytes; None where there is none.

    Raises
    ------
    InputError
        The store refuses, or cannot be reached.
    """
    facts = facts_of(url)
    return None if facts is None else int(facts.get("size") or 0)


def fetch(url: str, path: Path) -> None:
    """Copy an object into a file of this machine.

    Parameters
    ----------
    url : str
        The address of the object.
    path : pathlib.Path
        The file to write, in a folder that is there.

    Raises
    ------
    InputError
        There is no such object, the store refuses or cannot be reached, or sends less than it is.
    OutputError
        There is no room for the copy.
    """
    with _told(url, InputError):
        store, key = _open(url)
        facts = store.info(key)
        if facts.get("type") == "directory":
            raise InputError("is a folder", path=shown_path(url), hint="name the objects in it")
        store.get_file(key, os.fspath(path))
    size = facts.get("size")
    there = path.stat().st_size
    if size is not None and there != size:
        what = f"came incomplete: {there:,} of {size:,} bytes"
        raise InputError(what, path=shown_path(url), hint="try again")


def fetch_beginning(url: str, path: Path, n_bytes: int) -> None:
    """Copy the first bytes of an object into a file; errors are those of `fetch`."""
    with _told(url, InputError):
        store, key = _open(url)
        size = store.info(key).get("size")
        end = n_bytes if size is None else min(n_bytes, size)
        data = store.cat_file(key, start=0, end=end) if end else b""
    write_bytes(path, data)


@contextlib.contextmanager
def opened(url: str) -> Iterator[Any]:
    """Open an object for reading any part of it, as a binary file; errors are those of `fetch`."""
    with _told(url, InputError):
        store, key = _open(url)
        with store.open(key, "rb") as file:
            yield file


def send(path: Path, url: str) -> None:
    """Copy a file of this machine to an address: whole, or not at all.

    Parameters
    ----------
    path : pathlib.Path
        The file of this machine to copy.
    url : str
        The address of the object, which is replaced where there is one.

    Raises
    ------
    OutputError
        The store refuses, is busy, or cannot be reached; an older object is as it was.
    """
    refuse_unwritable(url)
    with _told(url, OutputError):
        store, key = _open(url)
        if scheme_of(url) in _WHOLE_OR_ABSENT:
            store.put_file(os.fspath(path), key)
            return
        folder = key.rpartition("/")[0]
        if folder:
            store.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/{temporary_name(key.rpartition('/')[2])}"
        try:
            store.put_file(os.fspath(path), temporary)
            store.mv(temporary, key)
        except BaseException:
            with contextlib.suppress(Exception):  # the first error is the one to tell
                store.rm_file(temporary)
            raise


def refuse_unwritable(url: str) -> None:
    """Refuse to write to what is only read, such as a web server.

    Raises
    ------
    OutputError
        It is of HTTP.
    """
    if scheme_of(url) in _NO_FOLDERS:
        what = "is on a web server, which is read and not written to"
        raise OutputError(what, path=shown_path(url), hint="choose a folder or a store with --out")


def check_shared(urls: Iterable[str]) -> None:
    """Refuse addresses that other processes cannot see; to be called before they are started.

    Raises
    ------
    ConfigError
        One of ``memory://``.
    """
    if any(scheme_of(url) == _MEMORY for url in urls):
        what = "memory:// is known to one process alone"
        raise ConfigError(what, hint="let one process do all, or use another store")


def _open(url: str) -> tuple[Any, str]:
    """Return the file system of an address, and the object's key in it."""
    scheme = scheme_of(url)
    extra = _EXTRAS.get(scheme)
    install = f"pip install 'gazetrack[{extra}]'" if extra else "pip install fsspec"
    what = f"addresses of {scheme}:// need a package that is not installed"
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise ConfigError(what, path=shown_path(url), hint=install) from None
    try:
        store, key = url_to_fs(url)
    except ImportError as error:
        hint = install if extra else f"{quote(error, 120)}"
        raise ConfigError(what, path=shown_path(url), hint=hint) from None
    except ValueError as error:
        if "Protocol not known" not in str(error):
            raise
        what = f"no store is known by {scheme}://"
        hint = "use s3://, gs://, az://, or a path of this machine"
        raise ConfigError(what, path=shown_path(url), hint=hint) from None
    # Other programs write there as well: what was listed before may be old.
    store.invalidate_cache()
    return store, key


@contextlib.contextmanager
def _told(url: str, kind: type[GazetrackError]) -> Iterator[None]:
    """Say in our own errors what a store, or the way to it, has against a request.

    The packages behind fsspec raise errors of all kinds, those of their own among them.
    """
    try:
        yield
    except (GazetrackError, MemoryError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001 - each store's package has errors of its own
        # Without what led to it: that may show the address with its secrets.
        raise _as_ours(error, url, kind) from None


def _as_ours(error: Exception, url: str, kind: type[GazetrackError]) -> GazetrackError:
    path = shown_path(url)
    number = getattr(error, "errno", None)
    status = _status_of(error)
    if number in _FULL and status is None:
        what = f"no room for a copy on this machine: {quote(os.strerror(number))}"
        hint = "free some space, or set TMPDIR to a folder on a larger disk"
        return OutputError(what, path=path, hint=hint)
    status = status or _BY_ERRNO.get(number or 0)
    verb = "written" if kind is OutputError else "read"
    if status in _FORBIDDEN or isinstance(error, PermissionError):
        what = f"may not be {verb}: the store refuses ({status or 403})"
        return kind(what, path=path, hint="check the credentials and what they are allowed to do")
    # Some say of a server that they cannot reach that there is no such file.
    said_by_nobody = status is None and isinstance(error.__cause__, Exception)
    if status == _MISSING or (isinstance(error, FileNotFoundError) and not said_by_nobody):
        what = "no such object or bucket (404)"
        return kind(what, path=path, hint="check the address")
    if status in _BUSY:
        what = f"cannot be {verb}: the store is busy or broken ({status}), also when asked again"
        return kind(what, path=path, hint="run the same command again later")
    source = error.__cause__ if isinstance(error, FileNotFoundError) else error
    reason = f"{type(source).__name__}: {quote(without_secrets(str(source), [url]), 150)}"
    if "Credentials" in type(error).__name__:
        hint = "set the store's credentials, such as AWS_ACCESS_KEY_ID or AWS_PROFILE"
        return kind(f"may not be {verb}: there are no credentials", path=path, hint=hint)
    answered = f" ({status})" if status else ""
    what = f"cannot be {verb}{answered}: {reason}"
    return kind(what, path=path, hint="check the address, the network and the credentials")


def _status_of(error: BaseException | None) -> int | None:
    """Return the status of HTTP that an error of a store's package tells of, if it does."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if isinstance(status, int):
                return status
        for name in ("status", "status_code", "code"):
            value = getattr(error, name, None)
            if isinstance(value, int) and value >= 400:
                return value
        error = error.__cause__
    return None
