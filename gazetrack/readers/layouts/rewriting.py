"""Tables without a header, or with rows of several kinds, as tables that can be read like others.

Their lines are rewritten on the way, one for one, so that errors name the line of the file.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from gazetrack.readers.text.header import Header
from gazetrack.readers.text.utf8 import rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazetrack.readers.head import Head

_ROW = "row"


def numbered(head: Head, names: Sequence[str]) -> tuple[Head, Header]:
    """Return a table without a header with one, and with the number of each row in front.

    Parameters
    ----------
    head : Head
        The first look at the file.
    names : sequence of str
        Names for the columns that it has.

    Returns
    -------
    Head, Header
        The table whose first column is called ``row`` and counts from 0, and its header, which
        takes no line.
    """
    delimiter = head.delimiter or ","
    mark = delimiter.encode()

    def start() -> Callable[[bytes], bytes]:
        n_rows = 0

        def number(block: bytes) -> bytes:
            nonlocal n_rows
            lines = block.split(b"\n")
            for place, line in enumerate(lines):
                if line.strip():
                    lines[place] = b"%d" % n_rows + mark + line
                    n_rows += 1
            return b"\n".join(lines)

        return number

    header = Header(names=(_ROW, *names), lines=0, delimiter=delimiter, quoted=False)
    return rewritten(head, start), header


def of_some_rows(
    head: Head, header: Header, column: str, text: str
) -> tuple[Head, Callable[[], int]]:
    """Return a table with the rows alone that have a text in a column.

    Parameters
    ----------
    head, header : Head, Header
        The table with rows of several kinds, and its header.
    column : str
        The name of the column.
    text : str
        What stands in it in the rows that stay.

    Returns
    -------
    Head, callable
        The table, and what tells, after it was read, how many rows were left out.
    """
    at = header.index(column, head.path)
    wanted = text.encode()
    mark = header.delimiter.encode()
    n_left_out = 0

    def start() -> Callable[[bytes], bytes]:
        nonlocal n_left_out
        n_left_out = 0
        n_before = 0

        def choose(block: bytes) -> bytes:
            nonlocal n_left_out, n_before
            lines = block.split(b"\n")
            for place, line in enumerate(lines):
                is_row = n_before + place >= header.lines and line.strip()
                if is_row and _cell(line, at, mark) != wanted:
                    lines[place] = b""
                    n_left_out += 1
            # What follows the last line end of a block is no line yet.
            n_before += len(lines) - 1
            return b"\n".join(lines)

        return choose

    return rewritten(head, start), lambda: n_left_out


def _cell(line: bytes, at: int, mark: bytes) -> bytes:
    """Return a cell of a line, without quotes around it; empty where the line is too short."""
    if b'"' in line:
        # What names the kind of a row does not stand behind the longest cell that csv takes.
        text = line.decode("utf-8", "replace")[: csv.field_size_limit()]
        cells = next(csv.reader([text], delimiter=mark.decode()))
        return cells[at].strip().encode() if at < len(cells) else b""
    plain = line.split(mark, at + 1)
    return plain[at].strip() if at < len(plain) else b""
