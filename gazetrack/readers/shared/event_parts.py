"""Events that are found part by part, in any order, as a table in the order of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.readers.shared.event_sink import EventSink
from gazetrack.readers.shared.number_rows import least_behind
from gazetrack.tables.schema import EVENTS, TEXT, conform
from gazetrack.tables.spill import EVENT_ROWS, Spill

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import numpy.typing as npt

    Columns = Mapping[str, Any]

_ORDER, _RANK = "order", "rank"
_TEXT = "text"
_NAMES = tuple(field.name for field in EVENTS if field.type == TEXT and field.name != _TEXT)


class EventParts:
    """Collects events, few in memory and many in a temporary file, and puts them into order.

    Parameters
    ----------
    spill_rows : int, optional
        From so many rows on they are kept in a temporary file, see `EVENT_ROWS`.
    more : sequence of str
        Numbers of events that are no columns of `EVENTS`, for `table` to mend others by; missing
        ones are NaN.
    """

    def __init__(self, spill_rows: int | None = None, more: Sequence[str] = ()) -> None:
        self._names: dict[str, dict[str, int]] = {name: {} for name in _NAMES}
        fields = [pa.field(_ORDER, pa.float64()), pa.field(_RANK, pa.int32())]
        for field in EVENTS:
            kept = field.type
            if field.type == TEXT:
                kept = pa.string() if field.name == _TEXT else pa.int32()
            fields.append(pa.field(field.name, kept))
        fields += [pa.field(name, pa.float64()) for name in more]
        self._more = tuple(more)
        self._rows = Spill(pa.schema(fields), EVENT_ROWS if spill_rows is None else spill_rows)
        self._spill_rows = spill_rows

    @property
    def count(self) -> int:
        """How many events there are so far."""
        return self._rows.rows

    def append(self, order: npt.NDArray[Any], columns: Columns, rank: int = 0) -> None:
        """Add some events.

        Parameters
        ----------
        order : ndarray, shape (n,)
            What the events are put in order by, such as the row of each.
        columns : mapping of str to array or scalar
            Columns of `EVENTS`, as `conform` takes them, and those of `more`.
        rank : int
            Which of several kinds of events these are: of two in one place, the one of the lower
            rank comes first.
        """
        if not len(order):
            return
        # One column must be an array, for the number of rows.
        own = {name: values for name, values in columns.items() if name not in self._more}
        table = conform({**own, "onset_ms": np.asarray(columns["onset_ms"])}, EVENTS)
        arrays: dict[str, Any] = {
            _ORDER: pa.array(np.asarray(order, np.float64)),
            _RANK: pa.array(np.full(len(order), rank, np.int32)),
        }
        for name in EVENTS.names:
            column = table[name].combine_chunks()
            if name in self._names:
                column = self._coded(name, column)
            elif name == _TEXT:
                column = column.cast(pa.string())
            arrays[name] = column
        missing = np.full(len(order), np.nan)
        for name in self._more:
            arrays[name] = pa.array(np.asarray(columns.get(name, missing), np.float64))
        schema = self._rows.schema
        self._rows.append(pa.record_batch([arrays[name] for name in schema.names], schema))

    def _coded(self, name: str, column: pa.DictionaryArray) -> pa.Array:
        """Return texts as codes that are the same in all parts."""
        known = self._names[name]
        own = [known.setdefault(text, len(known)) for text in column.dictionary.to_pylist()]
        codes = np.array(own, np.int32)[column.indices.to_numpy()]
        return pa.array(codes, pa.int32())

    def table(
        self,
        mend: Callable[[dict[str, Any]], Columns] | None = None,
        numbers_of: Collection[str] = (),
        **names: str,
    ) -> pa.Table:
        """Return all events in their order.

        Parameters
        ----------
        mend : callable, optional
            Given the columns of numbers of some events, and their ``rank``, returns those of them
            that change now that all is known.
        numbers_of : collection of str
            The kinds of events that are numbered in the order of the table, not as they came.
        **names : str
            Texts that all events have, such as that of ``recording``, by the column.
        """
        if not self._rows.rows:
            return conform({}, EVENTS)
        batches = self._rows.batches()
        if mend is not None:
            mended = Spill(self._rows.schema, self._spill_rows or EVENT_ROWS)
            for batch in batches:
                mended.append(_mended(batch, mend))
            batches = mended.batches()
        least = [float(np.min(batch[_ORDER].to_numpy())) for batch in batches]
        texts = {name: list(known) for name, known in self._names.items()}
        texts |= {name: [text] for name, text in names.items()}
        sink = EventSink(texts, self._spill_rows, by=_ORDER, then=_RANK, numbers_of={*numbers_of})
        sink.take(batches, least_behind(least))
        return sink.table()


def _mended(batch: pa.RecordBatch, mend: Callable[[dict[str, Any]], Columns]) -> pa.RecordBatch:
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    numbers = {name: arrays[name].to_numpy() for name in batch.schema.names if name != _TEXT}
    for name, values in mend(numbers).items():
        arrays[name] = pa.array(values, batch.schema.field(name).type)
    return pa.record_batch(list(arrays.values()), batch.schema)
