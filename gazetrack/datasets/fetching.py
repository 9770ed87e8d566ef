"""A file from where it is published: fetched on from where it was cut off, and checked.

``pooch`` tells whether a file is the one that was published. It is not let fetch: what it fetches
into is called otherwise each time, and would stay behind a process that is killed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, GazetrackError, InputError, OutputError, quote
from gazetrack.publish import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gazetrack.datasets.dataset import DataFile

_PIECE_BYTES = 2**18
_SECONDS = 60.0  # without a byte, after which a server has gone silent
_WHOLE_ALREADY = 416  # HTTP: nothing follows the bytes that are there
_GOES_ON = 206  # HTTP: what follows are the bytes that were asked for
_INSTALL = 'pip install "gazetrack[datasets]"'
_KEPT = "what was fetched so far is kept, and the next call goes on from there"


def fetch(file: DataFile, folder: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """Return a file of a data set, fetched if it is not there whole.

    Parameters
    ----------
    file : DataFile
        What is fetched, and its published digest.
    folder : pathlib.Path
        Where it goes; what was fetched in part lies beside it, as ``NAME.part``.
    progress : callable, optional
        Called with the bytes that are there, and all of them; 0 where the server does not say.

    Raises
    ------
    ConfigError
        The package that fetches is not installed.
    InputError
        The server cannot be reached, has no such file, or gave another one than was published.
    OutputError
        The file cannot be written.
    """
    try:
        import pooch  # noqa: F401 - whether it is there
        from requests import RequestException
    except ImportError as error:
        raise ConfigError(
            "data sets are fetched by pooch, which is missing", hint=_INSTALL
        ) from error
    target = folder / file.name
    getter = _Getter(target.with_name(f"{file.name}.part"), bool(file.md5), progress)
    try:
        if target.is_file() and _is_published(target, file.md5):
            return target
        folder.mkdir(parents=True, exist_ok=True)
        getter(file.url)
        if not _is_published(getter.part, file.md5):
            getter.part.unlink()
            what = f"is not the file that was published: its MD5 is not {file.md5}"
            hint = (
                "it was thrown away: try again; if it stays so, the file was changed at its source"
            )
            raise InputError(what, path=target, hint=hint)
        os.replace(getter.part, target)  # noqa: PTH105 - within one folder, at once
        sync_folder(folder)
    except RequestException as error:
        raise _of_network(error, file, target) from error
    except OSError as error:
        what = f"cannot be written: {quote(error.strerror or error, 80)}"
        hint = f"make room, or choose another folder with --dir; {_KEPT}"
        raise OutputError(what, path=target, hint=hint) from error
    return target


def _is_published(path: Path, md5: str) -> bool:
    """Tell whether a file has the published digest; where there is none, every file does."""
    import pooch

    return not md5 or bool(pooch.file_hash(str(path), alg="md5") == md5)


class _Getter:
    """Fetches an address into a file, going on where it was cut off.

    Parameters
    ----------
    part : pathlib.Path
        What is there so far.
    goes_on : bool
        Whether to go on from it. Not where nothing tells afterwards whether both are of one file.
    progress : callable or None
        Called with the bytes that are there, and all of them.
    """

    def __init__(
        self, part: Path, goes_on: bool, progress: Callable[[int, int], None] | None
    ) -> None:
        self.part = part
        self._goes_on = goes_on
        self._progress = progress

    def __call__(self, url: str) -> None:
        """Fetch an address."""
        import requests

        n_there = self.part.stat().st_size if self._goes_on and self.part.exists() else 0
        headers = {"Range": f"bytes={n_there}-"} if n_there else {}
        with requests.get(url, headers=headers, stream=True, timeout=_SECONDS) as response:
            if response.status_code != _WHOLE_ALREADY or not n_there:
                response.raise_for_status()
                # A server may begin anew all the same.
                n_there = n_there if response.status_code == _GOES_ON else 0
                self._take(response, n_there)

    def _take(self, response: Any, n_there: int) -> None:
        from requests import ConnectionError as Unfinished

        left = int(response.headers.get("Content-Length", 0))
        encoded = response.headers.get("Content-Encoding")
        total = n_there + left if left and not encoded else 0
        # Never through a link that somebody else put here.
        flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.part, flags | (os.O_APPEND if n_there else os.O_TRUNC), 0o666)
        with os.fdopen(descriptor, "ab" if n_there else "wb") as file:
            for piece in _pieces(response):
                file.write(piece)
                n_there += len(piece)
                if self._progress is not None:
                    self._progress(n_there, total)
            # The disk has the bytes before they get the name of the whole file.
            file.flush()
            os.fsync(file.fileno())
        if n_there < total:
            raise Unfinished(f"{n_there} of {total} bytes came")


def _pieces(response: Any) -> Iterator[bytes]:
    """Yield what has come of an answer; requests itself waits until a piece is full.

    What came before a break would be lost with the piece that it was to be a part of.
    """
    from requests import ConnectionError as Unreachable
    from requests.exceptions import ChunkedEncodingError
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

    if response.headers.get("Content-Encoding"):
        yield from response.iter_content(_PIECE_BYTES)
        return
    try:
        while piece := response.raw.read1(_PIECE_BYTES):
            yield piece
    except ProtocolError as error:
        raise ChunkedEncodingError(error) from error
    except ReadTimeoutError as error:
        raise Unreachable(error) from error


def _of_network(error: Exception, file: DataFile, target: Path) -> GazetrackError:
    """Return what went wrong on the way, in our words."""
    from requests import ConnectionError as Unreachable
    from requests import HTTPError, Timeout
    from requests.exceptions import ChunkedEncodingError as BrokenOff

    where = quote(file.url, 120)
    if isinstance(error, HTTPError) and error.response is not None:
        status = f"{error.response.status_code} {quote(error.response.reason, 40)}"
        what = f"the server says {status} about {where}"
        return InputError(
            what, path=target, hint="look at the home of the data set: it may have moved"
        )
    if isinstance(error, Timeout):
        what = f"the server went silent: {where}"
    elif isinstance(error, Unreachable | BrokenOff):
        what = f"no connection, or it broke off: {where}"
    else:
        what = f"cannot be fetched from {where}: {quote(error, 80)}"
    return InputError(what, path=target, hint=f"are you online? {_KEPT}")
