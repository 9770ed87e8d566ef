"""Cells parsed by Arrow: those with quotes, and those in a notation that the kernel leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv

from gazetrack.errors import ParseError, quote
from gazetrack.readers.text.ragged import DAMAGED
from gazetrack.tables.schema import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header
    from gazetrack.readers.text.ragged import Picked


def arrow_name(at: int) -> str:
    """Return the name under which Arrow knows the column at a position of the header.

    The header's own names will not do: two columns may have the same.
    """
    return f"f{at}"


class ArrowCells:
    """Parses the wanted cells of rows as texts and dictionaries of texts.

    Numbers come out as texts, because what a number is in an export, `numbers.Caster` knows.

    Parameters
    ----------
    head, header : Head, Header
        The table, for errors, for its delimiter and its quotes.
    picked : iterable of int
        The positions of the columns that `RaggedRows` picks, ascending.
    numbers, texts : iterable of int
        The positions of the columns of numbers and of texts among them.
    """

    def __init__(
        self,
        head: Head,
        header: Header,
        *,
        picked: Iterable[int],
        numbers: Iterable[int],
        texts: Iterable[int],
    ) -> None:
        types = {arrow_name(at): pa.string() for at in numbers}
        types |= {arrow_name(at): TEXT for at in texts}
        self._path = head.path
        self._schema = pa.schema(list(types.items()))
        # The last column has no name: it is the empty cell that keeps a picked row from being a
        # blank line.
        self._columns = [*(arrow_name(at) for at in picked), ""]
        self._marks = pa_csv.ParseOptions(
            delimiter=header.delimiter,
            quote_char='"' if header.quoted else False,
            newlines_in_values=header.quoted,
        )
        self._types = pa_csv.ConvertOptions(
            column_types=types, include_columns=list(types), strings_can_be_null=False
        )

    def parse(self, picked: Picked) -> pa.Table:
        """Return the wanted columns of rows; several threads may call this at once.

        Raises
        ------
        ParseError
            Arrow cannot read the rows, or finds another number of them.
        """
        if not picked.rows:
            return self._schema.empty_table()
        # One block, in this thread: the rows are a block of the file already, and other threads
        # have blocks of their own.
        read = pa_csv.ReadOptions(
            use_threads=False, block_size=len(picked.data) + 1, column_names=self._columns
        )
        try:
            table = pa_csv.read_csv(pa.BufferReader(picked.data), read, self._marks, self._types)
        except pa.ArrowInvalid as error:
            raise ParseError(quote(error, 120), path=self._path, hint=DAMAGED) from error
        if table.num_rows != picked.rows:
            what = f"quoted cells that make {table.num_rows} rows or {picked.rows}"
            raise ParseError(what, path=self._path, hint=DAMAGED)
        return table
