"""Rows that are shorter or longer than the header: made even for the columns that are used, and counted by reason.

Vendors leave out empty cells at the end of a row, end some rows with a separator more than the
header, or put a remark behind the last column. Such rows are used; what is beyond the header is
not. Rows that look as if cells had moved from one column to another are refused: a number beyond
the header, two rows in one line, text beyond it in most rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.kernels.cells import pick_cells
from gazetrack.readers.opening import MAX_LINE_BYTES
from gazetrack.readers.text.numbers import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header

DAMAGED = "the file is damaged here; export it again"
_QUOTE = ord('"')
# What `pick_cells` counts, in its order, in words for the user; the first without those of the
# second.
_KINDS = (
    "shorter than the header, in columns that are not used",
    "shorter than the header: the missing cells taken as empty",
    "empty cells beyond the header left out",
    "text beyond the last column left out",
)
_UNUSED, _SHORT, _SPARE, _TEXT = range(4)


class Picked(NamedTuple):
    """The wanted cells of a block of rows, one more empty cell a row, and what was unusual about the rows."""

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
        The table.
    wanted : iterable of int
        The positions of the columns that are used.
    """

    def __init__(self, head: Head, header: Header, wanted: Iterable[int]) -> None:
        self.columns = np.unique(np.array([*wanted], np.int64))
        self.width = len(self.columns) + 1
        self._head, self._header = head, header
        named = max((at + 1 for at, name in enumerate(header.names) if name), default=1)
        self._widths = named, len(header.names)
        self._marks = ord(header.delimiter), _QUOTE if header.quoted else 0
        self._rows = 0
        self._counts = np.zeros(len(_KINDS), np.int64)
        self._firsts: dict[int, int] = {}

    def pick(self, data: bytes) -> Picked:
        """Return the wanted cells of whole lines; may be called by several threads."""
        cells, facts = np.frombuffer(data, np.uint8), np.empty(2 + 2 * len(_KINDS), np.int64)
        out = np.empty(cells.size + data.count(b"\n") * (self.width + 1), np.uint8)
        written, read, refused = pick_cells(
            cells, self._marks, self.columns, self._widths, out, facts
        )
        return Picked(out[:written].tobytes(), int(facts[0]), facts, refused, read)

    def quoted_blocks(self, blocks: Iterable[tuple[bytes, bool]]) -> Iterator[tuple[Picked, bool]]:
        """Yield the wanted cells of blocks of whole lines with quoted cells, which may hold line ends.

        Raises
        ------
        ParseError
            A quote is left open.
        """
        rest, rows = b"", 0
        for block, ended in blocks:
            data = rest + block
            picked = self.pick(data)
            yield picked, ended
            rows += picked.rows
            rest = data[picked.read :]
            if len(rest) > MAX_LINE_BYTES:
                break
        if rest:
            raise ParseError(
                "a quote is left open", path=self._head.path, line=self._line(rows), hint=DAMAGED
            )

    def count(self, picked: Picked, ended: bool, first_row: int) -> None:
        """Count the unusual rows of a block.

        Parameters
        ----------
        picked : Picked
            The block.
        ended : bool
            Whether its last line has a line end; only the file's last line can have none.
        first_row : int
            The block's first row, counted from 0 in the table.

        Raises
        ------
        ParseError
            A row is refused, or the file ends before a cell that is used.
        """
        counts, firsts = picked.facts[1 : 1 + len(_KINDS)], picked.facts[1 + len(_KINDS) : -1]
        if picked.refused >= 0:
            what = (
                "a row with numbers beyond the last column of the header, or two rows in one line"
            )
            hint = "if a column has no name, name it in the header; else the file is damaged here: export it again"
            raise ParseError(
                what, path=self._head.path, line=self._line(first_row + picked.refused), hint=hint
            )
        # Its last cell is cut off as well, perhaps: that matters where it is used.
        last_cell = int(picked.facts[-1]) - 1
        if not ended and (counts[_SHORT] or (counts[_UNUSED] and last_cell in self.columns)):
            what = "the file ends in the middle of a row"
            line = self._line(first_row + picked.rows - 1)
            hint = "copy or export it again, or take its whole rows with --salvage"
            raise ParseError(what, path=self._head.path, line=line, hint=hint)
        self._counts += counts
        for kind in np.flatnonzero(counts):
            self._firsts.setdefault(int(kind), first_row + int(firsts[kind]))

    def finish(self, rows: int) -> None:
        """Tell the file's reading what was unusual in all of its rows.

        Raises
        ------
        ParseError
            Most rows have text beyond the header.
        """
        if 2 * self._counts[_TEXT] > rows:
            what = f"rows with more cells than the header, which has {self._widths[1]}"
            hint = "a column without a name moves all others: name it in the header"
            raise ParseError(
                what, path=self._head.path, line=self._line(self._firsts[_TEXT]), hint=hint
            )
        counts = self._counts.copy()
        counts[_UNUSED] -= counts[_SHORT]
        for kind in np.flatnonzero(counts > 0).tolist():
            self._head.reading.mend(_KINDS[kind], int(counts[kind]), self._line(self._firsts[kind]))

    def _line(self, row: int) -> int:
        return line_of(self._head, self._header, row)
