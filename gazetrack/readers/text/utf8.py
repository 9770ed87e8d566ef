"""Text of any encoding as UTF-8 lines."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from gazetrack.errors import ParseError
from gazetrack.readers.head import Head
from gazetrack.readers.opening import BLOCK_BYTES, MAX_LINE_BYTES
from gazetrack.readers.reading import CUT_OFF

if TYPE_CHECKING:
    from collections.abc import Callable


class Utf8Lines(io.RawIOBase):
    """The file as UTF-8 with LF line ends; NUL bytes and over-long lines are errors."""

    def __init__(self, head: Head, *, checked: bool = True) -> None:
        super().__init__()
        self._head, self._checked = head, checked
        self._file: IO[bytes] = head.blocks()
        self._plain = head.encoding in {"utf-8", "utf-8-sig", "ascii"}
        self._decoder = codecs.getincrementaldecoder(head.encoding)("replace")
        self._ready = self._held = b""
        self._before = self._length = 0
        self._ended = False
        self._cut = b""  # of a file to be salvaged: what follows its last line end so far

    def readable(self) -> bool:
        """Say that it can be read, as `io.BufferedReader` asks."""
        return True

    def close(self) -> None:
        """Close the file as well."""
        if not self.closed:
            self._file.close()
        super().close()

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        if size < 0:
            return b"".join(iter(lambda: self.read(BLOCK_BYTES), b""))
        while not self._ready and not self._ended:
            self._ready = self._next_block()
        data, self._ready = self._ready[:size], self._ready[size:]
        return data

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, for `io.BufferedReader`."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next_block(self) -> bytes:
        raw = self._file.read(BLOCK_BYTES)
        self._ended = not raw
        if not (self._plain and raw.isascii() and not self._decoder.getstate()[0]):
            raw = self._decoder.decode(raw, final=self._ended).encode()
        data = self._held + raw
        # A CR at the end may belong to the next block's LF.
        kept = len(data) if self._ended else len(data.rstrip(b"\r"))
        data, self._held = data[:kept], data[kept:]
        if b"\r" in data:
            twice = b"\r\r" in data
            data = re.sub(rb"\r\r\n|\r\n|\r", b"\n", data) if twice else _without_cr(data)
        if self._checked:
            self._check(data)
        return self._without_cut(data) if self._head.reading.salvage else data

    def _without_cut(self, data: bytes) -> bytes:
        """Return whole lines; what follows the last line end of the file is counted, not read."""
        data = self._cut + data
        end = data.rfind(b"\n") + 1
        data, self._cut = data[:end], data[end:]
        if self._ended and self._cut.strip():
            self._head.reading.dropped[CUT_OFF] = 1
        return data

    def _check(self, data: bytes) -> None:
        first_end = data.find(b"\n")
        longest = self._length + (len(data) if first_end < 0 else first_end)
        if longest > MAX_LINE_BYTES or len(self._held) > MAX_LINE_BYTES:
            raise self._damaged(
                f"a line of more than {MAX_LINE_BYTES} bytes",
                0,
                "not a table; export the recording again",
            )
        if (at := data.find(b"\0")) >= 0:
            raise self._damaged("a NUL byte", at, "the file is damaged here; copy it again")
        self._before += len(data)
        self._length = longest if first_end < 0 else len(data) - data.rfind(b"\n") - 1

    def _damaged(self, what: str, at: int, hint: str) -> ParseError:
        """Return an error about byte `at` of the block; lines are counted now, as few files have such an error."""
        left, lines = self._before + at, 1
        with Utf8Lines(self._head, checked=False) as file:
            while left > 0 and (data := file.read(left)):
                left -= len(data)
                lines += data.count(b"\n")
        return ParseError(what, path=self._head.path, line=lines, hint=hint)


def _without_cr(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class _RewrittenLines(Utf8Lines):
    """The file with every block of whole lines rewritten."""

    def __init__(self, head: Head, rewrite: Callable[[bytes], bytes]) -> None:
        super().__init__(head)
        self._rewrite = rewrite
        self._rest = b""

    def _next_block(self) -> bytes:
        data = self._rest + super()._next_block()
        cut = len(data) if self._ended else data.rfind(b"\n") + 1
        data, self._rest = data[:cut], data[cut:]
        return self._rewrite(data) if data else data


@dataclass(frozen=True, kw_only=True)
class RewrittenHead(Head):
    """A file that reads as if its lines were others; see `rewritten`."""

    rows: Callable[[], IO[bytes]] | None = None

    def blocks(self) -> IO[bytes]:
        """Open the file for reading its rewritten lines as UTF-8."""
        return super().blocks() if self.rows is None else self.rows()


def rewritten(head: Head, start: Callable[[], Callable[[bytes], bytes]]) -> RewrittenHead:
    """Return the file as a table, made of its lines on the way.

    Parameters
    ----------
    head : Head
        The first look at the file.
    start : callable
        Called at each start of the file; returns the function that rewrites a block of whole UTF-8
        lines. It must keep the number of lines, so that errors name the right one: a blank line is
        no row.
    """
    text = "\n".join(head.lines)
    lines = (
        start()((text + "\n").encode("utf-8", "replace"))
        .decode("utf-8", "replace")
        .split("\n")[:-1]
    )

    def rows() -> IO[bytes]:
        return _RewrittenLines(head, start())  # type: ignore[return-value]

    return RewrittenHead(
        path=head.path,
        data=head.data,
        encoding="utf-8",
        text="\n".join(lines),
        lines=tuple(lines),
        delimiter=head.delimiter,
        reading=head.reading,
        rows=rows,
    )


def by_line(rewrite: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Return a function that rewrites a block of lines, each by itself."""

    def block(data: bytes) -> bytes:
        return b"\n".join(rewrite(line) if line else line for line in data.split(b"\n"))

    return block
