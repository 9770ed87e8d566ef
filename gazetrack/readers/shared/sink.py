"""Samples collected part by part: few in memory, many in a temporary file that is mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.tables.schema import SAMPLES, TEXT
from gazetrack.tables.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Columns = Mapping[str, npt.NDArray[Any]]

# The columns of SAMPLES with texts as codes.
_PLAIN = pa.schema(
    [pa.field(field.name, pa.int32() if field.type == TEXT else field.type) for field in SAMPLES]
)
_NO_TEXTS = {field.name: [""] for field in SAMPLES if field.type == TEXT}


class SampleSink:
    """Makes a table of samples from parts.

    Parameters
    ----------
    spill_rows : int, optional
        From so many rows on they are kept in a temporary file without a name, of 56 bytes a row,
        not in memory; see `Spill`.
    """

    def __init__(self, spill_rows: int | None = None) -> None:
        self._spill_rows = spill_rows
        self._parts = Spill(_PLAIN, spill_rows)

    @property
    def rows(self) -> int:
        """How many samples there are so far."""
        return self._parts.rows

    def append(self, columns: Columns) -> None:
        """Add a part.

        Parameters
        ----------
        columns : mapping of str to ndarray
            Columns of `SAMPLES`, texts as codes; columns of numbers that are absent are missing,
            and absent texts are all the first one.

        Raises
        ------
        OutputError
            The folder of temporary files is full.
        """
        n_rows = len(columns["t_ms"])
        absent = {
            pa.float32(): np.full(n_rows, np.nan, np.float32),
            pa.int32(): np.zeros(n_rows, np.int32),
        }
        arrays = []
        for field in _PLAIN:
            values = columns.get(field.name)
            if values is None:
                values = absent[field.type]
            arrays.append(pa.array(values, field.type))
        self._parts.append(pa.record_batch(arrays, _PLAIN))

    def table(
        self,
        names: Mapping[str, Sequence[str]],
        shift_ms: float = 0.0,
        mend: Callable[[Columns], Columns] | None = None,
    ) -> pa.Table:
        """Return the samples.

        Parameters
        ----------
        names : mapping of str to sequence of str
            The texts by column that the codes stand for; one may be there twice. The texts of
            absent columns are empty.
        shift_ms : float
            What to add to all times.
        mend : callable, optional
            Given the columns of each part once more, when all parts are known, returns them as they
            should be.
        """
        names = {**_NO_TEXTS, **names}
        texts = {column: list(dict.fromkeys(own)) for column, own in names.items()}
        # A column with one text needs no codes at all, see `_as_table`.
        any_twice = any(1 < len(texts[column]) < len(names[column]) for column in texts)
        if not mend and not shift_ms and not any_twice:
            return _as_table(self._parts.batches(), texts)
        # The parts go through another sink one by one: all at once they might not fit into memory.
        codes = {column: _codes(texts[column], names[column]) for column in texts}
        changed = SampleSink(self._spill_rows)
        for batch in self._parts.batches():
            arrays = [column.to_numpy() for column in batch.columns]
            columns: Columns = dict(zip(_PLAIN.names, arrays, strict=True))
            columns = dict(mend(columns) if mend else columns)
            for column, own in codes.items():
                columns[column] = own[columns[column]]
            columns["t_ms"] = columns["t_ms"] + shift_ms
            changed.append(columns)
        return changed.table(texts)


def _as_table(batches: list[pa.RecordBatch], texts: Mapping[str, list[str]]) -> pa.Table:
    """Return parts as one table, without a copy.

    Parameters
    ----------
    batches : list of pyarrow.RecordBatch
        The parts, with texts as codes.
    texts : mapping of str to list of str
        The texts by column that the codes stand for.
    """
    longest = max((batch.num_rows for batch in batches), default=0)
    zeros = pa.array(np.zeros(longest, np.int32))
    columns = []
    for place, field in enumerate(SAMPLES):
        chunks = [batch.column(place) for batch in batches]
        if field.type == TEXT:
            own = pa.array(texts[field.name], pa.string())
            if len(own) == 1:
                # All parts share one array of zeros, whatever their codes are.
                chunks = [zeros.slice(0, len(chunk)) for chunk in chunks]
            chunks = [pa.DictionaryArray.from_arrays(chunk, own) for chunk in chunks]
        columns.append(pa.chunked_array(chunks, field.type))
    return pa.Table.from_arrays(columns, schema=SAMPLES)


def _codes(texts: list[str], names: Sequence[str]) -> npt.NDArray[np.int32]:
    """Return the place among the texts of each of the names."""
    places = {text: place for place, text in enumerate(texts)}
    return np.array([places[name] for name in names], np.int32)
