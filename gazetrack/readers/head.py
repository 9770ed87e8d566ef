"""The first look at a file, shared by all readers: its first bytes, their encoding, their lines."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gazetrack.errors import InputError, readable
from gazetrack.readers.opening import open_plain
from gazetrack.readers.reading import Reading

if TYPE_CHECKING:
    import os

HEAD_BYTES = 64 * 1024
_PROBE_BYTES = 4096
_LEAST_CHARS = 16
_PROBE_LINES = 50
_BIDS_NAME = re.compile(r"sub-[A-Za-z0-9]+_")
# The mark of UTF-32 begins with that of UTF-16: it is looked for first.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first 64 KiB of a file, decoded once for all readers.

    Parameters
    ----------
    path : pathlib.Path
        The file as the user named it.
    data : bytes
        Its first bytes, unpacked when it is gzip.
    encoding : str
        Python's name of the text encoding.
    text : str
        `data` as text; bytes that are none in this encoding become U+FFFD.
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
        if name.lower().endswith(".gz"):
            name = name[: -len(".gz")]
        return Path(name).stem


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
        The file is missing, a folder, not a regular file, unreadable, or empty.
    ParseError
        The file is a damaged gzip stream.
    """
    path = Path(path)
    reading = reading or Reading()
    with open_plain(path, reading) as file:
        data = _read_up_to(file, HEAD_BYTES)
        complete = not file.read(1)
    if not data:
        raise _empty(path)
    encoding = _encoding_of(data)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(data, final=complete)
    lines = _lines_of(text, complete)
    return Head(
        path=path,
        data=data,
        encoding=encoding,
        text=text,
        lines=tuple(lines),
        delimiter=_delimiter_of(lines),
        reading=reading,
    )


def _read_up_to(file: IO[bytes], size: int) -> bytes:
    """Read so many bytes, or all there are: an unpacked file may give fewer at a time."""
    data = b""
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _empty(path: Path) -> InputError:
    if _BIDS_NAME.match(path.name):
        what = "is empty: a placeholder, as in the BIDS examples and in data sets not fetched yet"
        return InputError(what, path=path, hint="fetch the data themselves")
    return InputError("is empty", path=path, hint="export the recording again")


def _lines_of(text: str, complete: bool) -> list[str]:
    # CR CR LF is what Windows makes of a CR LF that a program wrote to a file opened as text.
    lines = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cut_off = not complete and len(lines) > 1
    nothing_follows = not lines[-1]
    if cut_off or nothing_follows:
        lines.pop()
    return lines


def _encoding_of(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    if (wide := _unmarked_utf16(data[:_PROBE_BYTES])) is not None:
        return wide
    try:
        # Not the last bytes of the file: a character that is cut off at their end is no error.
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
    n_chars = len(data) // 2
    if n_chars < _LEAST_CHARS:
        return None
    zeros_even = data[0 : 2 * n_chars : 2].count(0)
    zeros_odd = data[1 : 2 * n_chars : 2].count(0)
    if zeros_odd > 0.9 * n_chars and zeros_even == 0:
        return "utf-16-le"
    if zeros_even > 0.9 * n_chars and zeros_odd == 0:
        return "utf-16-be"
    return None


def _delimiter_of(lines: list[str]) -> str:
    """Return the delimiter that is there most often on a typical line; a tab wins over the others.

    The last lines are looked at: free text may stand above a table.
    """
    probe = lines[-_PROBE_LINES:]
    if not probe:
        return ""
    typical = {}
    for mark in "\t;,":
        counts = sorted(line.count(mark) for line in probe)
        typical[mark] = counts[len(counts) // 2]
    if typical["\t"]:
        return "\t"
    best = max(";,", key=lambda mark: typical[mark])
    return best if typical[best] else ""
