"""EyeLink ASC: the file as blocks of whole lines, and what the kernels make of one."""

from __future__ import annotations

import codecs
import re
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.kernels.event_lines import parse_events
from gazetrack.kernels.text import parse_samples
from gazetrack.readers.eyelink.movements import N_FIELDS
from gazetrack.readers.opening import MAX_LINE_BYTES
from gazetrack.readers.reading import CUT_OFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.readers.head import Head

# Columns of `Block.others`.
START, END, LINE, SAMPLES_BEFORE = range(4)
_LINE_END = re.compile(rb"\r\r\n|\r\n|\r|\n")
_END_OF_FIRST = re.compile(rb"[\r\n]|\Z")


class Block(NamedTuple):
    """Whole lines and what the kernels make of them: S samples and O other lines.

    `times` [S], `values` [S, 6], `fields`, `n_values` and `lines` [S] are the samples, `others`
    [O, 4] the other lines, see `parse_samples`. `kinds` [O] and `movements` [O, 10] say which of
    these are eye movements, see `parse_events`. Lines are counted from 0 within the block.
    """

    data: bytes
    n_lines: int
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float32]
    fields: npt.NDArray[np.uint8]
    n_values: npt.NDArray[np.uint8]
    lines: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    movements: npt.NDArray[np.float64]

    def line(self, number: int) -> bytes:
        """Return one line, counted from 0 within the block."""
        return _LINE_END.split(self.data, maxsplit=number + 1)[number]

    def other(self, place: int) -> bytes:
        """Return one of the lines that are not samples."""
        start, end = self.others[place, START : END + 1].tolist()
        return self.data[start:end]


def whole_lines(head: Head, file: IO[bytes], block_bytes: int) -> Iterator[bytes]:
    """Yield blocks of whole lines in an encoding that contains ASCII.

    A block with a line that is too long is the last: `check` names it.

    Parameters
    ----------
    head : Head
        The first look at the file.
    file : binary file
        The file at its beginning.
    block_bytes : int
        How many bytes to read at once.
    """
    # The kernels know ASCII alone; any encoding but the wide ones has it at its own places.
    is_wide = head.encoding.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(head.encoding)("replace") if is_wide else None
    rest = b""
    at_the_beginning = True
    while True:
        raw = file.read(block_bytes)
        data = decoder.decode(raw, final=not raw).encode() if decoder else raw
        if at_the_beginning and data:
            at_the_beginning = False
            data = data.removeprefix(codecs.BOM_UTF8)
        if rest.endswith(b"\r"):  # perhaps the first half of a line end
            data = rest + data
            rest = b""
        cut = _end_of_lines(data)
        is_last = not raw or len(rest) + len(data) - cut > MAX_LINE_BYTES
        if is_last:
            cut = len(data)
        if cut or is_last:
            # Joined from a view: the block is copied once, not twice.
            lines = b"".join((rest, memoryview(data)[:cut]))
            rest = b""
            if lines:
                yield lines if raw else _at_the_end(head, lines)
        if is_last:
            return
        rest += data[cut:]


def _end_of_lines(data: bytes) -> int:
    if end := data.rfind(b"\n") + 1:
        return end
    # Lone CR: the last one may be the first half of CR LF.
    return data.rstrip(b"\r").rfind(b"\r") + 1


def _at_the_end(head: Head, lines: bytes) -> bytes:
    """Return the last lines of a file; to be salvaged, without what follows the last line end."""
    end = max(lines.rfind(b"\n"), lines.rfind(b"\r")) + 1
    if not lines[end:].strip():
        return lines
    if not head.reading.salvage:
        head.reading.note(
            "the last line has no line end: the file may be cut off there (--salvage leaves it out)"
        )
        return lines
    head.reading.dropped[CUT_OFF] = 1
    return lines[:end]


def parse(lines: bytes) -> Block:
    """Parse whole lines; several threads do this at once."""
    data = np.frombuffer(lines, np.uint8)
    # One more than there are line ends: the file's last line may have none. CR LF counts twice.
    room = int(np.count_nonzero(data == ord("\n"))) + 1
    if b"\r" in lines:
        room += lines.count(b"\r")
    times = np.empty(room)
    values = np.empty((room, 6), np.float32)
    fields = np.empty(room, np.uint8)
    n_values = np.empty(room, np.uint8)
    line_numbers = np.empty(room, np.int64)
    others = np.empty((room, 4), np.int64)
    n_samples, n_others, n_lines = parse_samples(
        data,
        times=times,
        values=values,
        fields=fields,
        n_values=n_values,
        lines=line_numbers,
        others=others,
    )
    # A copy, as most lines are samples: the room for all would be kept as long as the block.
    others = others[:n_others].copy()
    kinds = np.empty(n_others, np.uint8)
    movements = np.empty((n_others, N_FIELDS))
    parse_events(data, others, kinds, movements)
    return Block(
        data=lines,
        n_lines=n_lines,
        times=times[:n_samples],
        values=values[:n_samples],
        fields=fields[:n_samples],
        n_values=n_values[:n_samples],
        lines=line_numbers[:n_samples],
        others=others,
        kinds=kinds,
        movements=movements,
    )


def check(head: Head, block: Block, n_before: int) -> None:
    """Refuse a block with a line that is too long, or with a NUL byte.

    Parameters
    ----------
    head : Head
        The first look at the file.
    block : Block
        The block to look at.
    n_before : int
        How many lines of the file come before it.

    Raises
    ------
    ParseError
        It has one.
    """
    data = block.data
    # Only the first line and what follows the last line end can be too long: all others fit into
    # what is read at once.
    first = _END_OF_FIRST.search(data)
    length_of_first = first.start() if first else len(data)
    longest = max(length_of_first, len(data) - _end_of_lines(data))
    if longest > MAX_LINE_BYTES:
        what = f"a line of more than {MAX_LINE_BYTES} bytes"
        hint = "not an EyeLink line; convert again"
        raise ParseError(what, path=head.path, line=n_before + 1, hint=hint)
    if (at := data.find(b"\0")) >= 0:
        line = n_before + 1 + len(_LINE_END.findall(data[:at]))
        hint = "the file is damaged here; copy it again"
        raise ParseError("a NUL byte", path=head.path, line=line, hint=hint)
