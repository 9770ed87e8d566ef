"""Cells to numbers by a strict grammar, and the line of a cell that is none."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import ParseError, quote
from gazetrack.readers.text.utf8 import Utf8Lines

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header

_MISSING = pa.array(["", ".", "-", "NA", "N/A", "n/a", "na", "nan", "NaN", "NAN"])
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
_LARGEST = 1e19  # nanoseconds since 1970 fit, and products of two do not overflow float32
_MARKED = re.compile(r"[+-]?(?=[.,]?[0-9])[0-9]*([.,])[0-9]*(?:[eE][+-]?[0-9]+)?", re.ASCII)


def line_of(head: Head, header: Header, row: int) -> int:
    """Return the line of a data row, both counted from their own start: blank lines are no rows."""
    with Utf8Lines(head) as raw, io.BufferedReader(raw) as file:
        for line, text in enumerate(file, 1):
            if line > header.lines and text.strip(b"\n"):
                row -= 1
                if row < 0:
                    return line
    return header.lines


@dataclass
class Caster:
    """Casts cells to numbers, with one decimal mark per file.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name the line.
    columns : tuple of int
        Positions of the columns of numbers, to find where the mark changes.
    marks : set of str
        The decimal marks seen so far.
    """

    head: Head
    header: Header
    columns: tuple[int, ...] = ()
    marks: set[str] = field(default_factory=set)

    def numbers(self, column: pa.Array, at: int, first_row: int) -> npt.NDArray[np.float64]:
        """Return the column as numbers, NaN where missing.

        Raises
        ------
        ParseError
            A cell is no number, or has another decimal mark than those before it.
        """
        cells = self._without_missing(column)
        if (
            self.header.delimiter != ","
            and "." not in self.marks
            and _any(pc.match_substring(cells, "."))
        ):
            self.marks.add(".")
            if "," in self.marks:
                self._refuse_marks(cells, _first(pc.match_substring(cells, ".")), at, first_row)
        try:
            numbers = pc.cast(cells, pa.float64())
        except pa.ArrowInvalid:
            cells = self._without_missing(pc.ascii_trim_whitespace(column))
            numbers = self._cast_slowly(cells, at, first_row)
        result: npt.NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
        wrong = ~(np.abs(result) <= _LARGEST)
        if np.count_nonzero(wrong) != cells.null_count:
            row = int((wrong & cells.is_valid().to_numpy(zero_copy_only=False)).argmax())
            self._refuse(cells, row, at, first_row)
        return result

    @staticmethod
    def _without_missing(column: pa.Array) -> pa.Array:
        return pc.if_else(
            pc.is_in(column, value_set=_MISSING), pa.scalar(None, pa.string()), column
        )

    def _cast_slowly(self, cells: pa.Array, at: int, first_row: int) -> pa.Array:
        comma = pc.match_substring_regex(cells, r"^[^.,]*,[^.,]*$")
        if self.header.delimiter != "," and _any(comma):
            self.marks.add(",")
        if len(self.marks) > 1:
            mixed = comma if _any(comma) else pc.match_substring(cells, ".")
            self._refuse_marks(cells, _first(mixed), at, first_row)
        if "," in self.marks:
            cells = pc.replace_substring(cells, ",", ".")
        good = pc.match_substring_regex(cells, _NUMBER)
        if _any(pc.invert(good)):
            self._refuse(cells, _first(pc.invert(good)), at, first_row)
        return pc.cast(cells, pa.float64())

    def _refuse(self, cells: pa.Array, row: int, at: int, first_row: int) -> None:
        line = line_of(self.head, self.header, first_row + row)
        name = quote(self.header.names[at], 40)
        what = f"{quote(cells[row].as_py(), 30)!r} in column {name!r} is not a number"
        hint = "correct the cell, or empty it if the value is missing"
        raise ParseError(what, path=self.head.path, line=line, column=at + 1, hint=hint)

    def _refuse_marks(self, cells: pa.Array, row: int, at: int, first_row: int) -> None:
        """Refuse a file with two decimal marks, at the first cell whose mark is not that of the first one.

        A block is cast column by column, so that cell need not be the one at hand: the file is read
        once more.
        """
        changed = _change_of_mark(self.head, self.header, self.columns)
        if changed is None:
            self._refuse(cells, row, at, first_row)
            return
        other = {".": "a point", ",": "a comma"}[changed.before]
        what = (
            f"the decimal mark changes here, at {quote(changed.cell, 30)!r}: since line {changed.since} {other} marks "
            "decimals"
        )
        hint = "export again with one decimal mark throughout, or separate two files that were joined here"
        raise ParseError(
            what, path=self.head.path, line=changed.line, column=changed.column + 1, hint=hint
        )


class _Change(NamedTuple):
    """The cell at which the decimal mark changes, the mark before, and the line of its first cell."""

    line: int
    column: int
    cell: str
    before: str
    since: int


def _change_of_mark(head: Head, header: Header, columns: tuple[int, ...]) -> _Change | None:
    """Find where a table's second decimal mark begins, or None when its numbers have a single one."""
    before, since = "", 0
    with (
        Utf8Lines(head) as raw,
        io.TextIOWrapper(io.BufferedReader(raw), "utf-8", newline="\n") as file,
    ):
        for _ in range(header.lines):
            file.readline()
        # A quote character opens nothing in a table without quotes.
        quotes = '"' if header.quoted else None
        reader = csv.reader(file, delimiter=header.delimiter, quotechar=quotes)
        for row in reader:
            for column in (at for at in sorted(columns) if at < len(row)):
                found = _MARKED.fullmatch(row[column].strip())
                if found is None:
                    continue
                if before and found[1] != before:
                    return _Change(
                        header.lines + reader.line_num, column, row[column].strip(), before, since
                    )
                if not before:
                    before, since = found[1], header.lines + reader.line_num
    return None


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _first(mask: pa.Array) -> int:
    return int(pc.index(mask, pa.scalar(True)).as_py())
