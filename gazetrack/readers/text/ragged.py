"""Rows shorter or longer than the header: made even for the wanted columns, counted by reason.

Vendors leave out empty cells at the end of a row, end some rows with a separator more than the
header, or put a remark behind the last column. Such rows are used; what is beyond the header is
not. Rows that look as if cells had moved from one column to another are refused: a number beyond
the header, two rows in one line, text beyond it in most rows. A row that lacks a cell or two, where
others do not, may have lost a separator: it is taken as empty, and counted.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.kernels.cells import pick_cells
from gazetrack.readers.opening import MAX_LINE_BYTES
from gazetrack.readers.text.numbers import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header

DAMAGED = "the file is damaged here; export it again"
_QUOTE = ord('"')
# What `pick_cells` counts, in its order, in words for the user. A row without a wanted cell counts
# as both of the first two kinds.
_KINDS = (
    "shorter than the header, in columns that are not used",
    "shorter than the header: the missing cells taken as empty",
    "empty cells beyond the header left out",
    "text beyond the last column left out",
    "one or two cells shorter than the others: taken as empty, as if a separator were lost",
)
_MOST_LOST = 2  # separators of a row; where more cells are missing, they are those at its end
# Where so many rows are short and none ends in an empty cell, empty cells at the end are left out.
_LEAST_SHORT, _LEAST_SHORT_SHARE = 3, 0.1
_ROWS_LOOKED_AT = 2000
_NUMBER = re.compile(r"[-+.,eE \t]*[0-9][-+.,eE0-9 \t]*")
# Most rows have all cells: such a row may have lost a separator as well as empty cells at its end.
_UNLIKE_MOST = (
    "shorter than the header and most rows, used as if only cells at their end were missing: "
    "look at them, a lost separator moves all cells behind it"
)
_UNUSED, _SHORT, _SPARE, _TEXT, _LOST = range(5)
# What the last cell of a row with a lost separator is, as `pick_cells` takes it.
_ANY, _TEXT_ALONE, _NO_EMPTY, _EMPTY = range(4)
# `pick_cells` gives the number of rows, then a count for each kind, then the first row of each
# kind, then the number of cells in the last row.
_N_FACTS = 2 + 2 * len(_KINDS)
_COUNTS = slice(1, 1 + len(_KINDS))
_FIRSTS = slice(1 + len(_KINDS), 1 + 2 * len(_KINDS))


class Picked(NamedTuple):
    """The wanted cells of a block of rows, and what was unusual about the rows.

    In `data` each row has one more cell, which is empty: so no row is a blank line. `facts` are
    those of `pick_cells`. `refused` is the first row that cannot be one of the table, -1 without
    any. `read` is the number of bytes up to a quote that is left open, or of all.
    """

    data: bytes
    rows: int
    facts: npt.NDArray[np.int64]
    refused: int
    read: int


class RaggedRows:
    """Makes rows of any length even, and counts those that were not.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name lines.
    wanted : iterable of int
        The positions of the columns that are used.
    """

    def __init__(self, head: Head, header: Header, wanted: Iterable[int]) -> None:
        self.columns = np.unique(np.array([*wanted], np.int64))
        self.width = len(self.columns) + 1
        self._head = head
        self._header = header
        # Columns without a name at the end of a header come from a separator too many.
        self._n_named = max((at + 1 for at, name in enumerate(header.names) if name), default=1)
        self._counts = np.zeros(len(_KINDS), np.int64)
        self._firsts: dict[int, int] = {}

    @cached_property
    def _suspected(self) -> tuple[int, int, int]:
        """Which rows with fewer cells than others may have lost a separator.

        How many cells most have, how many fewer such a row has at most, and what its last cell is,
        as `pick_cells` takes it. The beginning of the file says whether its rows are short on
        purpose; no row is suspected then. Behind a lost separator all cells move, to the last one:
        what the last column never holds does not end such a row.
        """
        header = self._header
        lines = self._head.lines[header.lines :][:_ROWS_LOOKED_AT]
        mark = header.delimiter
        if header.quoted:
            rows = [row for row in csv.reader(lines, delimiter=mark) if row]
        else:
            rows = [line.split(mark) for line in lines if line]
        # Rows may end with a separator more than names need.
        widths = Counter(len(row) for row in rows if len(row) >= self._n_named)
        usual = max(widths, key=widths.__getitem__, default=self._n_named)
        last_cells = [row[usual - 1].strip() for row in rows if len(row) >= usual]
        n_short = len(rows) - len(last_cells)
        n_empty = last_cells.count("")
        enough = n_short >= max(_LEAST_SHORT, _LEAST_SHORT_SHARE * len(rows))
        if 2 * n_short >= len(rows) or (enough and not n_empty):
            return usual, 0, _ANY
        if n_empty:
            return usual, _MOST_LOST, _EMPTY if n_empty == len(last_cells) else _ANY
        any_number = any(map(_NUMBER.fullmatch, last_cells))
        return usual, _MOST_LOST, _NO_EMPTY if any_number else _TEXT_ALONE

    def pick(self, data: bytes) -> Picked:
        """Return the wanted cells of whole lines; several threads may call this at once."""
        header = self._header
        cells = np.frombuffer(data, np.uint8)
        facts = np.empty(_N_FACTS, np.int64)
        # A row that ends early gets its missing separators: at most so many bytes are written.
        out = np.empty(cells.size + data.count(b"\n") * (self.width + 1), np.uint8)
        n_written, n_read, refused = pick_cells(
            cells,
            marks=(ord(header.delimiter), _QUOTE if header.quoted else 0),
            wanted=self.columns,
            widths=(self._n_named, len(header.names), *self._suspected),
            out=out,
            facts=facts,
        )
        return Picked(out[:n_written].tobytes(), int(facts[0]), facts, refused, n_read)

    def quoted_blocks(self, blocks: Iterable[tuple[bytes, bool]]) -> Iterator[tuple[Picked, bool]]:
        """Yield the wanted cells of blocks of whole lines, whose quoted cells may hold line ends.

        What follows a quote that is open at the end of a block comes with the next one.

        Raises
        ------
        ParseError
            A quote is left open.
        """
        rest = b""
        n_rows = 0
        for block, ended in blocks:
            data = rest + block
            picked = self.pick(data)
            yield picked, ended
            n_rows += picked.rows
            rest = data[picked.read :]
            # No row is as long: the quote is never closed, and what is kept must not grow.
            if len(rest) > MAX_LINE_BYTES:
                break
        if rest:
            line = self._line(n_rows)
            raise ParseError("a quote is left open", path=self._head.path, line=line, hint=DAMAGED)

    def count(self, picked: Picked, ended: bool, first_row: int) -> None:
        """Count the unusual rows of a block.

        Parameters
        ----------
        picked : Picked
            The rows of the block.
        ended : bool
            Whether its last line has a line end; only the file's last line can have none.
        first_row : int
            The block's first row, counted from 0 in the table.

        Raises
        ------
        ParseError
            A row is refused, or the file ends before a cell that is used.
        """
        if picked.refused >= 0:
            raise self._refused(first_row + picked.refused)
        if not ended:
            self._check_last_row(picked, first_row + picked.rows - 1)
        counts = picked.facts[_COUNTS]
        firsts = picked.facts[_FIRSTS]
        self._counts += counts
        for kind in np.flatnonzero(counts):
            self._firsts.setdefault(int(kind), first_row + int(firsts[kind]))

    def _refused(self, row: int) -> ParseError:
        what = "a row with numbers beyond the last column of the header, or two rows in one line"
        hint = (
            "if a column has no name, name it in the header; "
            "else the file is damaged here: export it again"
        )
        return ParseError(what, path=self._head.path, line=self._line(row), hint=hint)

    def _check_last_row(self, picked: Picked, row: int) -> None:
        """Refuse a last line without its end where a cell that is used is missing or cut off."""
        counts = picked.facts[_COUNTS]
        # The last cell that is there is perhaps half of one, too.
        last_cell = int(picked.facts[-1]) - 1
        last_is_used = bool(counts[_UNUSED]) and last_cell in self.columns
        ends_before = bool(counts[_LOST]) and last_cell <= self.columns[-1]
        if not counts[_SHORT] and not last_is_used and not ends_before:
            return
        what = "the file ends in the middle of a row"
        hint = "copy or export it again, or take its whole rows with --salvage"
        raise ParseError(what, path=self._head.path, line=self._line(row), hint=hint)

    def finish(self, n_rows: int) -> None:
        """Tell the file's reading what was unusual in all of its rows.

        Parameters
        ----------
        n_rows : int
            The number of rows of the table.

        Raises
        ------
        ParseError
            Most rows have text beyond the header.
        """
        if 2 * self._counts[_TEXT] > n_rows:
            what = f"rows with more cells than the header, which has {len(self._header.names)}"
            line = self._line(self._firsts[_TEXT])
            hint = "a column without a name moves all others: name it in the header"
            raise ParseError(what, path=self._head.path, line=line, hint=hint)
        counts = self._counts.copy()
        counts[_UNUSED] -= counts[_SHORT]
        for kind in np.flatnonzero(counts > 0).tolist():
            line = self._line(self._firsts[kind])
            seldom = kind == _UNUSED and 2 * self._counts[_UNUSED] <= n_rows
            what = _UNLIKE_MOST if seldom else _KINDS[kind]
            self._head.reading.mend(what, int(counts[kind]), line)

    def _line(self, row: int) -> int:
        return line_of(self._head, self._header, row)
