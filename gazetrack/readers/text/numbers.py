"""Cells to numbers by a strict grammar, and the line of a cell that is none."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import ParseError, quote
from gazetrack.readers.text.utf8 import Utf8Lines

if TYPE_CHECKING:
    import _csv
    from collections.abc import Sequence

    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header

_MISSING = pa.array(["", ".", "-", "NA", "N/A", "n/a", "na", "nan", "NaN", "NAN"])
# Arrow's own cast takes `inf` and hexadecimal numbers as well, which no tracker writes.
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
_COMMA_NUMBER = r"^[^.,]*,[^.,]*$"
_LARGEST = 1e19  # nanoseconds since 1970 fit, and products of two do not overflow float32
_MARKED = re.compile(r"[+-]?(?=[.,]?[0-9])[0-9]*([.,])[0-9]*(?:[eE][+-]?[0-9]+)?", re.ASCII)


def line_of(head: Head, header: Header, row: int) -> int:
    """Return the line of a data row, counted from 1.

    The file is read once more: only errors and notes name lines.

    Parameters
    ----------
    head, header : Head, Header
        The table that the row is in.
    row : int
        The row counted from 0 below the header; blank lines are no rows.
    """
    left = row
    with Utf8Lines(head) as raw, io.BufferedReader(raw) as file:
        for line, text in enumerate(file, 1):
            if line <= header.lines or not text.strip(b"\n"):
                continue
            if left == 0:
                return line
            left -= 1
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
        """Return a column as numbers, NaN where missing.

        Parameters
        ----------
        column : pyarrow.Array of str
            The cells as they stand in the file.
        at : int
            The position of the column in the header.
        first_row : int
            The row of the table with which the cells begin.

        Raises
        ------
        ParseError
            A cell is no number, or has another decimal mark than those before it.
        """
        cells = _without_missing(column)
        # Between commas there are no decimal commas: the mark of such a table is known.
        if self.header.delimiter != "," and "." not in self.marks:
            self._note_points(cells, at, first_row)
        try:
            numbers = pc.cast(cells, pa.float64())
        except pa.ArrowInvalid:
            # Most files never come here: blanks around numbers and decimal commas are rare.
            cells = _without_missing(pc.ascii_trim_whitespace(column))
            numbers = self._cast_slowly(cells, at, first_row)
        result: npt.NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
        self._check_size(result, cells, at, first_row)
        return result

    def _note_points(self, cells: pa.Array, at: int, first_row: int) -> None:
        """Note that the file has decimal points, and refuse it when it has decimal commas, too."""
        with_point = pc.match_substring(cells, ".")
        if not _any(with_point):
            return
        self.marks.add(".")
        if "," in self.marks:
            self._refuse_marks(cells, _first(with_point), at, first_row)

    def _check_size(
        self, numbers: npt.NDArray[np.float64], cells: pa.Array, at: int, first_row: int
    ) -> None:
        """Refuse numbers that are not finite or beyond all that trackers write."""
        # A missing cell is NaN, which is odd as well: mostly there are as many of the one as of the
        # other, and nothing is to be looked at.
        odd = ~(np.abs(numbers) <= _LARGEST)
        if np.count_nonzero(odd) == cells.null_count:
            return
        odd &= cells.is_valid().to_numpy(zero_copy_only=False)
        self._refuse(cells, int(odd.argmax()), at, first_row)

    def _cast_slowly(self, cells: pa.Array, at: int, first_row: int) -> pa.Array:
        """Cast cells of which Arrow cannot read all: some may have a decimal comma."""
        with_comma = pc.match_substring_regex(cells, _COMMA_NUMBER)
        any_comma = _any(with_comma)
        if self.header.delimiter != "," and any_comma:
            self.marks.add(",")
        if len(self.marks) > 1:
            mixed = with_comma if any_comma else pc.match_substring(cells, ".")
            self._refuse_marks(cells, _first(mixed), at, first_row)
        if "," in self.marks:
            cells = pc.replace_substring(cells, ",", ".")
        wrong = pc.invert(pc.match_substring_regex(cells, _NUMBER))
        if _any(wrong):
            self._refuse(cells, _first(wrong), at, first_row)
        return pc.cast(cells, pa.float64())

    def _refuse(self, cells: pa.Array, row: int, at: int, first_row: int) -> NoReturn:
        """Refuse a cell that is no number.

        Parameters
        ----------
        cells : pyarrow.Array of str
            Some cells of one column.
        row : int
            The place of the one that is refused among them.
        at, first_row : int
            The position of their column, and the row of the table with which they begin.
        """
        line = line_of(self.head, self.header, first_row + row)
        name = quote(self.header.names[at], 40)
        what = f"{quote(cells[row].as_py(), 30)!r} in column {name!r} is not a number"
        hint = "correct the cell, or empty it if the value is missing"
        raise ParseError(what, path=self.head.path, line=line, column=at + 1, hint=hint)

    def _refuse_marks(self, cells: pa.Array, row: int, at: int, first_row: int) -> NoReturn:
        """Refuse a file with two decimal marks, at the first cell whose mark is not the first one.

        A block is cast column by column, so that cell need not be the one at hand: the file is read
        once more. The parameters are those of `_refuse`.
        """
        changed = _change_of_mark(self.head, self.header, self.columns)
        if changed is None:
            # What looked like a second mark is of a word, most likely of one of these.
            pointed = pc.replace_substring(pc.ascii_trim_whitespace(cells), ",", ".")
            wrong = pc.invert(pc.match_substring_regex(pointed, _NUMBER))
            self._refuse(cells, _first(wrong) if _any(wrong) else row, at, first_row)
        before = {".": "a point", ",": "a comma"}[changed.before]
        what = (
            f"the decimal mark changes here, at {quote(changed.cell, 30)!r}: "
            f"since line {changed.since} {before} marks decimals"
        )
        hint = (
            "export again with one decimal mark throughout, "
            "or separate two files that were joined here"
        )
        raise ParseError(
            what, path=self.head.path, line=changed.line, column=changed.column + 1, hint=hint
        )


class _Change(NamedTuple):
    """The cell at which the decimal mark changes, the mark before it, and since which line."""

    line: int
    column: int
    cell: str
    before: str
    since: int


def _change_of_mark(head: Head, header: Header, columns: tuple[int, ...]) -> _Change | None:
    """Find where a table's second decimal mark begins, or None where that is not known."""
    with (
        Utf8Lines(head) as raw,
        io.TextIOWrapper(io.BufferedReader(raw), "utf-8", newline="\n") as file,
    ):
        for _ in range(header.lines):
            file.readline()
        # A quote character opens nothing in a table without quotes.
        quotes = '"' if header.quoted else None
        reader = csv.reader(file, delimiter=header.delimiter, quotechar=quotes)
        try:
            return _first_change(reader, header.lines, sorted(columns))
        except csv.Error:  # a cell of more than 128 KiB, which other readers of tables take
            return None


def _first_change(
    reader: _csv.Reader, n_header_lines: int, columns: Sequence[int]
) -> _Change | None:
    """Return the first cell with another mark than those before it, or None without one."""
    before = ""
    since = 0
    for row in reader:
        line = n_header_lines + reader.line_num
        for column in columns:
            cell = row[column].strip() if column < len(row) else ""
            found = _MARKED.fullmatch(cell)
            if found is None:
                continue
            if not before:
                before = found[1]
                since = line
            elif found[1] != before:
                return _Change(line, column, cell, before, since)
    return None


def _without_missing(column: pa.Array) -> pa.Array:
    is_missing = pc.is_in(column, value_set=_MISSING)
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), column)


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _first(mask: pa.Array) -> int:
    return int(pc.index(mask, pa.scalar(True)).as_py())
