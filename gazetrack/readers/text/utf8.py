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
    """The file as UTF-8 with LF line ends; NUL bytes and over-long lines are errors.

    Parameters
    ----------
    head : Head
        The first look at the file.
    checked : bool
        Whether such errors are looked for; not where the line of one is counted.
    """

    def __init__(self, head: Head, *, checked: bool = True) -> None:
        super().__init__()
        self._head = head
        self._checked = checked
        self._file: IO[bytes] = head.blocks()
        self._contains_ascii = head.encoding in {"utf-8", "utf-8-sig", "ascii"}
        self._decoder = codecs.getincrementaldecoder(head.encoding)("replace")
        self._ended = False
        self._ready = b""  # decoded, and not asked for yet
        self._held = b""  # CR at the end of a block, of which LF may follow in the next
        self._unended = b""  # of a file to be salvaged: what follows its last line end so far
        self._n_before = 0  # bytes in the blocks so far
        self._n_of_line = 0  # bytes so far of the line that the last block ends in

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
        data = self._ready[:size]
        self._ready = self._ready[size:]
        return data

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, for `io.BufferedReader`."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next_block(self) -> bytes:
        raw = self._file.read(BLOCK_BYTES)
        self._ended = not raw
        # Most exports are ASCII throughout: only the decoder of a half character has to see that.
        is_utf8 = self._contains_ascii and raw.isascii() and not self._decoder.getstate()[0]
        if not is_utf8:
            raw = self._decoder.decode(raw, final=self._ended).encode()
        data = self._held + raw
        # CR at the end may belong to the next block's LF.
        n_now = len(data) if self._ended else len(data.rstrip(b"\r"))
        self._held = data[n_now:]
        data = _with_lf(data[:n_now])
        if self._checked:
            self._check(data)
        return self._whole_lines(data) if self._head.reading.salvage else data

    def _whole_lines(self, data: bytes) -> bytes:
        """Return whole lines; what follows the last line end of the file is counted, not read."""
        data = self._unended + data
        end = data.rfind(b"\n") + 1
        self._unended = data[end:]
        if self._ended and self._unended.strip():
            self._head.reading.dropped[CUT_OFF] = 1
        return data[:end]

    def _check(self, data: bytes) -> None:
        # Only the line that goes on from the blocks before can be too long: all others fit into
        # this one.
        first_end = data.find(b"\n")
        longest = self._n_of_line + (len(data) if first_end < 0 else first_end)
        if longest > MAX_LINE_BYTES or len(self._held) > MAX_LINE_BYTES:
            what = f"a line of more than {MAX_LINE_BYTES} bytes"
            raise self._damaged(what, 0, "not a table; export the recording again")
        if (at := data.find(b"\0")) >= 0:
            raise self._damaged("a NUL byte", at, "the file is damaged here; copy it again")
        self._n_before += len(data)
        self._n_of_line = longest if first_end < 0 else len(data) - data.rfind(b"\n") - 1

    def _damaged(self, what: str, at: int, hint: str) -> ParseError:
        """Return an error about byte `at` of the block.

        Its line is counted now, in the file read once more: few files have such an error.
        """
        left = self._n_before + at
        line = 1
        with Utf8Lines(self._head, checked=False) as file:
            while left > 0 and (data := file.read(left)):
                left -= len(data)
                line += data.count(b"\n")
        return ParseError(what, path=self._head.path, line=line, hint=hint)


def _with_lf(data: bytes) -> bytes:
    """Return lines with LF ends; the ends may be LF, CR, CR LF or CR CR LF."""
    if b"\r" not in data:
        return data
    # CR CR LF, which a program on Windows makes of a CR LF, is rare; the usual ends are replaced
    # faster one after the other.
    if b"\r\r" in data:
        return re.sub(rb"\r\r\n|\r\n|\r", b"\n", data)
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
        self._rest = data[cut:]
        lines = data[:cut]
        return self._rewrite(lines) if lines else lines


@dataclass(frozen=True, kw_only=True)
class RewrittenHead(Head):
    """A file that reads as if its lines were others; see `rewritten`.

    Parameters
    ----------
    rows : callable
        Opens the file for reading its rewritten lines.
    """

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
    rewrite = start()
    seen = "\n".join(head.lines) + "\n"
    text = rewrite(seen.encode("utf-8", "replace")).decode("utf-8", "replace")
    lines = text.split("\n")[:-1]

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
    """Return a function that rewrites a block of lines, each by itself; blank lines stay."""

    def block(data: bytes) -> bytes:
        return b"\n".join(rewrite(line) if line else line for line in data.split(b"\n"))

    return block
