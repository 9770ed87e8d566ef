"""The contract of a reader, and the first look at a file that all readers share.

A reader is a module in this folder (or in a third party's package) with three names:

``FORMAT : Format``
    What it is called, what it reads, what is lost.
``sniff(head: Head) -> Verdict``
    How sure it is that the file is its own, judged from the content alone, and why, in words for
    the user. It must not read more of the file.
``read(head: Head, options: ReadOptions) -> Recording``
    Read the whole file, block by block. Tables come back through `schema.conform`. Whatever breaks
    the format raises `ParseError` with the line; nothing is guessed silently: every row not used is
    counted in ``dropped`` by reason.

Detection is a contest of verdicts, never a try-and-catch: see `registry.detect`.
"""

from __future__ import annotations

import codecs
import gzip
import os
import re
import stat
import zlib
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from gazetrack.errors import InputError, ParseError, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.tables.recording import Recording, Screen

HEAD_BYTES = 64 * 1024
BLOCK_BYTES = 512 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_COLUMNS = 10_000
MAX_PLAIN_BYTES = 64 * 1024**3
# Exports shrink to a fifth or a twentieth; what shrinks to less than a two-hundredth was made to
# fill a disk.
MAX_GZIP_RATIO = 200
GZIP_RATIO_FROM_BYTES = 64 * 1024**2  # a table of so much text is read within 500 MB
# What may stand among the columns and names none: how the positions are to be read.
POSITION_SETTINGS = frozenset({"unit", "origin", "y_axis"})
CUT_OFF = "cut off at the end of the file"
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
        What to do so that the file can be read, where the reader knows its format but cannot read
        it as it is.
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
        For readers with `Format.takes_columns`: our name (x, y, t, duration, …) to the export's
        column; and the `POSITION_SETTINGS`.
    screen : Screen or None
        As the user states it, for positions that mean nothing without it. All others meet it in
        `geometry`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    screen: Screen | None = None


@dataclass(eq=False)
class Reading:
    """How a file is to be read, and what its text needed so that it could be.

    Parameters
    ----------
    salvage : bool
        Take the whole rows of a file that is cut off.
    trust_gzip : bool
        Unpack gzip without the limits of ratio and size.
    mended : dict of str to int
        Rows that are used though their text was not as the header says, by what was done.
    lines : dict of str to int
        The first line of each kind of mended rows.
    dropped : dict of str to int
        Rows that were lost before any reader saw them, by reason.
    notes : list of str
        What else was found, in words for the user.
    """

    salvage: bool = False
    trust_gzip: bool = False
    mended: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def mend(self, what: str, rows: int, line: int) -> None:
        """Count mended rows; a table that is read twice counts once."""
        self.mended[what] = max(rows, self.mended.get(what, 0))
        self.lines[what] = min(line, self.lines.get(what, line))

    def note(self, words: str) -> None:
        """Add a note, once: files are opened several times."""
        if words not in self.notes:
            self.notes.append(words)

    def for_companion(self) -> Reading:
        """Return a way to read another file of the recording, which has mended rows of its own."""
        return Reading(salvage=self.salvage, trust_gzip=self.trust_gzip)

    def applied(self, recording: Recording) -> Recording:
        """Return the recording with what was found and done before its reader saw the rows."""
        mended = [
            f"{count} rows {what} (first: line {self.lines[what]})"
            for what, count in self.mended.items()
        ]
        lost = {
            reason: count + recording.dropped.get(reason, 0)
            for reason, count in self.dropped.items()
        }
        return replace(
            recording,
            rows_in=recording.rows_in + sum(self.dropped.values()),
            dropped={**recording.dropped, **lost},
            mended=dict(self.mended),
            notes=(*mended, *self.notes, *recording.notes),
        )


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
    reading : Reading
        How to read the file, and what came up on the way.
    """

    path: Path
    data: bytes
    encoding: str
    text: str
    lines: tuple[str, ...]
    delimiter: str
    reading: Reading = field(default_factory=Reading, compare=False, repr=False)

    def blocks(self) -> IO[bytes]:
        """Open the file for reading its plain bytes; gzip is unpacked on the way, within limits."""
        return open_plain(self.path, self.reading)

    @property
    def stem(self) -> str:
        """The file's name without folder, ``.gz`` and suffix."""
        name = readable(self.path.name)
        return Path(name[:-3] if name.lower().endswith(".gz") else name).stem


class Reader(Protocol):
    """A reader module, see this file's docstring."""

    FORMAT: Format

    def sniff(self, head: Head) -> Verdict:
        """Judge the file by its head."""

    def read(self, head: Head, options: ReadOptions) -> Recording:
        """Read the file."""


def read_head(path: str | os.PathLike[str], reading: Reading | None = None) -> Head:
    """Take the first look at a file.

    Parameters
    ----------
    path : path-like
        The file; gzip is recognised by its content.
    reading : Reading, optional
        How to read it; whole files within all limits by default.

    Raises
    ------
    InputError
        Missing, a folder, not a regular file, unreadable, or empty.
    ParseError
        A damaged gzip stream.
    """
    path, reading = Path(path), reading or Reading()
    with open_plain(path, reading) as file:
        data = _read_up_to(file, HEAD_BYTES)
        complete = not file.read(1)
    if not data:
        if _BIDS_NAME.match(path.name):
            what = (
                "is empty: a placeholder, as in the BIDS examples and in data sets not fetched yet"
            )
            raise InputError(what, path=path, hint="fetch the data themselves")
        raise InputError("is empty", path=path, hint="export the recording again")
    encoding = _encoding_of(data)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data, final=complete)
    lines = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if (not complete and len(lines) > 1) or (lines and not lines[-1]):
        lines.pop()
    return Head(path, data, encoding, text, tuple(lines), _delimiter_of(lines), reading)


def open_plain(path: Path, reading: Reading) -> IO[bytes]:
    """Open a regular file for binary reading; gzip is unpacked on the way, within limits unless it is trusted.

    Raises
    ------
    InputError
        Missing, a folder, not a regular file, or unreadable.
    """
    try:
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except FileNotFoundError:
        raise InputError("no such file", path=path, hint="check the name and the folder") from None
    except OSError as error:
        raise InputError(
            f"cannot be opened: {error.strerror}", path=path, hint="check its permissions"
        ) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise InputError("is a folder", path=path, hint="name the files in it")
        raise InputError(
            "is not a regular file", path=path, hint="copy its content into a file first"
        )
    file = os.fdopen(descriptor, "rb")
    magic = file.read(2)
    file.seek(0)
    return _GzipFile(path, file, reading) if magic == _GZIP_MAGIC else file  # type: ignore[return-value]


class _GzipFile(gzip.GzipFile):
    """Gzip with the errors of this library and a limit on how much a small file may unpack to."""

    def __init__(self, path: Path, file: IO[bytes], reading: Reading) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._path, self._file, self._reading = path, file, reading
        self._plain = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` plain bytes."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))
        try:
            # One piece at a time: what comes before the place where a file is cut off is not lost
            # with the error.
            data = super().read1(size) if self._reading.salvage else super().read(size)
        except EOFError:
            if self._reading.salvage:
                self._reading.note("the gzip stream ends in the middle: read up to there")
                return b""
            hint = "copy or export the file again, or take its whole rows with --salvage"
            raise self._damaged("ends in the middle", hint) from None
        except (gzip.BadGzipFile, zlib.error, OSError) as error:
            raise self._damaged(str(error), "copy or export the file again") from error
        self._plain += len(data)
        if not self._reading.trust_gzip:
            self._check_size()
        return data

    def _check_size(self) -> None:
        # What was read of the file so far, not its length: a bomb behind a long tail of nothing is
        # found as soon.
        bomb = self._plain > max(GZIP_RATIO_FROM_BYTES, MAX_GZIP_RATIO * self._file.tell())
        if bomb or self._plain > MAX_PLAIN_BYTES:
            what = (
                f"unpacks to more than {MAX_GZIP_RATIO} times its size"
                if bomb
                else "unpacks to more than 64 GiB"
            )
            hint = "if you know where it comes from, add --trust-gzip, or unpack it yourself"
            raise ParseError(what, path=self._path, byte=self._plain, hint=hint)

    def close(self) -> None:
        """Close the stream and the file under it."""
        super().close()
        self._file.close()

    def _damaged(self, reason: str, hint: str) -> ParseError:
        return ParseError(f"damaged gzip: {reason}", path=self._path, byte=self._plain, hint=hint)


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
        typical,
        key=lambda mark: (typical[mark] > 0, mark == "\t" and typical[mark] > 0, typical[mark]),
        default="",
    )
    return best if typical.get(best) else ""
