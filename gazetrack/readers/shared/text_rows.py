"""Rows of texts collected one by one, such as the messages between samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from gazetrack.tables.spill import EVENT_ROWS, Spill

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PART_ROWS = 1 << 12


class TextRows:
    """Collects rows of texts, few in memory and many in a temporary file.

    Parameters
    ----------
    names : sequence of str
        What the texts of a row are called.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._schema = pa.schema([pa.field(name, pa.string()) for name in names])
        self._parts = Spill(self._schema, EVENT_ROWS)
        self._waiting: list[tuple[str, ...]] = []

    @property
    def count(self) -> int:
        """How many rows there are so far."""
        return self._parts.rows + len(self._waiting)

    def add(self, *row: str) -> None:
        """Add a row."""
        self._waiting.append(row)
        if len(self._waiting) >= _PART_ROWS:
            self._settle()

    def parts(self) -> Iterator[tuple[list[str], ...]]:
        """Yield the columns of all rows, part by part; no more can be added."""
        self._settle()
        for batch in self._parts.batches():
            yield tuple(column.to_pylist() for column in batch.columns)

    def _settle(self) -> None:
        if not self._waiting:
            return
        columns = zip(*self._waiting, strict=True)
        arrays = [pa.array(list(column), pa.string()) for column in columns]
        self._parts.append(pa.record_batch(arrays, self._schema))
        self._waiting = []
