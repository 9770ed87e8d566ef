"""The contract of a reader, and the first look at a file that all readers share.

A reader is a module in this folder (or in a third party's package) with three names:

``FORMAT : Format``
    What it is called, what it reads, what is lost.
``sniff(head: Head) -> Verdict``
    How sure it is that the file is its own, judged from the content alone, and why, in words for the user.
    It must not read more of the file.
``read(head: Head, options: ReadOptions) -> Recording``
    Read the whole file, block by block. Tables come back through `schema.conform`. Whatever breaks the format raises
    `ParseError` with the line; nothing is guessed silently: every row not used is counted in ``dropped`` by reason.

Detection is a contest of verdicts, never a try-and-catch: see `registry.detect`.
"""

from __future__ import annotations

import codecs
import gzip
import os
import re
import stat
import zlib
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from gazetrack.errors import InputError, ParseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.recording import Recording, Screen

HEAD_BYTES = 64 * 1024
BLOCK_BYTES = 512 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_PLAIN_BYTES = 64 * 1024**3
MAX_GZIP_RATIO = 1000
GZIP_RATIO_FROM_BYTES = 100 * 1024**2
# What may stand among the columns and names none: how the positions are to be read.
POSITION_SETTINGS = frozenset({"unit", "origin", "y_axis"})
_GZIP_MAGIC = b"\x1f\x8b"
_PROBE_BYTES = 4096
_BIDS_NAME = re.compile(r"sub-[A-Za-z0-9]+_")
_LEAST_CHARS = 16
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Level(IntEnum):
    """How sure a reader is that a file is its own."""

    NO = 0
    SUFFIX = 1
    LIKELY = 2
    CERTAIN = 3


@dataclass(frozen=True)
class Verdict:
    """A level and the reason for it, in words for the user.

    Parameters
    ----------
    level : Level
        How sure the reader is.
    reason : str
        Why; of a file that belongs to a recording and holds no gaze, what it is.
    instead : str
        For such a file: which one to give instead.
    hint : str
        What to do so that the file can be read, where the reader knows its format but cannot read it as it is.
    """

    level: Level
    reason: str = ""
    instead: str = ""
    hint: str = ""


NO = Verdict(Level.NO)


@dataclass(frozen=True)
class Format:
    """What a reader reads.

    Parameters
    ----------
    name : str
        The name users type after ``--format``.
    title : str
        Tracker or software, as its makers write it.
    suffixes : tuple of str
        Usual file suffixes, with the dot. They never decide alone.
    provides : str
        What comes out: ``samples and events``, ``fixations``.
    units : str
        Units in the export and what is converted.
    lost : str
        What the export holds and the tables do not.
    source : str
        Where the format is described.
    takes_columns : bool
        Whether `ReadOptions.columns` mean anything to the reader.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    provides: str
    units: str
    lost: str
    source: str
    takes_columns: bool = False


@dataclass(frozen=True)
class ReadOptions:
    """What a user may tell a reader.

    Parameters
    ----------
    columns : mapping of str to str
        For readers with `Format.takes_columns`: our name (x, y, t, duration, …) to the export's column; and the
        `POSITION_SETTINGS`.
    screen : Screen or None
        As the user states it, for positions that mean nothing without it. All others meet it in `geometry`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    screen: Screen | None = None


@dataclass(frozen=True)
class Head:
    """The first 64 KiB of a file, decoded once for all readers.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    data : bytes
        Its first bytes, unpacked when it is gzip.
    encoding : str
        Python's name of the text encoding.
    text : str
        `data` as text.
    lines : tuple of str
        The lines of `text` without line ends; a last line that is cut off is left out.
    delimiter : str
        The most likely one of tab, semicolon, comma; empty when no line has any.
    """

    path: Path
    data: bytes
    encoding: str
    text: str
    lines: tuple[str, ...]
    delimiter: str

    def blocks(self) -> IO[bytes]:
        """Open the file for reading its plain bytes; gzip is unpacked on the way, within limits."""
        return open_plain(self.path)

    @property
    def stem(self) -> str:
        """The file's name without folder, ``.gz`` and suffix."""
        name = self.path.name
        return Path(name[:-3] if name.lower().endswith(".gz") else name).stem


class Reader(Protocol):
    """A reader module, see this file's docstring."""

    FORMAT: Format

    def sniff(self, head: Head) -> Verdict:
        """Judge the file by its head."""

    def read(self, head: Head, options: ReadOptions) -> Recording:
        """Read the file."""


def read_head(path: str | os.PathLike[str]) -> Head:
    """Take the first look at a file.

    Parameters
    ----------
    path : path-like
        The file; gzip is recognised by its content.

    Raises
    ------
    InputError
        Missing, a folder, not a regular file, unreadable, or empty.
    ParseError
        A damaged gzip stream.
    """
    path = Path(path)
    with open_plain(path) as file:
        data = _read_up_to(file, HEAD_BYTES)
        complete = not file.read(1)
    if not data:
        if _BIDS_NAME.match(path.name):
            what = "is empty: a placeholder, as in the BIDS examples and in data sets not fetched yet"
            raise InputError(what, path=path, hint="fetch the data themselves")
        raise InputError("is empty", path=path, hint="export the recording again")
    encoding = _encoding_of(data)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data, final=complete)
    lines = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if (not complete and len(lines) > 1) or (lines and not lines[-1]):
        lines.pop()
    return Head(path, data, encoding, text, tuple(lines), _delimiter_of(lines))


def open_plain(path: Path) -> IO[bytes]:
    """Open a regular file for binary reading; gzip is unpacked on the way.

    Raises
    ------
    InputError
        Missing, a folder, not a regular file, or unreadable.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check the name and the folder") from None
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", path=path, hint="check its permissions") from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise InputError("is a folder", path=path, hint="name the files in it")
        raise InputError("is not a regular file", path=path, hint="copy its content into a file first")
    file = os.fdopen(descriptor, "rb")
    magic = file.read(2)
    file.seek(0)
    return _GzipFile(path, file) if magic == _GZIP_MAGIC else file  # type: ignore[return-value]


class _GzipFile(gzip.GzipFile):
    """Gzip with the errors of this library and a limit on how much a small file may unpack to."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._path, self._packed = path, os.fstat(file.fileno()).st_size
        self._plain, self._file = 0, file

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` plain bytes."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))
        try:
            data = super().read(size)
        except EOFError:
            raise self._damaged("ends in the middle") from None
        except (gzip.BadGzipFile, zlib.error, OSError) as error:
            raise self._damaged(str(error)) from error
        self._plain += len(data)
        bomb = self._plain > GZIP_RATIO_FROM_BYTES and self._plain > MAX_GZIP_RATIO * self._packed
        if bomb or self._plain > MAX_PLAIN_BYTES:
            raise ParseError(
                f"unpacks to more than {self._plain} bytes", path=self._path, hint="unpack it yourself if you trust it"
            )
        return data

    def close(self) -> None:
        """Close the stream and the file under it."""
        super().close()
        self._file.close()

    def _damaged(self, reason: str) -> ParseError:
        return ParseError(
            f"damaged gzip: {reason}", path=self._path, byte=self._plain, hint="copy or export the file again"
        )


def _read_up_to(file: IO[bytes], size: int) -> bytes:
    data = b""
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _encoding_of(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    if (wide := _unmarked_utf16(data[:_PROBE_BYTES])) is not None:
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=False)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    import charset_normalizer  # slow to import and rarely needed

    best = charset_normalizer.from_bytes(data).best()
    return best.encoding if best is not None else "latin-1"


def _unmarked_utf16(data: bytes) -> str | None:
    """Recognise UTF-16 without its mark: of mostly ASCII text, every other byte is zero."""
    n = len(data) // 2
    if n < _LEAST_CHARS:
        return None
    even, odd = data[0 : 2 * n : 2].count(0), data[1 : 2 * n : 2].count(0)
    if odd > 0.9 * n and even == 0:
        return "utf-16-le"
    return "utf-16-be" if even > 0.9 * n and odd == 0 else None


def _delimiter_of(lines: list[str]) -> str:
    """Choose the delimiter whose count per line is largest on the most lines."""
    counts = {mark: sorted(line.count(mark) for line in lines[-50:]) for mark in "\t;,"}
    typical = {mark: values[len(values) // 2] for mark, values in counts.items() if values}
    best = max(
        typical, key=lambda mark: (typical[mark] > 0, mark == "\t" and typical[mark] > 0, typical[mark]), default=""
    )
    return best if typical.get(best) else ""
