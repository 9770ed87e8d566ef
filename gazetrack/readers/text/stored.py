"""The columns of a table for a reader that needs them more than once, part by part.

Few rows stay in memory, many in a temporary file that is mapped: so a reader may first look at all
of a table, and then take it row by row, while its memory does not grow with the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from gazetrack.readers.text.parts import Texts
from gazetrack.readers.text.table import Columns, no_rows, read_parts
from gazetrack.tables.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header, Wanted


class StoredTable:
    """Columns that are added part by part, and given back in parts as often as they are asked for.

    Attributes
    ----------
    n_rows : int
        How many rows there are so far.
    keys : tuple of str
        The columns; empty before the first part.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self.keys: tuple[str, ...] = ()
        self._names: dict[str, list[str]] = {}
        self._rows: Spill | None = None
        self._batches: list[pa.RecordBatch] | None = None

    def append(self, part: Columns) -> None:
        """Add a part; the lists of names of its texts are those of the whole table so far.

        Raises
        ------
        OutputError
            The folder of temporary files is full.
        """
        arrays = []
        for key, column in part.found.items():
            values = column
            if isinstance(column, Texts):
                values = column.codes
                self._names[key] = column.names
            arrays.append(pa.array(values))
        if self._rows is None:
            self.keys = tuple(part.found)
            types = [array.type for array in arrays]
            self._rows = Spill(pa.schema(list(zip(self.keys, types, strict=True))))
        self._rows.append(pa.record_batch(arrays, self._rows.schema))
        self.n_rows += part.n_rows

    def parts(self) -> Iterator[Columns]:
        """Yield all rows in parts of some ten thousand; no more rows can be added."""
        if self._batches is None:
            self._batches = [] if self._rows is None else self._rows.batches()
        for batch in self._batches:
            found: dict[str, Any] = {}
            for key, column in zip(self.keys, batch.columns, strict=True):
                values = column.to_numpy(zero_copy_only=False)
                found[key] = Texts(values, self._names[key]) if key in self._names else values
            yield Columns(batch.num_rows, found)

    def names(self, key: str) -> list[str]:
        """Return the texts of a column by their codes; an empty one where there is no column."""
        return self._names.get(key, [""])


def stored_table(
    head: Head,
    header: Header,
    wanted: Wanted,
    change: Callable[[Columns], Columns] | None = None,
) -> StoredTable:
    """Read some columns of a table, and keep them.

    Parameters
    ----------
    head, header, wanted : Head, Header, mapping of str to (int, kind)
        The table and what is wanted of it, as for `read_columns`.
    change : callable, optional
        What to keep of each part, instead of what the file says.

    Raises
    ------
    ParseError
        As `read_columns` does.
    """
    table = StoredTable()
    for part in read_parts(head, header, wanted):
        table.append(part if change is None else change(part))
    if not table.n_rows:
        raise no_rows(head, header)
    return table
